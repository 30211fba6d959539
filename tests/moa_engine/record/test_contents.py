import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from moa_engine.errors import RecordError
from moa_engine.member import Message
from moa_engine.record import Event, Record
from tests.moa_engine.record.runs import an_attempt, finish, start

HOSTILE = "NUL \0, lone surrogates \ud83d\ude00 \udcff, quotes \"'; DROP TABLE entry; -- \u2028 \x1b[31m"


def test_a_run_comes_back_as_it_was_put_down(path: Path) -> None:
    attempts = (
        an_attempt("a1"),
        an_attempt(
            "a2", text="", error_code="timed_out", error="No answer in 3 s.", cost_usd=None, tokens_in=None
        ),
        an_attempt("a3", role="aggregator", layer=2, messages=(), text="é" * 50_000),
    )
    with Record(path) as record:
        start(record, payload={"question": "Why?", "files": [{"a": 1.5}]}, plan={"calls": 3})
        for attempt in attempts:
            record.append(attempt)
        record.event("run-1", "settled", {"groups": [["f1", "f2"]]})
        record.finish_run("run-1", status="partial", result='{"b":1, "a": "ü"}', outcome="[]")
    with Record(path) as record:
        run = record.run("run-1")
    assert run.attempts == attempts
    assert [(event.kind, event.data) for event in run.events] == [("settled", {"groups": [["f1", "f2"]]})]
    assert isinstance(run.events[0], Event)
    assert (run.payload, run.plan) == ({"question": "Why?", "files": [{"a": 1.5}]}, {"calls": 3})
    assert (run.task, run.committee, run.seed, run.version) == ("ask", "moa", 7, "1")
    assert (run.status, run.result, run.outcome) == ("partial", '{"b":1, "a": "ü"}', "[]")


def test_hostile_texts_survive(path: Path) -> None:
    long = HOSTILE * 1000
    attempt = an_attempt(
        text=HOSTILE, raw=long, error=HOSTILE, messages=(Message("user", long),), error_code="refused"
    )
    with Record(path) as record:
        start(record, payload={"diff": HOSTILE})
        record.append(attempt)
        finish(record)
        run = record.run("run-1")
        lines = list(record.export("run-1"))
        assert record.verify().ok
    assert run.attempts == (attempt,)
    assert [json.loads(line.encode("utf-8"))["type"] for line in lines] == ["start", "attempt", "end"]


def test_parameters_that_json_does_not_know_do_not_stop_the_record(path: Path) -> None:
    with Record(path) as record:
        record.append(an_attempt(parameters={"x": float("nan"), "y": float("inf"), "at": Decimal("1.5")}))
        record.flush()
        found = record.find("key of a1")
    assert found is not None
    assert found.parameters == {"x": "nan", "y": "inf", "at": "1.5"}


def test_export_has_full_texts_and_says_which_entry_it_shows(path: Path) -> None:
    prompt = "long " * 5000
    with Record(path) as record:
        start(record)
        record.append(an_attempt(messages=(Message("user", prompt),)))
        record.event("run-1", "answer", {"member": "qwen"})
        finish(record)
        first, attempt, event, end = map(json.loads, record.export("run"))
        head = record.verify().head
    assert first["payload"] == {"question": "Why?"}
    assert attempt["messages"] == [{"role": "user", "content": prompt}]
    assert attempt["prompt"] == {"name": "ask", "version": "1"}
    assert event["data"] == {"member": "qwen"}
    assert end["result"] == {"answer": "Because."}
    assert ([first["seq"], end["seq"]], end["hash"]) == ([1, 4], head)


def test_what_prompts_share_is_stored_once(path: Path) -> None:
    prefix = os.urandom(300_000).hex()
    with Record(path) as record:
        start(record, payload={"diff": prefix})
        for number in range(20):
            record.append(an_attempt(f"a{number}", messages=(Message("user", prefix + f" Layer {number}."),)))
        start(record, "run-2", payload={"diff": prefix})
        assert record.run("run-1").attempts[19].messages[0].content == prefix + " Layer 19."
    assert path.stat().st_size < 3 * len(prefix)


def test_find_gives_the_newest_usable_attempt_queued_or_written(path: Path) -> None:
    with Record(path) as record:
        assert record.find("k") is None
        old, new = an_attempt("a1", key="k"), an_attempt("a2", key="k")
        failed = an_attempt("a3", key="k", error_code="broken_answer")
        record.append(old)
        assert record.find("k") == old
        record.flush()
        assert record.find("k") == old
        record.append(new)
        record.append(failed)
        assert record.find("k") == new
        record.flush()
        assert record.find("k") == new


def test_copies_taken_from_the_record_are_no_calls(path: Path) -> None:
    original = an_attempt("a1", key="k", seconds=2.0)
    copy = an_attempt(
        "a2", key="k", run="run-2", purpose="cached", seconds=0.0, cost_usd=None, tokens_in=None
    )
    with Record(path) as record:
        start(record, "run-2")
        record.append(original)
        record.append(copy)
        assert record.find("k") == original
        finish(record, "run-2")
        assert record.find("k") == original
        assert record.run("run-2").attempts == (copy,)
        assert record.latencies("qwen", "qwen2.5-coder:7b", "http://localhost:11434") == [2.0]
        assert (record.runs()[0].calls, record.runs()[0].cost) == (0, Decimal(0))


def test_latencies_are_those_of_one_member_at_one_endpoint_newest_first(path: Path) -> None:
    with Record(path) as record:
        for number in range(5):
            record.append(an_attempt(f"a{number}", seconds=number / 2))
        record.append(an_attempt("b", seconds=99.0, error_code="timed_out"))
        record.append(an_attempt("c", seconds=98.0, model="other"))
        record.append(an_attempt("d", seconds=97.0, endpoint="http://elsewhere"))
        record.flush()
        assert record.latencies("qwen", "qwen2.5-coder:7b", "http://localhost:11434", 3) == [2.0, 1.5, 1.0]


def test_runs_are_listed_newest_first_with_calls_and_cost(path: Path) -> None:
    with Record(path) as record:
        start(record)
        record.append(an_attempt("a1"))
        record.append(an_attempt("a2", cost_usd=None, error_code="overloaded"))
        finish(record)
        start(record, "run-2", committee="local", task="review")
        newest, oldest = record.runs()
        assert [run.id for run in record.runs(limit=1)] == ["run-2"]
    assert (newest.id, newest.task, newest.committee, newest.calls) == ("run-2", "review", "local", 0)
    assert (newest.status, newest.cost) == ("running", Decimal(0))
    assert (oldest.status, oldest.calls, oldest.cost) == ("complete", 2, Decimal("0.00001230"))
    assert oldest.seconds >= 0


def test_a_run_is_found_by_its_beginning_and_the_last_one_by_name(path: Path) -> None:
    with Record(path) as record:
        with pytest.raises(RecordError, match=r"'last'.*is empty"):
            record.run("last")
        for run in ("abc1", "abc2", "xyz"):
            start(record, run)
        assert record.run("last").id == "xyz"
        assert record.run("x").id == "xyz"
        assert record.run("abc1").id == "abc1"
        with pytest.raises(RecordError, match=r"(?s)More than one run begins with 'abc'.*abc2, abc1"):
            record.run("abc")
        with pytest.raises(RecordError, match=r"(?s)no run 'abd2'.*abc2"):
            record.export("abd2")
        with pytest.raises(RecordError, match="no run ''"):
            record.run("")
