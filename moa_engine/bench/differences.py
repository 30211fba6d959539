"""Whether one panel is better than another, on the hunks that both have judged.

The two scores are correlated, as the same hunks are hard for both; so their difference is looked at case by
case, and is known better than either score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from moa_engine.bench.intervals import Estimate, linear, variance
from moa_engine.bench.judged import Judged
from moa_engine.bench.scores import TOO_WIDE, f1_parts

#: Hits, and hits + wrongly accused + missed, by case.
Parts = Sequence[tuple[int, int]]


def f1_difference(one: Sequence[Judged], other: Sequence[Judged]) -> Estimate | None:
    """F1 of one less that of the other, with its interval; None where there is no F1 or only one case.

    Worse beyond chance is an estimate whose high end is below 0.
    """
    shared = {verdict.hunk for verdict in one} & {verdict.hunk for verdict in other}
    return parts_difference(
        f1_parts([verdict for verdict in one if verdict.hunk in shared]),
        f1_parts([verdict for verdict in other if verdict.hunk in shared]),
    )


def verdict_on(difference: Estimate | None) -> str:
    """A difference in words: the interval lies above 0, below it, or around it, narrowly enough to say so."""
    if difference is None:
        return "not enough"
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "not enough" if difference.high - difference.low > TOO_WIDE else "no difference seen"


def parts_difference(one: Parts, other: Parts) -> Estimate | None:
    """The same from what was counted in each case."""
    if len(one) < 2 or not any(of for _, of in one) or not any(of for _, of in other):
        return None
    first, second = f1_of(one), f1_of(other)
    influences = [a - b for a, b in zip(_influences(one, first), _influences(other, second), strict=True)]
    return linear(first - second, influences)


def f1_error(parts: Parts) -> float | None:
    """The standard error of F1; None where there is no F1 or only one case."""
    if len(parts) < 2 or not any(of for _, of in parts):
        return None
    return math.sqrt(variance(_influences(parts, f1_of(parts)), len(parts)))


def f1_of(parts: Parts) -> float:
    """F1 from what was counted in each case; 0 where nothing was."""
    hits, whole = sum(part for part, _ in parts), sum(of for _, of in parts)
    return 2 * hits / (hits + whole) if whole else 0.0


def _influences(parts: Parts, f1: float) -> list[float]:
    """Of each case on F1 = 2 hits / (hits + whole), a ratio of sums."""
    total = sum(hits + whole for hits, whole in parts)
    return [(2 * hits - f1 * (hits + whole)) / total for hits, whole in parts]
