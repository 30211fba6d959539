"""Answers of two turns, each graded 1 to 10 by a judge, as MT-Bench does (Zheng and others 2023)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.intervals import Estimate, linear

#: How MT-Bench's judges are told to give a grade: `Rating: [[5]]`.
_RATING = re.compile(r"\[\[(\d+(?:\.\d+)?)\]\]")

LOWEST, HIGHEST = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Grade:
    """One judge's grade for one turn (1 or 2) of a question; None if it gave none."""

    question: str
    turn: int
    grade: float | None


def grade_in(text: str) -> float | None:
    """The grade in a judge's words; None if there is none, or none from 1 to 10."""
    found = _RATING.search(text)
    if found is None:
        return None
    grade = float(found[1])
    return grade if LOWEST <= grade <= HIGHEST else None


def two_turns(grades: Sequence[Grade]) -> dict[str, Any]:
    """The mean of each turn and of both as it stands in a result file, and how many grades are missing."""
    given = [one for one in grades if one.grade is not None]
    return {
        "first_turn": _mean([one for one in given if one.turn == 1]),
        "second_turn": _mean([one for one in given if one.turn == 2]),
        "overall": _mean(given),
        "n": len({one.question for one in grades}),
        "missing": len(grades) - len(given),
    }


def _mean(grades: Sequence[Grade]) -> dict[str, float] | None:
    """Over all grades; its interval counts questions, as both turns of one are alike."""
    questions: defaultdict[str, list[float]] = defaultdict(list)
    for one in grades:
        questions[one.question].append(one.grade or 0.0)
    if len(questions) < 2:
        return None
    mean = sum(map(sum, questions.values())) / len(grades)
    found = linear(mean, [sum(value - mean for value in of) / len(grades) for of in questions.values()])
    return Estimate(mean, max(LOWEST, found.low), min(HIGHEST, found.high)).plain()
