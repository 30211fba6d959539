"""Answers of models are read leniently, and never as more than they say."""

from __future__ import annotations

import json

import pytest

from moa_engine.answers import parse_answer
from moa_engine.errors import BrokenAnswer
from pytest_moa.suggest.answers import Critique, Verdicts

ID = "0a1b2c3d"


@pytest.mark.parametrize(
    ("said", "position"),
    [
        ({"position": "agree"}, "agree"),
        ({"position": "Agreed."}, "agree"),
        ({"position": "WRONG - too heavy"}, "dispute"),
        ({"position": "disagree"}, "dispute"),
        ({"position": "perhaps"}, "unsure"),
        ({}, "unsure"),
        ({"position": ["dispute"]}, "dispute"),
    ],
)
def test_positions(said: dict[str, object], position: str) -> None:
    answer = parse_answer(json.dumps({"stances": [{"id": f"[{ID}]", **said}]}), Critique)
    assert [(stance.id, stance.position) for stance in answer.stances] == [(ID, position)]


def test_stances_by_id_are_stances_too() -> None:
    answer = parse_answer(
        json.dumps({"stances": {ID: "dispute", "ffffffff": {"position": "agree"}}}), Critique
    )
    assert [stance.position for stance in answer.stances] == ["dispute", "agree"]


@pytest.mark.parametrize(
    ("problem", "known"),
    [("pins noise", "pins noise"), ("It repeats the code!", "repeats the code"), ("none", ""), (None, "")],
)
def test_problems(problem: object, known: str) -> None:
    answer = parse_answer(json.dumps({"stances": [{"id": ID, "problem": problem}]}), Critique)
    assert answer.stances[0].problem == known


@pytest.mark.parametrize(
    "tests",
    [
        "def test_a(): ...",
        ["def test_a(): ..."],
        [{"code": "def test_a(): ..."}],
        {"test": "def test_a(): ..."},
    ],
)
def test_tests_in_any_form(tests: object) -> None:
    answer = parse_answer(json.dumps({"stances": [], "tests": tests}), Critique)
    assert [written.code for written in answer.tests] == ["def test_a(): ..."]


def test_decisions_without_a_verdict_keep() -> None:
    answer = parse_answer(
        json.dumps({"decisions": [{"id": ID}, {"ids": [ID, "x"], "verdict": "REJECT", "reason": "a\nb"}, 7]}),
        Verdicts,
    )
    assert [(one.ids, one.verdict, one.reason) for one in answer.decisions] == [
        ([ID], "kept", ""),
        ([ID], "rejected", "a b"),
    ]


@pytest.mark.parametrize("text", ["", "no JSON", '{"other": 1}', "[[1]]"])
def test_what_is_no_answer_is_broken(text: str) -> None:
    with pytest.raises(BrokenAnswer):
        parse_answer(text, Critique)
