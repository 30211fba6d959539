"""Jobs: their names, and that nothing of them is lost on the way through the queue."""

from __future__ import annotations

import json

import pytest

from moa_engine.errors import MoaError
from review_bot.github.event import Said
from review_bot.server.jobs import Job, Reason, comment_id, push_id
from review_bot.server.settings import ServerSettings, matches


def test_a_job_is_the_same_after_the_queue() -> None:
    said = Said(7, "ann", "/review full\nplease \N{SNOWMAN}")
    for reason in (Reason("pull_request"), Reason("issue_comment", said), Reason("", None, True)):
        job = Job("shop/cart#3@abc", "shop/cart", 3, 11, "abc", reason)
        assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_names_of_jobs() -> None:
    job = Job(push_id("shop/cart", 3, "abc"), "shop/cart", 3, 11, "abc")
    assert job.id == "shop/cart#3@abc"
    assert job.pull == "shop/cart#3"
    assert job.again(2).id == "shop/cart#3@abc~2"
    assert job.again(2).again(3).id == "shop/cart#3@abc~3"
    assert comment_id("shop/cart", 3, 99) == "shop/cart#3!99"


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (["shop/cart"], True),
        (["Shop/*"], True),
        (["*"], True),
        (["shop/car", "sho/*", "shop/cart2"], False),
        ([], False),
    ],
)
def test_which_repositories_are_served(patterns: list[str], allowed: bool) -> None:
    assert matches("shop/Cart", patterns) is allowed


@pytest.mark.parametrize("pattern", ["shop", "*/cart", "shop/cart/more", "", "shop/ca*", "-/x"])
def test_a_pattern_that_would_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises((MoaError, ValueError), match="owner/name"):
        ServerSettings(repositories=[pattern])
