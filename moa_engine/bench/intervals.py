"""Intervals that hold for hunks which come in cases, and for few of them.

Hunks of one case share a prompt, so they fail together; an interval that counted hunks would be too narrow.
All here count cases, by linearisation (the sandwich, or infinitesimal jackknife: each case's influence on
the estimate is squared and summed) with Student's t for cases - 1 degrees of freedom, on a scale where the
estimate is nearly normal.

That is what a bootstrap of cases approaches with many of them. With few it holds less often than it says, and
this does not: of nominal 95 %, at 12 cases of five hunks, shares are held 0.94 to 0.99 of the time, by a BCa
bootstrap 0.89 to 0.95. `python -m benchmarks.independence` measures both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

#: How often an interval shall hold.
LEVEL = 0.95

_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the interval that holds it in 95 of 100 studies."""

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float]:
        """As it stands in a result file: six digits, so that two machines write the same."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}

    def through(self, scale: Callable[[float], float]) -> Estimate:
        """The same on another scale, which may rise or fall but not both."""
        low, high = sorted((scale(self.low), scale(self.high)))
        return Estimate(scale(self.value), low, high)


def t_quantile(degrees: int) -> float:
    """Student's t for 95 %, two-sided (Abramowitz and Stegun 26.7.5; to 0.1 % from four degrees on)."""
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees**power for power, term in enumerate(terms, start=1))


def variance(influences: Sequence[float], cases: int) -> float:
    """The variance of an estimate, from the influence on it of so many cases (they sum to nothing)."""
    return cases / (cases - 1) * math.fsum(one * one for one in influences)


def linear(value: float, influences: Sequence[float]) -> Estimate:
    """For what is nearly normal as it is: differences of scores."""
    reach = t_quantile(len(influences) - 1) * math.sqrt(variance(influences, len(influences)))
    return Estimate(value, value - reach, value + reach)


def fisher(value: float, smoothed: float, squared_error: float, *, among: int, cases: int) -> Estimate:
    """For a correlation: Fisher's transform, for the mean over all pairs `among` so many.

    For two it is atanh; for more, Fisher's transform of an intraclass correlation, whose lower end is
    -1 / (among - 1), as that of a mean correlation. The ends of the scale are infinitely far away: where
    `value` is one of them the interval lies around `smoothed`, and is widened to it.
    """
    rest = among - 1
    centre = value if -1 / rest < value < 1 else smoothed
    z = math.log((1 + rest * centre) / (1 - centre)) / 2
    slope = (rest / (1 + rest * centre) + 1 / (1 - centre)) / 2
    reach = t_quantile(cases - 1) * slope * math.sqrt(squared_error)

    def back(z: float) -> float:
        # exp(2z) overflows long after the answer is 1 to the last bit
        power = math.exp(min(2 * z, 600.0))
        return (power - 1) / (power + rest)

    return Estimate(value, min(value, back(z - reach)), max(value, back(z + reach)))


def ratio(cases: Sequence[tuple[float, float]]) -> Estimate | None:
    """A share: the sum of parts over the sum of wholes, a pair a case. None if there is nothing to share.

    Wilson's interval for the effective sample size (Korn and Graubard 1998: observations over the design
    effect, never more than there are, with t for z). Where all or none of them are hits the design effect
    cannot be seen, and none is assumed.
    """
    counted = [pair for pair in cases if pair[1]]
    whole = math.fsum(pair[1] for pair in counted)
    if not counted:
        return None
    share = math.fsum(pair[0] for pair in counted) / whole
    size, t = whole, _Z
    if len(counted) > 1 and 0 < share < 1:
        spread = variance([(part - share * of) / whole for part, of in counted], len(counted))
        t = t_quantile(len(counted) - 1)
        size = min(whole, share * (1 - share) / spread) if spread else whole
    middle = (share + t * t / (2 * size)) / (1 + t * t / size)
    reach = t / (1 + t * t / size) * math.sqrt(share * (1 - share) / size + t * t / (4 * size * size))
    return Estimate(share, max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach)))
