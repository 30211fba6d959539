"""What each member adds to a panel, and the cheapest part of it that is as good within noise.

A panel is taken as votes over hunks: it names a defect, or accuses a hunk, where at least `needed` members
do: 1 is everything that anybody says, 2 what two voices hold. What an aggregator makes of it is not seen
here.

As good within noise is the one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984): the cheapest
subset whose F1 is at most one standard error of the whole panel's F1 below it. That it was chosen on the
same cases flatters it; `held_out` is the difference where it was not: cases are split in five, each part
judged by the subset that is chosen on the other four.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from moa_engine.bench.differences import Parts, f1_error, f1_of, parts_difference
from moa_engine.bench.intervals import Estimate
from moa_engine.bench.judged import Judged

#: Members beyond which not all subsets are tried (4,095 are tried for twelve).
MOST_MEMBERS = 12

#: Parts that cases are split into.
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Votes:
    """Bits over the hunks in order of their cases: what is defective, who named it, who accused it.

    `cases` has the first and the end bit of every case. A hunk that a member has no verdict on has no vote.
    """

    members: tuple[str, ...]
    cases: tuple[tuple[int, int], ...]
    defective: int
    named: tuple[int, ...]
    accused: tuple[int, ...]

    @classmethod
    def of(cls, verdicts: Mapping[str, Sequence[Judged]]) -> Votes:
        """From every member's verdicts."""
        truth = {one.hunk: (one.case, bool(one.defect)) for said in verdicts.values() for one in said}
        order = sorted(truth, key=lambda hunk: (truth[hunk][0], hunk))
        bit = {hunk: at for at, hunk in enumerate(order)}
        cases: dict[str, tuple[int, int]] = {}
        for at, hunk in enumerate(order):
            case = truth[hunk][0]
            cases[case] = (cases.get(case, (at, at))[0], at + 1)
        return cls(
            tuple(verdicts),
            tuple(cases.values()),
            _bits(bit[hunk] for hunk in order if truth[hunk][1]),
            tuple(_bits(bit[one.hunk] for one in said if one.named) for said in verdicts.values()),
            tuple(_bits(bit[one.hunk] for one in said if one.accused) for said in verdicts.values()),
        )

    def parts(self, members: Sequence[int], needed: int) -> Parts:
        """What F1 is made of, by case."""
        hits, whole = self._counted(members, needed)
        return [
            (_between(hits, start, end), sum(_between(one, start, end) for one in whole))
            for start, end in self.cases
        ]

    def f1(self, members: Sequence[int], needed: int) -> float:
        """The score alone."""
        hits, whole = self._counted(members, needed)
        return f1_of([(hits.bit_count(), sum(one.bit_count() for one in whole))])

    def within(self, cases: Sequence[int]) -> Votes:
        """The same for some of the cases, with their bits where they are."""
        mask = 0
        for case in cases:
            start, end = self.cases[case]
            mask |= ((1 << (end - start)) - 1) << start
        return Votes(
            self.members,
            tuple(self.cases[case] for case in cases),
            self.defective & mask,
            tuple(one & mask for one in self.named),
            tuple(one & mask for one in self.accused),
        )

    def _counted(self, members: Sequence[int], needed: int) -> tuple[int, tuple[int, int]]:
        """Hits; and what is defective or wrongly accused, where a hunk may be both."""
        hits = self.defective & _at_least(needed, [self.named[member] for member in members])
        accused = _at_least(needed, [self.accused[member] for member in members])
        return hits, (self.defective, accused & ~hits)


def by_votes(verdicts: Mapping[str, Sequence[Judged]], needed: int) -> list[Judged]:
    """The verdicts of a panel that only counts voices, without a run of its own."""
    hunks: defaultdict[str, list[Judged]] = defaultdict(list)
    for said in verdicts.values():
        for one in said:
            hunks[one.hunk].append(one)
    return [
        Judged(
            hunk,
            said[0].case,
            said[0].defect,
            named=sum(one.named for one in said) >= needed,
            by_place=sum(one.by_place for one in said) >= needed,
            accused=sum(one.accused for one in said) >= needed,
            findings=sum(one.findings for one in said),
        )
        for hunk, said in hunks.items()
    ]


def leave_one_out(votes: Votes, needed: int) -> list[dict[str, Any]]:
    """What F1 loses without each member, and what only it found or accused, in a panel of two or more."""
    everybody = range(len(votes.members))
    if len(everybody) < 2:
        return []
    whole = votes.parts(everybody, needed)
    found = []
    for member in everybody:
        others = [other for other in everybody if other != member]
        change = parts_difference(whole, votes.parts(others, needed))
        named = _at_least(1, [votes.named[other] for other in others])
        accused = _at_least(1, [votes.accused[other] for other in others])
        clean = votes.accused[member] & ~votes.defective
        found.append(
            {
                "member": votes.members[member],
                "needed": needed,
                "adds": change.plain() if change else None,
                "named_alone": (votes.named[member] & votes.defective & ~named).bit_count(),
                "accused_alone": (clean & ~accused).bit_count(),
            }
        )
    return found


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The cheapest subset within noise; `loses` is F1 of all members less that of the subset."""

    needed: int
    members: tuple[str, ...]
    cost: float
    full_cost: float
    f1: float
    full_f1: float
    loses: Estimate
    held_out: float | None

    def plain(self) -> dict[str, Any]:
        """As it stands in a result file."""
        return {
            "needed": self.needed,
            "members": list(self.members),
            "cost": round(self.cost, 6),
            "full_cost": round(self.full_cost, 6),
            "f1": round(self.f1, 6),
            "full_f1": round(self.full_f1, 6),
            "loses": self.loses.plain(),
            "held_out": None if self.held_out is None else round(self.held_out, 6),
        }


def cheapest(votes: Votes, needed: int, costs: Mapping[str, float]) -> Cheapest | None:
    """By what each member costs, in any unit; None where there is no F1, or too many or too few members."""
    if not 2 <= len(votes.members) <= MOST_MEMBERS:
        return None
    everybody = tuple(range(len(votes.members)))
    whole = votes.parts(everybody, needed)
    seats = _chosen(votes, needed, costs)
    loses = parts_difference(whole, votes.parts(seats, needed)) if seats else None
    if seats is None or loses is None:
        return None
    return Cheapest(
        needed,
        tuple(votes.members[seat] for seat in seats),
        _cost(votes, seats, costs),
        _cost(votes, everybody, costs),
        votes.f1(seats, needed),
        f1_of(whole),
        loses,
        _held_out(votes, needed, costs),
    )


def _chosen(votes: Votes, needed: int, costs: Mapping[str, float]) -> Sequence[int] | None:
    everybody = range(len(votes.members))
    error = f1_error(votes.parts(everybody, needed))
    if error is None:
        return None
    enough = votes.f1(everybody, needed) - error
    subsets = [
        seats for size in everybody for seats in combinations(everybody, size + 1) if size + 1 >= needed
    ]
    scored = ((votes.f1(seats, needed), seats) for seats in subsets)
    near = ((_cost(votes, seats, costs), len(seats), -f1, seats) for f1, seats in scored if f1 >= enough)
    return min(near)[3]


def _held_out(votes: Votes, needed: int, costs: Mapping[str, float]) -> float | None:
    """F1 of all less F1 of what is chosen without looking at the cases that judge it."""
    if len(votes.cases) < 2 * FOLDS:
        return None
    hits = [0, 0]
    wholes = [0, 0]
    everybody = range(len(votes.members))
    for fold in range(FOLDS):
        shown = [case for case in range(len(votes.cases)) if case % FOLDS != fold]
        chosen = _chosen(votes.within(shown), needed, costs)
        if chosen is None:
            return None
        hidden = votes.within(range(fold, len(votes.cases), FOLDS))
        for side, seats in enumerate((everybody, chosen)):
            parts = hidden.parts(seats, needed)
            hits[side] += sum(hit for hit, _ in parts)
            wholes[side] += sum(of for _, of in parts)
    return f1_of([(hits[0], wholes[0])]) - f1_of([(hits[1], wholes[1])])


def _cost(votes: Votes, seats: Sequence[int], costs: Mapping[str, float]) -> float:
    return sum(costs[votes.members[seat]] for seat in seats)


def _at_least(needed: int, votes: Sequence[int]) -> int:
    """The bits that are set in at least so many."""
    reached = [-1] + [0] * needed
    for vote in votes:
        for count in range(needed, 0, -1):
            reached[count] |= reached[count - 1] & vote
    return reached[needed]


def _bits(places: Iterable[int]) -> int:
    digits = bytearray()
    for place in places:
        byte, bit = divmod(place, 8)
        digits.extend(b"\0" * (byte + 1 - len(digits)))
        digits[byte] |= 1 << bit
    return int.from_bytes(digits, "little")


def _between(bits: int, start: int, end: int) -> int:
    return (bits >> start & (1 << (end - start)) - 1).bit_count()
