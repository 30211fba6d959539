"""Which tests to suggest: greedy set cover on what executing them showed.

Mutants count first, then branches; of tests that add the same the more readable one is taken. Votes
have no part in it: choosing tests by agreement is worse than choosing at random
(docs/design/test-suggestions.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Offer:
    """What one test brings beyond the existing ones. `burden` is what reading it costs, in any unit."""

    key: str
    kills: frozenset[str]
    branches: frozenset[str]
    burden: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """A chosen test, and what it adds to those chosen before it."""

    key: str
    kills: frozenset[str]
    branches: frozenset[str]


def chosen(offers: Sequence[Offer], most: int | None = None) -> list[Pick]:
    """The tests in the order in which they add most; at most `most` of them, none that adds nothing."""
    left = sorted(offers, key=lambda offer: (offer.burden, offer.key))
    killed: set[str] = set()
    taken: set[str] = set()
    picks: list[Pick] = []
    while left and (most is None or len(picks) < most):
        best = max(left, key=lambda offer: (len(offer.kills - killed), len(offer.branches - taken)))
        kills, branches = best.kills - killed, best.branches - taken
        if not kills and not branches:
            break
        picks.append(Pick(best.key, kills, branches))
        killed |= kills
        taken |= branches
        left.remove(best)
        left = [offer for offer in left if offer.kills - killed or offer.branches - taken]
    return picks


@dataclass(frozen=True, slots=True)
class Tables:
    """Which tests can be rows of one test: `joins` says it of some of one `family` and one more."""

    family: Callable[[str], Hashable]
    joins: Callable[[Sequence[str], str], bool]


def arranged(offers: Sequence[Offer], tables: Tables, most: int) -> list[tuple[str, ...]]:
    """The keys of what makes one test each; at most `most` tests, the rows of a table cost nothing.

    The better one of two ways: always the test next that adds most with all its rows, or the tests
    that add most singly, with what else there is then room for. So it never kills less than `chosen` does.
    """
    ordered = sorted(offers, key=lambda offer: (offer.burden, offer.key))
    greedy = _Plan(ordered, tables, most)
    greedy.go_on()
    singly = _Plan(ordered, tables, most)
    singly.start([pick.key for pick in chosen(offers, most)])
    singly.go_on()
    best = max(greedy, singly, key=lambda plan: (len(plan.killed), len(plan.taken), -len(plan.groups)))
    return best.without_needless()


@dataclass
class _Plan:
    ordered: Sequence[Offer]
    tables: Tables
    most: int
    groups: list[list[str]] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.by_key = {offer.key: offer for offer in self.ordered}
        self.families: dict[Hashable, list[Offer]] = {}
        for offer in self.ordered:
            self.families.setdefault(self.tables.family(offer.key), []).append(offer)

    def start(self, keys: Iterable[str]) -> None:
        """Take these, then what else the tables that they make have room for."""
        for key in keys:
            family = self.tables.family(key)
            for group in self.groups:
                if self.tables.family(group[0]) == family and self.tables.joins(group, key):
                    self._add(group, [key])
                    break
            else:
                self.groups.append([])
                self._add(self.groups[-1], [key])
        for group in self.groups:
            self._add(group, self._rows(group, self.families[self.tables.family(group[0])]))

    def go_on(self) -> None:
        """One test after the other, until nothing is added or there are enough."""
        while len(self.groups) < self.most:
            rows = [self._rows([], members) for members in self.families.values()]
            best = max(rows, key=self._gain, default=[])
            if not best:
                break
            self.groups.append([])
            self._add(self.groups[-1], best)

    def without_needless(self) -> list[tuple[str, ...]]:
        """The tests without rows that bring nothing that others do not bring."""
        gone = needless([self.by_key[key] for group in self.groups for key in group])
        left = (tuple(key for key in group if key not in gone) for group in self.groups)
        return [group for group in left if group]

    def _add(self, group: list[str], keys: Iterable[str]) -> None:
        for key in keys:
            group.append(key)
            self.killed |= self.by_key[key].kills
            self.taken |= self.by_key[key].branches

    def _gain(self, keys: Sequence[str]) -> tuple[int, int]:
        kills = set[str]().union(*(self.by_key[key].kills for key in keys))
        branches = set[str]().union(*(self.by_key[key].branches for key in keys))
        return len(kills - self.killed), len(branches - self.taken)

    def _rows(self, group: Sequence[str], members: Sequence[Offer]) -> list[str]:
        """The tests of one family to put beside these, the most useful first."""
        killed, taken = set(self.killed), set(self.taken)
        rows: list[str] = []
        left = list(members)
        while True:
            left = [offer for offer in left if offer.kills - killed or offer.branches - taken]
            left.sort(key=lambda offer: (-len(offer.kills - killed), -len(offer.branches - taken)))
            best = next((one for one in left if self.tables.joins([*group, *rows], one.key)), None)
            if best is None:
                return rows
            rows.append(best.key)
            killed |= best.kills
            taken |= best.branches


def needless(offers: Sequence[Offer], also: Set[str] = frozenset()) -> set[str]:
    """The keys of tests that can go because the others bring all that they bring, the last ones first.

    `also` are kills and branches that something else brings.
    """
    counts: dict[str, int] = dict.fromkeys(also, 1)
    for offer in offers:
        for fact in offer.kills | offer.branches:
            counts[fact] = counts.get(fact, 0) + 1
    gone: set[str] = set()
    for offer in reversed(offers):
        facts = offer.kills | offer.branches
        if all(counts[fact] > 1 for fact in facts):
            gone.add(offer.key)
            for fact in facts:
                counts[fact] -= 1
    return gone
