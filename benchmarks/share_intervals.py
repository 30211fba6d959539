"""The interval of a share beside a bootstrap of cases (BCa, Efron 1987): how often each holds the truth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from moa_engine.bench.intervals import ratio
from moa_engine.bench.simulated import SimulatedMember, simulate

DRAWS = 400
_NORMAL = NormalDist()


def shares(repetitions: int) -> dict[str, Any]:
    """One member's error rate, by cases of five hunks and how much of the difficulty a case shares."""
    return {
        f"{cases} cases, rate {rate}, shared {shared}": _held(cases, rate, shared, repetitions)
        for cases in (12, 40)
        for rate in (0.05, 0.3, 0.6)
        for shared in (0.0, 0.3)
    }


def _held(cases: int, rate: float, shared: float, repetitions: int) -> dict[str, float]:
    held = {"ours": 0, "BCa": 0}
    for seed in range(repetitions):
        member = SimulatedMember(rate, 0.999)
        row = simulate([member], cases=cases, hunks_a_case=5, shared_in_case=shared, seed=seed).wrong[0]
        counts = [sum(map(bool, row[start : start + 5])) for start in range(0, len(row), 5)]
        ours = ratio([(count, 5) for count in counts])
        assert ours is not None
        low, high = bca(counts, seed)
        held["ours"] += ours.low <= rate <= ours.high
        held["BCa"] += low <= 5 * rate <= high
    return {name: round(times / repetitions, 3) for name, times in held.items()}


def bca(values: Sequence[float], seed: int) -> tuple[float, float]:
    """The interval of a mean."""
    size, draws = len(values), random.Random(seed)
    mean = sum(values) / size
    found = sorted(sum(draws.choices(values, k=size)) / size for _ in range(DRAWS))
    without = [(sum(values) - value) / (size - 1) for value in values]
    squares = sum((mean - one) ** 2 for one in without)
    skew = sum((mean - one) ** 3 for one in without) / (6 * squares**1.5) if squares else 0.0
    below = sum(one < mean for one in found) + sum(one == mean for one in found) / 2
    bias = _NORMAL.inv_cdf(min(max(below, 0.5), DRAWS - 0.5) / DRAWS)

    def end(z: float) -> float:
        share = _NORMAL.cdf(bias + (bias + z) / (1 - skew * (bias + z)))
        return found[round(share * (DRAWS - 1))]

    return end(-1.96), end(1.96)
