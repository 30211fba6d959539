"""What a committee is worth, in words: five questions, each answered with its interval or not at all.

A verdict is given only where the interval leaves no other: "no difference seen" is not "they are the same",
and where the cases do not suffice, that is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moa_engine.bench.scores import MIN_CASES
from review_bot.formats.wording import counted
from review_bot.page.answer import NOT_ENOUGH, NOT_MEASURED, Answer
from review_bot.page.answers_on_committee import better, minority, offers, trade
from review_bot.page.answers_on_members import adds, different


def answers(result: Mapping[str, Any], measures: Mapping[str, Any]) -> list[Answer]:
    """The five, in the order in which they build on each other."""
    kinds = {panel["name"]: panel["what"] for panel in result["panels"]}
    cases = max((one["n"]["cases"] for one in measures["scores"].values()), default=0)
    named = any(one["recall"] and one["recall"]["value"] for one in measures["scores"].values())
    alike = different(measures["independence"], silent_members(result))
    on_naming = [
        adds(measures["leave_one_out"], measures["cheapest"]),
        better(measures, kinds),
        trade(offers(measures["frontier"], kinds)),
    ]
    added, compared, traded = on_naming if named else map(_nothing_named, on_naming)
    rest = [added, minority(measures["aggregators"]), compared, traded]
    return [alike, *(one if cases >= MIN_CASES else _too_few(one, cases) for one in rest)]


def silent_members(result: Mapping[str, Any]) -> list[str]:
    """Members that accused no hunk."""
    counted = {hunk["id"] for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    return [
        panel["name"]
        for panel in result["panels"]
        if panel["what"] == "member"
        and not any(one["accused"] for one in panel["verdicts"] if one["hunk"] in counted)
    ]


def _nothing_named(answer: Answer) -> Answer:
    """The same where every score is 0, so that there is nothing to compare."""
    if answer.verdict == NOT_MEASURED:
        return answer
    headline = "Nobody named a single defect, so there is nothing to compare."
    return replace(answer, verdict="nothing named", tone="unclear", headline=headline, sentences=())


def _too_few(answer: Answer, cases: int) -> Answer:
    """The same without a verdict."""
    if answer.verdict == NOT_MEASURED:
        return answer
    headline = f"{counted(cases, 'case')}: at least {MIN_CASES} are needed before anything is said."
    return replace(answer, verdict=NOT_ENOUGH, tone="unclear", headline=headline)
