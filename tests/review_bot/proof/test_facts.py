"""Text of executed code on its way into facts."""

from __future__ import annotations

import pytest

from pytest_moa.proof.behaviour import BehaviourChange, Proof, Searched, Side
from review_bot.proof.facts import Cleaner, behaviour_fact, behaviours_in, told
from review_bot.proof.found import Found
from tests.review_bot.proof.behaviours import behaviour

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"


def change(**fields: object) -> BehaviourChange:
    given = {
        "id": "0000aaaa", "path": "a.py", "module": "a", "qualname": "f", "line": 0, "input": "f()",
        "base": Side("returned", "1"), "head": Side("raised", "ValueError: x"), "differs": "exception",
        "test": "def test_f(): ...", "found_by": ("0a1b2c3d", "search"),
    }  # fmt: skip
    return BehaviourChange(**{**given, **fields})  # type: ignore[arg-type]


def found() -> Found:
    return Found(Cleaner(lambda text: text.replace(TOKEN, "<masked>")), {"0a1b2c3d": "qwen"})


def test_what_executed_code_says_is_masked_printable_and_short() -> None:
    hostile = Side(
        "returned", f"{TOKEN} \x1b[2J\u202e{'x' * 9000}", stdout="\ud800" * 9000, warnings=("w",) * 50
    )
    kept = found()
    [report] = kept.add(Proof((change(head=hostile, input=f"f({TOKEN!r})", test=TOKEN),)))
    text = report.model_dump_json()
    assert TOKEN not in text
    for bad in ("\x1b", "\u202e", "\\u001b"):
        assert bad not in report.head.text
    assert report.head.text.startswith("<masked> \\x1b[2J\\u202e")
    assert len(text) < 6000
    assert report.line == 1
    assert report.found_by == ["qwen", "search"]
    assert behaviours_in([behaviour_fact(report)]) == [report]


def test_a_test_is_kept_whole_or_not_at_all() -> None:
    [report] = found().add(Proof((change(test="x" * 10_000),)))
    assert report.test == ""


def test_searches_are_merged() -> None:
    kept = found()
    first = Proof(
        (change(),),
        (Searched("a.py", "f", "differs", "", 5, 1.0), Searched("a.py", "g", "not searched", "no time")),
        "landlock", 2.0, ("a note",),
    )  # fmt: skip
    again = Proof(
        (change(id="0000bbbb"), change(id="0000cccc", input="f(1)")),
        (Searched("a.py", "f", "no difference found", "", 3, 1.0), Searched("a.py", "g", "differs", "", 1)),
        "landlock", 1.0, ("a note",),
    )  # fmt: skip
    assert [one.input for one in kept.add(first)] == ["f()"]
    assert [one.input for one in kept.add(again)] == ["f(1)"]
    report = kept.report()
    assert [(one.qualname, one.status, one.executions) for one in report.searched] == [
        ("f", "differs", 8),
        ("g", "differs", 1),
    ]
    assert (report.seconds, report.notes) == (3.0, ["a note"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "raises ZeroDivisionError: division by zero"),
        ({"head": {"outcome": "timed_out"}}, "does not end"),
        ({"head": {"outcome": "crashed"}}, "crashes the process"),
        ({"head": {"outcome": "returned", "text": "1"}}, "returns 1"),
        ({"head": {"outcome": "returned", "text": "1", "stdout": "hi"}, "differs": "output"}, "prints 'hi'"),
        (
            {"head": {"outcome": "not_importable", "text": "E"}, "differs": "import"},
            "can not be imported (E)",
        ),
    ],
)
def test_a_side_in_words(fields: dict[str, object], words: str) -> None:
    assert told(behaviour(**fields), "head") == words
