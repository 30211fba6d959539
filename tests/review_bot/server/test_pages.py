import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from review_bot.server.database import Database, bench_jobs, deliveries, executors, jobs, run_records
from tests.review_bot.server.page_server import GITHUB, OWN, authorization, page
from tests.review_bot.server.sample_history import FAILED, HEAD, REPOSITORY, STORED, fill

RUN = f"/runs/{STORED.id}"

#: Each would do or hide something if it came out as it is.
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title></svg><script>1</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png)",
    "`<b>` ```\n<script>1</script>\n```",
    "admin\u202etxt.exe\u2066",
    "zero\u200bwidth \U000e0041tag",
    "\x1b[31mred\x07\x00 nul",
    "&lt;script&gt;",
]


class _Seen(HTMLParser):
    """What of a page a browser would act upon, and what people would read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action"):
                self.links.add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_empty_server_says_what_to_do(database_url: str) -> None:
    with page(database_url) as shown:
        assert "Nothing was reviewed yet" in shown.html("/")
        assert "/webhook" in shown.html("/")
        assert "No runs yet" in shown.html("/runs")
        assert "Nobody was asked" in shown.html("/members")
        missing = shown.get("/runs/20260101-000000-abcdef")
        assert missing.status == 404
        assert b"No such run" in missing.data


def test_the_overview(database_url: str) -> None:
    with page(database_url) as shown:
        fill(shown.database, time.time())
        text = " ".join(_Seen(shown.html("/")).text.split())
        assert "Running1 Waiting2 Failed1 Today$" in text
        assert "Thinking: llama opus Heard so far:" in text
        assert "qwen \N{MULTIPLICATION SIGN}2" in text
        assert "does not answer (connection refused)" in text
        assert "60 reviews of this installation in the last hour looked" not in text
        assert "60 reviews of this installation in the last hour" in text
        assert "Price parcels by started kilograms" in text
        assert f"{GITHUB}/{REPOSITORY}/pull/214" in _Seen(shown.html("/")).links
        assert '<meta http-equiv="refresh"' in shown.html("/")
        assert '<meta http-equiv="refresh"' not in shown.html("/?still=1")


def test_benches_are_counted_by_each_cases_last_try(database_url: str) -> None:
    with page(database_url) as shown:
        assert "Benches" not in shown.html("/")
        tries = [("a", 1, "failed", "it broke"), ("a", 2, "running", ""), ("b", 1, "failed", HOSTILE[0])]
        rows = [
            {"id": f"bench/{case}~{number}", "about": f"bench/{case}", "number": number, "work": {},
             "state": state, "why": why, "queued": 1.0, "finished": float(state == "failed")}
            for case, number, state, why in [*tries, ("c", 1, "done", "")]
        ]  # fmt: skip
        with shown.database.writing() as connection:
            connection.execute(insert(bench_jobs), rows)
        html = shown.html("/")
        text = " ".join(_Seen(html).text.split())
        assert "Benches Cases: 1 done, 1 failed, 1 running. bench/b : <script>" in text.replace("/b:", "/b :")
        assert "it broke" not in text
        assert "<script>" not in html
        assert '<meta http-equiv="refresh"' in html


def test_what_was_not_reviewed_says_why(database_url: str) -> None:
    with page(database_url) as shown:
        row = {
            "id": "1", "received": time.time(), "event": "pull_request", "repository": "ada/shop",
            "number": 3, "installation": 1, "wish": {},
            "state": "ignored", "why": "the pull request is a draft",
        }  # fmt: skip
        with shown.database.writing() as connection:
            connection.execute(insert(deliveries), row)
        assert "the pull request is a draft" in shown.html("/")


def test_a_run_tells_who_said_what_before_it_was_merged(database_url: str) -> None:
    with page(database_url) as shown:
        fill(shown.database, time.time())
        seen = _Seen(shown.html(RUN))
        text = " ".join(seen.text.split())
        for said in (
            "llama gave no complete answer",
            "Countries without a zone silently get the domestic rate",  # merged into another's finding
            "confirmed in finding 0b9e77d1c3a5 with 1 more",
            "rejected in finding 77aa10c3d2ee: opus: the name is used like this in all of the module",
            "opus: 3a7f99 is not the id of any item",
            "run: price(Parcel('XX', 900), TARIFF) returned 390 and raised",
            "timeout: no complete answer within 15 s",
            "raised by qwen opus seconded by mistral",
            "uv.lock: lock file",
            "Layer 3 puts together",
        ):
            assert said in text
        assert f"{GITHUB}/{REPOSITORY}/pull/214" in seen.links
        assert f"{GITHUB}/{REPOSITORY}/blob/{HEAD}/parcels/pricing.py#L43" in seen.links
        record = shown.get(RUN + "/record.json")
        assert record.headers["content-disposition"].startswith("attachment")
        assert [one["author"] for one in record.data["items"]][:2] == ["ruff", "qwen"]


def test_members_and_costs(database_url: str) -> None:
    with page(database_url) as shown:
        fill(shown.database, time.time())
        text = " ".join(_Seen(shown.html("/members")).text.split())
        assert "llama-4-maverick" in text
        assert "no complete answer within 15 s" in text
        assert len(re.findall(r"\d{4}-\d\d-\d\d", text)) == 14


def test_the_list_of_runs_is_cut_and_goes_on(database_url: str) -> None:
    with page(database_url) as shown:
        fill(shown.database, time.time())
        first = _Seen(shown.html("/runs"))
        older = next(link for link in first.links if "before=" in link)
        own, rest = (
            {link for link in seen.links if link.startswith("/runs/")}
            for seen in (first, _Seen(shown.html(older)))
        )
        assert len(own) == 40
        assert rest
        assert not own & rest
        one = _Seen(shown.html(f"/runs?repository={REPOSITORY}&number=214"))
        assert {link for link in one.links if link.startswith("/runs/")} == {RUN}
        assert "No such runs" in shown.html("/runs?repository=nobody/none")


def test_a_failed_job_is_run_again(database_url: str) -> None:
    with page(database_url) as shown:
        fill(shown.database, time.time())
        form = re.search(r'action="/again"><input type="hidden" name="job" value="([^"]+)"', shown.html("/"))
        assert form is not None
        assert form[1] == FAILED
        answer = shown.post("/again", {"job": FAILED}, {**authorization(), **OWN})
        assert answer.status == 303
        assert shown.queue.again == [FAILED]
        assert "queued again" in shown.html(answer.headers["location"])
        shown.queue.known = lambda _: False
        refused = shown.post("/again", {"job": "<i>x"}, {**authorization(), **OWN})
        assert refused.status == 409
        assert b"&lt;i&gt;x" in refused.data


def test_what_was_tried_again_is_no_longer_among_the_failed(database_url: str) -> None:
    with page(database_url) as shown:
        now = time.time()
        fill(shown.database, now)
        again = {
            "id": f"{FAILED}~2", "repository": REPOSITORY, "number": 209, "head": "badc0de",
            "state": "queued", "reason": {}, "queued": now,
        }  # fmt: skip
        with shown.database.writing() as connection:
            connection.execute(insert(jobs), again)
        assert "/again" not in _Seen(shown.html("/")).links


def test_hostile_words_are_shown_and_do_nothing(database_url: str) -> None:
    with page(database_url) as shown:
        now = time.time()
        fill(shown.database, now)
        clean = {path: _Seen(shown.html(path)) for path in ("/", "/runs", "/members", RUN)}
        theirs = "/runs/said-by-them"
        for words in HOSTILE if database_url.startswith("sqlite") else HOSTILE[-2:]:
            _poison(shown.database, words, now)
            for path, before in clean.items():
                raw = shown.html(theirs if path == RUN else path)
                seen = _Seen(raw)
                assert seen.tags <= before.tags | {"code", "pre"}  # what stands in backticks
                assert seen.attributes <= before.attributes
                for link in seen.links - before.links:
                    assert link.startswith(("/runs/", "/runs?", "#f-", f"{GITHUB}/{REPOSITORY}/"))
                for hidden in "\u202e\u2066\u200b\U000e0041\x1b\x07\x00":
                    assert hidden not in raw
            attempts = shown.get(f"{theirs}/record.json").data["attempts"]
            answer = shown.get(f"{theirs}/said/{attempts[0]['id']}")
            assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
            assert "\x00" not in answer.data.decode()


def _poison(database: Database, words: str, now: float) -> None:
    """Puts the words wherever somebody else's can be."""
    plain = words.replace("\0", "")
    with database.writing() as connection:
        row = connection.execute(run_records.select().where(run_records.c.run == STORED.id)).one()
        document = json.loads(json.dumps(row.document))
        _everywhere(document, words)
        members = [
            {
                **one,
                "model": words,
                "errors": [words],
                "last_error": {"at": now, "code": words, "text": words},
            }
            for one in row.members
        ]
        connection.execute(run_records.delete().where(run_records.c.run == "said-by-them"))
        values = {**row._mapping, "run": "said-by-them", "document": document, "members": members}
        connection.execute(insert(run_records), {**values, "status": plain, "job": "theirs"})
        connection.execute(jobs.delete().where(jobs.c.id == "theirs"))
        job = {
            "id": "theirs", "repository": plain, "number": 2, "head": plain, "state": "failed", "why": plain,
            "reason": {}, "queued": now, "summary": {"title": words, "phase": words, "findings": {words: 1}},
        }  # fmt: skip
        connection.execute(insert(jobs), job)
        connection.execute(update(jobs).where(jobs.c.state == "running").values(summary=job["summary"]))
        connection.execute(update(deliveries).values(why=plain, repository=plain))
        connection.execute(update(executors).values(host=plain))


def _everywhere(value: Any, words: str) -> None:
    """Replaces what people or models wrote in a run's document."""
    theirs = {"title", "body", "why", "reason", "text", "error", "model", "author", "path", "unit", "fate"}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in list(items):
        if isinstance(item, str) and (name in theirs or isinstance(value, list)):
            value[name] = words
        elif isinstance(item, dict | list):
            _everywhere(item, words)


def test_a_huge_run_makes_no_huge_page(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        fill(shown.database, time.time())
        with shown.database.writing() as connection:
            row = connection.execute(run_records.select().where(run_records.c.run == STORED.id)).one()
            document = json.loads(json.dumps(row.document))
            long = "All of this is far too long to be read by anybody. " * 200
            attempts, items, review = document["attempts"], document["items"], document["review"]
            review["findings"] = [
                {**one, "id": f"{number:012x}", "body": long, "merged": one["merged"] * 20}
                for number, one in enumerate(review["findings"] * 40)
            ]
            review["warnings"] = review["objections"] = [long] * 500
            document["items"] = [
                {**one, "id": f"{number:08x}", "body": {**one["body"], "body": long}}
                for number, one in enumerate(items * 60)
            ]
            document["attempts"] = [
                {**one, "id": f"{one['id']}-{number}", "text": long}
                for number, one in enumerate(attempts * 15)
            ]
            document["facts"] = [{**fact, "text": long} for fact in document["facts"] * 300]
            connection.execute(
                update(run_records).values(document=document).where(run_records.c.run == row.run)
            )
        raw = shown.html(RUN)
        assert len(raw) < 2_000_000
        assert "more characters" in raw
        whole = re.search(r'href="(/runs/[^"]+/said/[^"]+)">The whole text', raw)
        assert whole is not None
        assert shown.get(whole[1]).data.decode().strip() == long.strip()
        assert 'record.json">the whole record' in raw


def test_names_that_nothing_has_are_not_found(database_url: str) -> None:
    with page(database_url) as shown:
        for path in (
            "/runs/%00",
            "/runs/..%2f..%2fetc",
            "/runs/%ff",
            f"{RUN}/said/x",
            "/static/..%2Fpages.py",
        ):
            assert shown.get(path).status == 404
        for query in (
            "before=x",
            "before=nan",
            "before=inf",
            "number=9999999999999999999",
            "repository=%00%ff",
        ):
            assert shown.get(f"/runs?{query}").status == 200
        assert shown.get("/?again=%00").status == 200
