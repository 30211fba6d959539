"""Tests of models that expect wrong values: their calls are worth having all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moa_engine.record import Record
from moa_engine.replay import replay
from pytest_moa.suggest.run import suggest
from pytest_moa.suggest.task import SuggestTask
from pytest_moa.suggestions import JudgedCandidate, Suggestion, Suggestions
from tests.pytest_moa.suggest.shop import make_shop, request_for
from tests.pytest_moa.suggest.test_run import MEMBER, shown_in
from tests.scripted_endpoint import ScriptedEndpoint

PARCELS = '''\
"""Parcels that are filled."""


class Parcel:
    def __init__(self) -> None:
        self.weights: list[int] = []

    def add(self, weight: int) -> None:
        self.weights.append(weight)

    def price(self) -> int:
        """Price in cents."""
        if not self.weights:
            raise ValueError("nothing in it")
        if len(self.weights) > 2:
            return 900
        return sum(self.weights) * 2


def label(text: str) -> str:
    """The label of a parcel.

    >>> label("a")
    'A'
    """
    return text + "!"
'''

#: What a small model writes: reasonable calls, and values that are wrong.
ANSWER = """```python
from prices import Parcel
import pytest

def test_price_of_two():
    parcel = Parcel()
    parcel.add(3)
    parcel.add(4)
    assert parcel.price() == 7

def test_price_of_three():
    parcel = Parcel()
    parcel.add(5)
    parcel.add(6)
    parcel.add(7)
    with pytest.raises(ValueError):
        parcel.price()

def test_price_of_an_empty_parcel():
    parcel = Parcel()
    assert parcel.price() == 0

def test_price_of_a_kind():
    parcel = Parcel()
    parcel.add(8)
    assert parcel.price("fast") == 16

def test_price_of_one():
    parcel = Parcel()
    parcel.add(9)
    assert parcel.price() == 19
```
"""

OF_LABEL = """```python
from prices import label

def test_label():
    assert label("a") == "a"
    assert label("b") == "B"
```
"""


@dataclass
class Ran:
    result: Suggestions
    record: Path

    def with_text(self, text: str) -> list[JudgedCandidate]:
        return [one for one in self.result.candidates if text in one.candidate.source]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("parcels")
    with ScriptedEndpoint(answer) as endpoint:
        members = "".join(
            MEMBER.format(name=name, url=endpoint.base_url, window=8192) for name in ("small", "other")
        )
        record = folder / "record.sqlite"
        settings = f'layers = 3\nrecord = "{record}"\n{members}[tests]\nproposers = ["docstrings"]\n'
        root = make_shop(folder / "project", settings)
        (root / "prices.py").write_text(PARCELS, "utf-8")
        (root / "tests" / "test_prices.py").unlink()
        yield Ran(suggest(request_for(root)), record)


def answer(request: Any) -> str:
    messages = [message["content"] for message in request["messages"]]
    if messages[0].startswith("You settle"):
        return json.dumps({"decisions": []})
    if "have been proposed for it" not in messages[1]:
        wrong = OF_LABEL if "def label" in messages[1] else ANSWER
        return wrong if request["model"] == "small" else "No idea."
    stances = [
        {"id": name, "why": "so it should be", "position": "agree", "problem": "none"}
        for name, source in shown_in(messages[1]).items()
        if "add(9)" in source and request["model"] == "other"
    ]
    return json.dumps({"stances": stances, "tests": []})


def suggestion_with(result: Suggestions, text: str) -> Suggestion:
    return next(one for one in result.suggestions if text in one.candidate.source)


def test_the_value_that_the_code_gives_takes_the_place_of_a_wrong_one(ran: Ran) -> None:
    two = suggestion_with(ran.result, "add(4)")
    assert "parcel.add(3)" in two.candidate.source
    assert "assert parcel.price() == 14" in two.candidate.source
    assert two.facts.kills


def test_it_is_said_who_chose_the_call_and_what_was_expected(ran: Ran) -> None:
    two = suggestion_with(ran.result, "add(4)")
    assert two.proposed_by == ("small",)
    assert "observed; small expected 7" in two.says
    assert ("small", "expected 7; what the code gives was observed") in {
        (opinion.member, opinion.why) for opinion in two.opinions
    }
    (listed,) = [one for one in ran.with_text("add(4)") if one.status == "passes"]
    assert "small expected 7" in listed.fate


def test_the_failing_test_stays_on_record_and_says_what_followed(ran: Ran) -> None:
    failing, observed = ran.with_text("add(4)")
    assert failing.status == "fails"
    assert failing.id != observed.id
    assert f"what the code gives instead was observed: {observed.id}" in failing.fate


def test_a_value_takes_the_place_of_an_exception_that_does_not_come(ran: Ran) -> None:
    assert "assert parcel.price() == 900" in suggestion_with(ran.result, "add(7)").candidate.source


def test_an_exception_raised_on_purpose_takes_the_place_of_a_value(ran: Ran) -> None:
    empty = next(one for one in ran.result.candidates if "nothing in it" in one.candidate.source)
    assert 'pytest.raises(ValueError, match="^nothing in it$")' in empty.candidate.source
    assert empty.status == "passes"


def test_a_call_that_does_not_fit_the_signature_is_no_test(ran: Ran) -> None:
    assert [one.status for one in ran.with_text('"fast"')] == ["fails"]


def test_what_another_member_holds_for_a_bug_is_not_observed_away(ran: Ran) -> None:
    failing, observed = ran.with_text("add(9)")
    assert (failing.status, observed.status) == ("fails", "passes")
    assert observed.fate.startswith("disputed by other, small, so not selected")
    assert failing.id in [bug.id for bug in ran.result.suspected_bugs]
    assert not any("add(9)" in one.candidate.source for one in ran.result.suggestions)


def test_what_the_documentation_promises_is_not_observed_away(ran: Ran) -> None:
    (observed,) = ran.with_text('"a!"')
    assert observed.status == "passes"
    assert observed.fate.startswith("disputed by docstrings, so not selected")
    assert not any('label("a")' in one.candidate.source for one in ran.result.suggestions)
    assert suggestion_with(ran.result, 'assert label("b") == "b!"').proposed_by == ("small",)


def test_a_replay_makes_the_same_of_the_record(ran: Ran) -> None:
    with Record(ran.record) as record:
        stored = record.run(ran.result.run)
    outcome = replay(stored, SuggestTask)
    assert outcome.result is not None
    assert [one.says for one in outcome.result.suggestions] == [one.says for one in ran.result.suggestions]
