"""Whether confidence means anything: of findings that were 0.8 sure, are 8 of 10 right?

Over the hunks that a panel accused with a confidence: reliability in bins of equal width (DeGroot and
Fienberg 1983), the expected calibration error (Naeini, Cooper and Hauskrecht 2015: the mean gap between
confidence and truth over the bins, by their size) beside what chance alone would leave of it, and Brier's
score beside that of saying the base rate every time: a score that is not below it knows nothing about which
of its findings are right.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.intervals import Estimate, linear, ratio
from moa_engine.bench.judged import Judged

BINS = 10

#: Accused hunks below which confidence is not judged, and cases.
MIN_HUNKS = 30
MIN_CASES = 10


@dataclass(frozen=True, slots=True)
class _Said:
    case: str
    confidence: float
    right: bool


def calibration(verdicts: Sequence[Judged]) -> dict[str, Any]:
    """One panel as it stands in a result file."""
    said = [
        _Said(one.case, one.confidence, bool(one.defect) and one.named)
        for one in verdicts
        if one.accused and one.confidence is not None
    ]
    cases: defaultdict[str, list[_Said]] = defaultdict(list)
    for one in said:
        cases[one.case].append(one)
    why = _why_not(len(said), len(cases))
    if not said:
        return {"n": 0, "enough": False, "why": why}
    rate = sum(one.right for one in said) / len(said)
    return {
        "n": len(said),
        "bins": [_bin(number, said) for number in range(BINS) if _of_bin(said, number)],
        "ece": None if why else _expected_error(list(cases.values())).plain(),
        "ece_if_perfect": round(_error_by_chance(said), 6),
        "brier": round(_mean([(one.confidence - one.right) ** 2 for one in said]), 6),
        "brier_of_base_rate": round(rate * (1 - rate), 6),
        "enough": not why,
        "why": why,
    }


def _why_not(hunks: int, cases: int) -> str:
    if not hunks:
        return "nothing was said with a confidence"
    if hunks < MIN_HUNKS:
        return f"{hunks} hunks accused with a confidence: at least {MIN_HUNKS} are needed"
    if cases < MIN_CASES:
        return f"{cases} cases: at least {MIN_CASES} are needed"
    return ""


def _bin(number: int, said: Sequence[_Said]) -> dict[str, Any]:
    inside = _of_bin(said, number)
    cases: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in inside:
        cases[one.case][0] += one.right
        cases[one.case][1] += 1
    right = ratio([(hits, of) for hits, of in cases.values()])
    return {
        "from": round(number / BINS, 6),
        "to": round((number + 1) / BINS, 6),
        "n": len(inside),
        "confidence": round(_mean([one.confidence for one in inside]), 6),
        "right": right.plain() if right else None,
    }


def _of_bin(said: Sequence[_Said], number: int) -> list[_Said]:
    return [one for one in said if _number(one.confidence) == number]


def _number(confidence: float) -> int:
    return min(BINS - 1, int(confidence * BINS))


def _expected_error(cases: Sequence[Sequence[_Said]]) -> Estimate:
    """Linearised with the signs of the bins' gaps as they are."""
    hunks = sum(map(len, cases))
    by_case = [[0.0] * BINS for _ in cases]
    for gaps, said in zip(by_case, cases, strict=True):
        for one in said:
            gaps[_number(one.confidence)] += one.confidence - one.right
    totals = [sum(gaps) for gaps in zip(*by_case, strict=True)]
    error = sum(map(abs, totals)) / hunks
    influences = [
        (
            sum(math.copysign(gap, gap * total) for gap, total in zip(gaps, totals, strict=True))
            - error * len(said)
        )
        / hunks
        for gaps, said in zip(by_case, cases, strict=True)
    ]
    found = linear(error, influences)
    return Estimate(error, max(0.0, found.low), min(1.0, found.high))


def _error_by_chance(said: Sequence[_Said]) -> float:
    """What the error would be on average if every confidence were right: chance alone leaves gaps."""
    spread = [0.0] * BINS
    for one in said:
        spread[_number(one.confidence)] += one.confidence * (1 - one.confidence)
    return sum(math.sqrt(2 / math.pi * one) for one in spread) / len(said)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
