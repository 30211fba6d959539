"""Reports: what is written can be read, what is none is refused, several are one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_moa.candidate import Candidate, Case
from pytest_moa.session.reports import ReportUnreadable, merged, read_report, write_report
from pytest_moa.suggestions import Facts, Skipped, Suggestion, Suggestions, TargetOutcome
from pytest_moa.target import Target

CASE = Case("price", (("", "0"), ("zone", '"inner"')), "returns", "0")
FREE = Suggestion(
    Candidate("shop:price", "test_free", "def test_free():\n    assert price(0) == 0", case=CASE),
    Facts(("1:0 enter",), ("aa",)),
    proposed_by=("qwen",),
)
HEAVY = replace(FREE, candidate=Candidate("shop:price", "test_heavy", "def test_heavy():\n    price(9)"))
PRICE = Target("shop.py", "shop", "price", 1, 4, "changed")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = Suggestions(
        (FREE, replace(HEAVY, file="tests/test_shop.py", file_digest="ff", source="def test_heavy(): ...")),
        targets=(TargetOutcome(PRICE, 10, 4, 7),),
        skipped=(Skipped("a.py::f", "why"),),
        cost_usd=None,
    )
    write_report(tmp_path / "report.json", found)
    again = read_report(tmp_path / "report.json")
    assert again == replace(found, suggestions=(FREE, HEAVY))  # where tests go is found anew
    assert (again.score, again.score_after) == (0.4, 0.7)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "no JSON",
        "[]",
        "\0",
        '{"schema": "suggestions/2"}',
        '{"schema": "suggestions/1", "calls": "many"}',
        '{"schema": "suggestions/1", "suggestions": [{"candidate": null}]}',
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportUnreadable, match=r"report\.json"):
        read_report(path)


def test_the_union_has_each_test_once_and_those_that_kill_most_first() -> None:
    one = Suggestions((FREE,), targets=(TargetOutcome(PRICE, 10, 4, 5),), calls=2, cost_usd=0.5, run="a")
    strong = replace(HEAVY, facts=Facts((), ("bb", "cc")))
    again = replace(FREE, facts=Facts((), ("aa", "dd")), proposed_by=("llama",))
    two = Suggestions((strong, again), targets=(TargetOutcome(PRICE, 10, 5, 8),), calls=3, run="b")
    both = merged([one, two])
    assert [(test.candidate.name, test.facts.kills) for test in both.suggestions] == [
        ("test_free", ("aa", "dd")),
        ("test_heavy", ("bb", "cc")),
    ]
    assert both.suggestions[0].proposed_by == ("qwen", "llama")
    assert both.targets == two.targets
    assert (both.calls, both.cost_usd, both.run) == (5, 0.5, "a, b")
    assert merged([one, replace(two, cost_usd=None, status="interrupted")]).status == "partial"
