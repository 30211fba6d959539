"""Which tests to suggest: greedy set cover on what executing them showed.

Mutants count first, then branches; of tests that add the same the more readable one is taken. Votes
have no part in it: choosing tests by agreement is worse than choosing at random
(docs/design/test-suggestions.md has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass


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
