"""What chat members are asked beside the layers, and how their answers are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moa_engine.answers import parse_answer
from moa_engine.errors import BrokenAnswer
from pytest_moa.proof.prove import OpenQuestion
from review_bot.anchors import Anchors
from review_bot.asking import Asking
from review_bot.proof.asides import Judgements, ProposedAnswer, judging, proposing
from tests.review_bot.proof.behaviours import behaviour
from tests.review_bot.sample_change import change

NAMES = ("shop.stats:mean", "shop.stats:Cart.total")
CHANGE = change({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})
ASKING = Asking(CHANGE, Anchors(CHANGE), "----- b -----", 4000, len)


@pytest.mark.parametrize(
    ("answer", "judgement"),
    [
        ({"judgements": [{"id": "0000aaaa", "why": "w", "judgement": "intended"}]}, "intended"),
        ({"judgements": [{"id": "[0000AAAA]", "verdict": "Regression."}]}, "regression"),
        ({"judgements": {"0000aaaa": "bug"}}, "regression"),
        ({"judgements": {"0000aaaa": {"judgement": "expected", "why": "w"}}}, "intended"),
        ({"judgements": [{"id": "0000aaaa", "judgement": "hm"}]}, "suspicious"),
        ({"judgements": [{"id": "ffffffff", "judgement": "intended"}, {"id": 3}]}, None),
        ({"judgements": []}, None),
    ],
)
def test_judgements_are_read_leniently(answer: Any, judgement: str | None) -> None:
    said = parse_answer(json.dumps(answer), Judgements).said("qwen", ["0000aaaa"])
    assert {id: one.judgement for id, one in said.items()} == ({"0000aaaa": judgement} if judgement else {})


@pytest.mark.parametrize(
    "answer",
    [
        {"calls": [{"function": NAMES[0], "calls": ["mean([])"]}]},
        {"calls": [{"function": "mean()", "calls": "mean([])"}]},
        {"calls": {NAMES[0]: ["`mean([])`"]}},
        {"calls": [{"name": "shop.stats.mean", "inputs": [{"call": "mean([])"}]}]},
        [{"function": "mean", "call": "mean([])"}],
    ],
)
def test_calls_are_read_leniently(answer: Any) -> None:
    assert parse_answer(json.dumps(answer), ProposedAnswer).by_function(NAMES) == {NAMES[0]: ("mean([])",)}


def test_calls_for_no_function_that_was_asked_about_are_left_out() -> None:
    bare = parse_answer('{"calls": ["mean([])"]}', ProposedAnswer)
    assert bare.by_function(NAMES) == {}
    assert bare.by_function(NAMES[:1]) == {NAMES[0]: ("mean([])",)}
    many = [f"mean([{number}])" for number in range(20)]
    long = {"calls": [{"function": "mean", "calls": [f"mean({'1' * 5000})", *many]}]}
    assert len(parse_answer(json.dumps(long), ProposedAnswer).by_function(NAMES)[NAMES[0]]) == 8
    with pytest.raises(BrokenAnswer):
        parse_answer("call mean with nothing", ProposedAnswer)


def test_the_question_shows_both_versions_and_what_was_tried() -> None:
    one = OpenQuestion(NAMES[0], "def mean(): ...", "def mean(x): ...\x1b[2J", ("mean([1])",), ("return 0",))
    huge = OpenQuestion(NAMES[1], "x" * 9000, "y" * 9000, (), ())
    question, names = proposing(ASKING, [one, huge]) or (None, [])
    assert question is not None
    assert names == [NAMES[0]]
    text = question.messages[0].content
    for part in (NAMES[0], "def mean(): ...", "def mean(x): ...\\x1b[2J", "mean([1])", "return 0"):
        assert part in text
    assert proposing(ASKING, [huge]) is None


def test_a_difference_is_shown_under_its_id_and_without_who_found_it() -> None:
    text = judging(ASKING, [behaviour()], "=== a.py").messages[0].content
    assert "[0000aaaa] in shop.stats:mean\n  > mean([])\n  before: returned 0\n  after: raises Zero" in text
    assert "qwen" not in text
