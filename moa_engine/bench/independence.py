"""Whether members are really different: how their errors correlate, and how many votes that leaves.

phi is Pearson's correlation of two error vectors. It counts all that makes two members fail on the same
hunk, hunks that are hard for everybody too: for the worth of a vote it does not matter why two fail
together. Members that accuse everything, or nothing, are alike by their bias; phi `within` kinds compares
planted hunks with planted ones and clean with clean, so that the bias and the mix of the case set cancel
out.

Effective votes (Kish): n members whose errors have a mean correlation r over all pairs vary together as n /
(1 + (n - 1) r) independent ones would. 1 where all fail as one, n where errors are independent; **more than
n where r is negative**: the errors of one are made up by others, so the panel's average is steadier than
that of n strangers. r is at least -1 / (n - 1), where errors cancel entirely and the number has no end.

There is "not enough" instead of a verdict with fewer than `MIN_CASES` cases, where a member has fewer than
`MIN_ERRORS` wrong or right hunks, or where the interval of the effective votes spans more than `TOO_WIDE`
times its lower end: two votes cannot be told from four.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.intervals import Estimate, fisher, variance
from moa_engine.bench.pairs_of_members import Correlation, Pair, compare

MIN_CASES = 10
MIN_ERRORS = 5
TOO_WIDE = 2.0


@dataclass(frozen=True, slots=True)
class Independence:
    """How alike the members of a panel err; `pairs[i][j]` is None on the diagonal.

    `mean_phi` and `effective_votes` are over the members that were sometimes wrong and sometimes right;
    `within` are the same with kinds of hunks apart. None if fewer than two are left.
    """

    members: tuple[str, ...]
    pairs: tuple[tuple[Pair | None, ...], ...]
    mean_phi: Estimate | None
    effective_votes: Estimate | None
    mean_phi_within: Estimate | None
    effective_votes_within: Estimate | None
    why: str  #: why this is not enough for a verdict; "" if it is

    @property
    def enough(self) -> bool:
        """Whether a verdict about the panel may be given."""
        return not self.why

    def phi(self, one: int, other: int) -> Estimate | None:
        """The correlation of two members' errors."""
        pair = self.pairs[one][other]
        return pair.phi.estimate() if pair and pair.phi else None

    def votes_without(self, member: str) -> float | None:
        """The effective votes that are left without one member; None where fewer than two are."""
        seats = [seat for seat, name in enumerate(self.members) if name != member]
        known = {
            (one, other): phi.value
            for one, other in combinations(seats, 2)
            if (pair := self.pairs[one][other]) and (phi := pair.phi)
        }
        if not known:
            return None
        among = len({seat for pair in known for seat in pair})
        votes = effective_votes(among, math.fsum(known.values()) / len(known))
        return votes if math.isfinite(votes) else None

    def plain(self) -> dict[str, Any]:
        """As it stands in a result file."""
        return {
            "members": list(self.members),
            "phi": self._matrix(lambda pair: _plain(pair.phi.estimate() if pair.phi else None)),
            "phi_within": self._matrix(lambda pair: _plain(pair.within.estimate() if pair.within else None)),
            "kappa": self._matrix(lambda pair: _plain(pair.kappa)),
            "both_wrong": self._matrix(lambda pair: pair.together.plain() if pair.together else None),
            "mean_phi": _plain(self.mean_phi),
            "effective_votes": _plain(self.effective_votes),
            "mean_phi_within": _plain(self.mean_phi_within),
            "effective_votes_within": _plain(self.effective_votes_within),
            "enough": self.enough,
            "why": self.why,
        }

    def _matrix(self, of: Callable[[Pair], Any]) -> list[list[Any]]:
        return [[of(pair) if pair else None for pair in row] for row in self.pairs]


def independence(table: ErrorTable) -> Independence:
    """Compare all members."""
    size = len(table.members)
    rows: list[list[Pair | None]] = [[None] * size for _ in range(size)]
    for one in range(size):
        for other in range(one):
            rows[one][other] = rows[other][one] = compare(table, one, other)
    mean, mean_within = _mean(rows, within=False), _mean(rows, within=True)
    votes, votes_within = _votes(mean), _votes(mean_within)
    return Independence(
        table.members,
        tuple(tuple(row) for row in rows),
        mean.phi if mean else None,
        votes,
        mean_within.phi if mean_within else None,
        votes_within,
        _why_not(table, votes),
    )


def effective_votes(members: int, mean_phi: float) -> float:
    """Kish's effective number; infinite where errors cancel entirely (see above)."""
    rest = 1 + (members - 1) * mean_phi
    return members / rest if rest > 1e-12 else math.inf


@dataclass(frozen=True, slots=True)
class _Mean:
    """A mean phi, and among how many members."""

    among: int
    phi: Estimate


def _mean(rows: Sequence[Sequence[Pair | None]], *, within: bool) -> _Mean | None:
    found: list[Correlation] = []
    seated: set[int] = set()
    for one, row in enumerate(rows):
        for other, pair in enumerate(row[:one]):
            correlation = pair and (pair.within if within else pair.phi)
            if correlation:
                found.append(correlation)
                seated |= {one, other}
    if not found:
        return None
    cases = min(one.cases for one in found)
    pairs = len(found)
    together = [math.fsum(case) / pairs for case in zip(*(one.influences for one in found), strict=True)]
    added = math.fsum(one.added for one in found) / pairs
    phi = fisher(
        math.fsum(one.value for one in found) / pairs,
        math.fsum(one.smoothed for one in found) / pairs,
        variance(together, cases) + added**2,
        among=len(seated),
        cases=cases,
    )
    return _Mean(len(seated), phi)


def _votes(mean: _Mean | None) -> Estimate | None:
    """The interval is that of the mean phi: the votes only fall as it rises."""
    if mean is None:
        return None
    votes = mean.phi.through(lambda phi: effective_votes(mean.among, phi))
    return votes if math.isfinite(votes.high) else None


def _why_not(table: ErrorTable, votes: Estimate | None) -> str:
    if len(table.members) < 2:
        return "one member: there is nobody to compare it with"
    if table.cases < MIN_CASES:
        return f"{table.cases} cases: at least {MIN_CASES} are needed"
    for name, row in zip(table.members, table.wrong, strict=True):
        wrong, right = row.count(True), row.count(False)
        if not wrong or not right:
            return (
                f"{name} was {'never' if right else 'always'} wrong"
                if wrong or right
                else f"{name} has no verdict"
            )
        if min(wrong, right) < MIN_ERRORS:
            few, what = (wrong, "wrong") if wrong < right else (right, "right")
            return f"{name} was {what} on {few} hunks only: at least {MIN_ERRORS} are needed"
    if votes is None:
        return "the members' errors cancel out entirely: the effective votes have no end"
    if votes.high > TOO_WIDE * votes.low:
        return f"the interval is too wide: {votes.low:.1f} to {votes.high:.1f} effective votes"
    return ""


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return estimate.plain() if estimate else None
