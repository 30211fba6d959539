"""How alike two members err: phi, Cohen's kappa, and how often both are wrong, against chance.

Each is a smooth function of a table of four cells (both wrong, one, the other, neither), so a case's
influence on it is the sum of its hunks' cell values, and the interval follows (`intervals`). To the error,
not to the value, half a hunk in each cell is added (Haldane and Anscombe): without it two members that never
differed would have an interval of no width, and those of five members with one error in ten hunks, twelve
cases of five hunks and a mean phi of 0.3 would hold it 80 times of 100; with it 96.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.intervals import Estimate, fisher, t_quantile, variance

#: Hunks added to each cell of a pair's table, for intervals only.
SMOOTHING = 0.5

#: Cases below which nothing is estimated.
FEWEST_CASES = 5

#: Cells are numbered 2 * (one is wrong) + (the other is wrong).
_CELLS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True, slots=True)
class Together:
    """How often two members are wrong on the same hunk, and how often they would be by chance.

    `lift` is one over the other: 1 is chance, above it they fail together. None if one never fails.
    """

    observed: float
    chance: float
    lift: Estimate | None

    def plain(self) -> dict[str, Any]:
        """As it stands in a result file; value, low and high are those of the lift."""
        shares = {"observed": round(self.observed, 6), "chance": round(self.chance, 6)}
        return {**(self.lift.plain() if self.lift else {}), **shares}


@dataclass(frozen=True, slots=True)
class Correlation:
    """A phi with what a mean of several needs.

    `smoothed` is phi with half a hunk in each cell; `influences` has all cases of the table, 0 for those
    without a verdict of both; `cases` is how many have one; `added` is what smoothing adds to the error.
    """

    value: float
    smoothed: float
    influences: tuple[float, ...]
    cases: int
    added: float

    def estimate(self) -> Estimate:
        """With its interval."""
        error = variance(self.influences, self.cases) + self.added**2
        return fisher(self.value, self.smoothed, error, among=2, cases=self.cases)


@dataclass(frozen=True, slots=True)
class Pair:
    """All about two members. `within` is phi with every kind of hunk compared with its own kind only.

    None where a member was never wrong, or always: there is nothing that errors could correlate with. All are
    None where both have a verdict in fewer than `FEWEST_CASES` cases: no variance can be seen in so few.
    """

    phi: Correlation | None
    within: Correlation | None
    kappa: Estimate | None
    together: Together | None


def compare(table: ErrorTable, one: int, other: int) -> Pair:
    """Two members, on the hunks where both have a verdict."""
    kinds = max(table.kind_of, default=-1) + 1
    counts = [[[0] * 4 for _ in range(kinds)] for _ in range(table.cases)]
    for first, second, case, kind in zip(
        table.wrong[one], table.wrong[other], table.case_of, table.kind_of, strict=True
    ):
        if first is not None and second is not None:
            counts[case][kind][2 * first + second] += 1
    cases = sum(any(map(any, case)) for case in counts)
    if cases < FEWEST_CASES:
        return Pair(None, None, None, None)
    merged = [[[sum(cell) for cell in zip(*case, strict=True)]] for case in counts]
    return Pair(_phi(merged, cases), _phi(counts, cases), _kappa(merged, cases), _together(merged, cases))


Counts = Sequence[Sequence[Sequence[int]]]
"""Hunks by case, kind and cell."""


def _phi(counts: Counts, cases: int) -> Correlation | None:
    """Pearson's correlation of the two error vectors, each centred within every kind."""
    plain = _centred(counts, 0.0)
    smooth = _centred(counts, SMOOTHING)
    if plain is None or smooth is None:
        return None
    # An observation's influence on a correlation of standardised u, v is uv - r (u^2 + v^2) / 2.
    value = [
        [u * v - smooth.phi / 2 * (u * u + v * v) for u, v in kind] if kind else [0.0] * 4
        for kind in smooth.standardised
    ]
    influences = _influences(counts, value, smooth.hunks)
    share = SMOOTHING / len(smooth.standardised)
    added = math.sqrt(math.fsum((share * cell / smooth.hunks) ** 2 for kind in value for cell in kind))
    return Correlation(plain.phi, smooth.phi, influences, cases, added)


@dataclass(frozen=True, slots=True)
class _Centred:
    hunks: float
    phi: float
    standardised: list[list[tuple[float, float]]]


def _centred(counts: Counts, smoothing: float) -> _Centred | None:
    kinds = len(counts[0])
    share = smoothing / kinds
    sums = [[share + sum(case[kind][cell] for case in counts) for cell in range(4)] for kind in range(kinds)]
    hunks = math.fsum(cell for kind in sums for cell in kind)
    centred: list[list[tuple[float, float]]] = []
    first = second = both = 0.0
    for cells in sums:
        size = sum(cells)
        if not size:
            centred.append([])
            continue
        one, other = (cells[2] + cells[3]) / size, (cells[1] + cells[3]) / size
        values = [(a - one, b - other) for a, b in _CELLS]
        centred.append(values)
        for times, (u, v) in zip(cells, values, strict=True):
            first, second, both = first + times * u * u, second + times * v * v, both + times * u * v
    if first * second <= 0:
        return None
    one, other = math.sqrt(first / hunks), math.sqrt(second / hunks)
    phi = max(-1.0, min(1.0, both / math.sqrt(first * second)))
    return _Centred(hunks, phi, [[(u / one, v / other) for u, v in kind] for kind in centred])


def _influences(counts: Counts, value: Sequence[Sequence[float]], hunks: float) -> tuple[float, ...]:
    return tuple(
        math.fsum(
            times * worth
            for kind, worths in zip(case, value, strict=True)
            for times, worth in zip(kind, worths, strict=True)
            if times
        )
        / hunks
        for case in counts
    )


def _shares(counts: Counts, smoothing: float) -> tuple[float, list[float]]:
    cells = [smoothing + sum(case[0][cell] for case in counts) for cell in range(4)]
    hunks = sum(cells)
    return hunks, [cell / hunks for cell in cells]


def _kappa(counts: Counts, cases: int) -> Estimate | None:
    """Cohen's kappa of being wrong: agreement beyond what the two error rates alone would give."""

    def of(smoothing: float) -> tuple[float, list[float], float]:
        hunks, cells = _shares(counts, smoothing)
        one, other = cells[2] + cells[3], cells[1] + cells[3]
        agreed = cells[0] + cells[3]
        chance = one * other + (1 - one) * (1 - other)
        if chance >= 1:
            return math.nan, [], hunks
        kappa = (agreed - chance) / (1 - chance)
        value = []
        for a, b in _CELLS:
            more = (a == b) - agreed
            likelier = (a - one) * (2 * other - 1) + (b - other) * (2 * one - 1)
            value.append((more * (1 - chance) - likelier * (1 - agreed)) / (1 - chance) ** 2)
        return kappa, value, hunks

    kappa = of(0.0)[0]
    if math.isnan(kappa):
        return None
    smoothed, value, hunks = of(SMOOTHING)
    added = math.fsum((SMOOTHING * one / hunks) ** 2 for one in value)
    error = variance(_influences(counts, [value], hunks), cases) + added
    return fisher(kappa, smoothed, error, among=2, cases=cases)


def _together(counts: Counts, cases: int) -> Together:
    """The lift's interval is that of its logarithm."""
    _, cells = _shares(counts, 0.0)
    observed, chance = cells[3], (cells[2] + cells[3]) * (cells[1] + cells[3])
    if not chance:
        return Together(observed, chance, None)
    hunks, smooth = _shares(counts, SMOOTHING)
    one, other = smooth[2] + smooth[3], smooth[1] + smooth[3]
    value = [(a and b) / smooth[3] - a / one - b / other + 1 for a, b in _CELLS]
    added = math.fsum((SMOOTHING * worth / hunks) ** 2 for worth in value)
    error = variance(_influences(counts, [value], hunks), cases) + added
    reach = t_quantile(cases - 1) * math.sqrt(error)
    centre, lift = smooth[3] / (one * other), observed / chance
    low, high = centre * math.exp(-reach), centre * math.exp(reach)
    return Together(observed, chance, Estimate(lift, min(lift, low), max(lift, high)))
