"""What the committee thinks of changes of behaviour, and which of them become findings."""

from __future__ import annotations

import pytest

from review_bot.grouping import body_of
from review_bot.proof.judging import found_by_proof, judged
from review_bot.proof.report import Said
from review_bot.standing import Voice
from tests.review_bot.proof.behaviours import behaviour

VOICES = {"q1": Voice("qwen"), "q2": Voice("qwen"), "llama": Voice("llama"), "gemma": Voice("gemma")}


def said(**members: str) -> list[Said]:
    return [Said(member=name, judgement=word, why=f"{name} thinks so") for name, word in members.items()]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("members", "judgement"),
    [
        ({}, "unjudged"),
        ({"q1": "intended"}, "intended"),
        ({"q1": "intended", "llama": "intended", "gemma": "regression"}, "intended"),
        ({"q1": "intended", "q2": "intended", "llama": "regression", "gemma": "regression"}, "regression"),
        ({"q1": "intended", "llama": "regression"}, "suspicious"),
        ({"q1": "intended", "q2": "regression"}, "suspicious"),
    ],
)
def test_most_families_decide_and_a_draw_is_suspicious(members: dict[str, str], judgement: str) -> None:
    [found] = judged([behaviour()], {"0000aaaa": said(**members)}, VOICES)
    assert found.judgement == judgement
    assert [one.member for one in found.judged_by] == list(members)
    if judgement in members.values():
        assert found.why.endswith("thinks so")


def test_what_was_not_judged_is_a_finding_only_where_it_raises_on_valid_input() -> None:
    other = behaviour(id="0000bbbb", qualname="low", rank=60)
    [item] = found_by_proof([behaviour(), other])
    finding = body_of(item)
    assert (item.author, finding.category, finding.severity, finding.line) == (
        "proof",
        "behaviour",
        "major",
        2,
    )
    assert finding.title == "`mean([])` raises ZeroDivisionError: division by zero; it returned 0 before"
    assert "Is that intended?" in finding.body
    [witness] = finding.evidence
    assert set(witness) == {"kind", "test", "input", "base", "head", "found_by"}
    assert witness["found_by"] == ["annotations", "qwen"]


def test_judgements_decide_over_ranks() -> None:
    reports = [behaviour(rank=90), behaviour(id="0000bbbb", qualname="low", rank=10)]
    two = said(q1="intended", llama="intended")
    assert found_by_proof(judged(reports, {"0000aaaa": two}, VOICES)) == []
    [item] = found_by_proof(judged(reports, {"0000aaaa": two, "0000bbbb": said(q1="suspicious")}, VOICES))
    assert (body_of(item).severity, body_of(item).body) == ("minor", "q1: suspicious. q1 thinks so")


def test_one_voice_alone_does_not_take_what_raises_off_the_findings() -> None:
    for alone in (said(q1="intended"), said(q1="intended", q2="intended")):
        [item] = found_by_proof(judged([behaviour()], {"0000aaaa": alone}, VOICES))
        assert body_of(item).severity == "minor"
        assert "q1: intended. q1 thinks so" in body_of(item).body
    assert found_by_proof(judged([behaviour(rank=60)], {"0000aaaa": said(q1="intended")}, VOICES)) == []


def test_one_function_is_one_finding() -> None:
    reports = [
        behaviour(id=f"0000aaa{n}", input=f"mean({n})", base={"outcome": "returned", "text": str(n // 2)})
        for n in range(12)
    ]
    [item] = found_by_proof(reports)
    assert len(body_of(item).evidence) == 4
    assert "- `mean(2)` returned 1 before the change, now raises ZeroDivisionError" in body_of(item).body
    assert "mean(1)" not in body_of(item).body  # mean(0) shows the same
