"""Members whose errors correlate as much as one wants, to judge estimates by a truth that is computed.

Hunks have a difficulty, normally distributed; a member is wrong where a mix of that difficulty and of a
whim of its own falls below its threshold (a Gaussian copula with one factor). Hunks of one case share part
of their difficulty. The correlation of two members' errors then is an integral over the difficulty, not an
estimate.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.independence import effective_votes

_NORMAL = NormalDist()

#: The integral's range in standard deviations, and its steps: good to ten digits for any loading below 0.999.
_REACH, _STEPS = 8.0, 2000


@dataclass(frozen=True, slots=True)
class SimulatedMember:
    """How often it is wrong, and how much (0 to 1) of that the difficulty of hunks decides."""

    error_rate: float
    loading: float

    def wrong_at(self, difficulty: float) -> float:
        """How probably it is wrong on a hunk of this difficulty."""
        own = math.sqrt(1 - self.loading**2)
        return _NORMAL.cdf((_NORMAL.inv_cdf(self.error_rate) + self.loading * difficulty) / own)


def true_phi(one: SimulatedMember, other: SimulatedMember) -> float:
    """The correlation of two members' errors in the population of hunks."""
    step = 2 * _REACH / _STEPS
    both = step * math.fsum(
        _NORMAL.pdf(at) * one.wrong_at(at) * other.wrong_at(at)
        for at in (step * number - _REACH for number in range(_STEPS + 1))
    )
    p, q = one.error_rate, other.error_rate
    return (both - p * q) / math.sqrt(p * (1 - p) * q * (1 - q))


def true_mean_phi(members: Sequence[SimulatedMember]) -> float:
    """The mean over all pairs."""
    pairs = [true_phi(one, other) for at, one in enumerate(members) for other in members[:at]]
    return math.fsum(pairs) / len(pairs)


def true_effective_votes(members: Sequence[SimulatedMember]) -> float:
    """Kish's effective number in the population."""
    return effective_votes(len(members), true_mean_phi(members))


def alike(phi: float, error_rate: float) -> SimulatedMember:
    """A member whose errors correlate by `phi` with those of another one like it."""
    low, high = 0.0, 0.9999
    if not 0 <= phi < true_phi(*[SimulatedMember(error_rate, high)] * 2):
        raise ValueError(f"no member errs {phi} alike with its like")
    while high - low > 1e-9:
        middle = (low + high) / 2
        if true_phi(*[SimulatedMember(error_rate, middle)] * 2) < phi:
            low = middle
        else:
            high = middle
    return SimulatedMember(error_rate, low)


def simulate(
    members: Sequence[SimulatedMember],
    *,
    cases: int,
    hunks_a_case: int = 1,
    shared_in_case: float = 0.0,
    seed: int,
) -> ErrorTable:
    """Errors drawn for them; a case's hunks share so much (0 to 1) of their difficulty's variance."""
    draws = random.Random(seed)  # noqa: S311 (no secret)
    rows: list[list[bool]] = [[] for _ in members]
    thresholds = [_NORMAL.inv_cdf(one.error_rate) for one in members]
    for _ in range(cases):
        common = draws.gauss(0, math.sqrt(shared_in_case))
        for _ in range(hunks_a_case):
            difficulty = common + draws.gauss(0, math.sqrt(1 - shared_in_case))
            for row, one, threshold in zip(rows, members, thresholds, strict=True):
                whim = draws.gauss(0, math.sqrt(1 - one.loading**2))
                row.append(whim - one.loading * difficulty < threshold)
    hunks = cases * hunks_a_case
    return ErrorTable(
        tuple(f"member-{number}" for number in range(1, len(members) + 1)),
        tuple(tuple(row) for row in rows),
        tuple(hunk // hunks_a_case for hunk in range(hunks)),
        (0,) * hunks,
    )
