"""All that GitHub is known to deliver, and thousands of broken ones, over a real socket."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from review_bot.github.event import Target
from tests.review_bot.server.serving import Serving, headers_of, serving
from tests.review_bot.server.webhook_examples import examples, mutations

#: The events of the examples that are reasons for a review.
REASONS = {"opened", "reopened", "synchronize", "ready_for_review", "labeled", "unlabeled", "rerequested"}


def test_every_example_is_answered_and_what_asks_for_something_is_kept_once(database_url: str) -> None:
    with serving(database_url) as server:
        sent = [
            (event, payload, body := json.dumps(payload).encode(), headers_of(event, body))
            for event, payload in examples()
        ]
        with server.connection() as connection:
            first = [server.send(body, headers, connection) for _, _, body, headers in sent]
            again = [server.send(body, headers, connection) for _, _, body, headers in sent]
        rows = {row.id: row for row in server.rows()}
    assert len(sent) == 329
    assert Counter(answer.status for answer in first) == {200: 329 - len(rows), 202: len(rows)}
    for (event, payload, _, headers), one, two in zip(sent, first, again, strict=True):
        row = rows.get(headers["X-GitHub-Delivery"])
        if event not in ("pull_request", "issue_comment", "check_run", "check_suite"):
            assert (row, one.data["state"], two.data) == (None, "ignored", one.data)
            continue
        assert row is not None
        assert (two.status, two.data["state"]) == (200, "seen")
        assert (row.event, row.repository) == (event, payload["repository"]["full_name"])
        assert row.installation == payload.get("installation", {}).get("id", 0)
        pulls = payload.get(event, {}).get("pull_requests", [1])
        wanted = event != "issue_comment" and payload["action"] in REASONS and pulls
        assert row.state == one.data["state"] == ("new" if wanted else "ignored"), (event, payload["action"])
        if wanted:
            target = Target.from_json(row.repository, row.number, row.wish)
            assert (target.event, target.action) == (event, payload["action"])
            assert len(target.head) == 40


def test_thousands_of_broken_ones_are_answered_and_none_fails(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/server.sqlite") as server:
        statuses = _sent(server, each=14)
        rows = server.rows()
    assert sum(statuses.values()) >= 4000
    assert set(statuses) <= {200, 202, 400, 403}
    assert len(rows) == statuses[202]
    for row in rows:
        if row.state == "new":
            target = Target.from_json(row.repository, row.number, row.wish)
            assert target.number > 0
            assert target.said or target.head


def test_what_is_kept_of_broken_ones_fits_into_postgresql(postgres_url: str) -> None:
    with serving(postgres_url) as server:
        statuses = _sent(server, each=3, seed=1)
        rows = server.rows()
    assert set(statuses) <= {200, 202, 400, 403}
    assert len(rows) == statuses[202] > 100


def _sent(server: Serving, each: int, seed: int = 0) -> Counter[int]:
    with server.connection() as connection:
        return Counter(
            server.send(body, headers_of(event, body), connection).status
            for event, body in mutations(each, seed)
        )
