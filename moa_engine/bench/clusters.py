"""Which members are of one kind: agglomerative clustering by how alike they err.

Average linkage (Sokal and Michener 1958, UPGMA) on 1 - phi: the distance of two groups is the mean over all
pairs of a member of one and a member of the other. 0 is never differing, 1 unrelated, above 1 opposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any


@dataclass(frozen=True, slots=True)
class Merge:
    """One join of a dendrogram.

    `left` and `right` are numbers of groups: a member's own below the number of members, then that of each
    merge in turn. `distance` is the height of the join.
    """

    left: int
    right: int
    distance: float
    members: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As it stands in a result file."""
        return {
            "left": self.left,
            "right": self.right,
            "distance": round(self.distance, 6),
            "members": list(self.members),
        }


def merges(members: Sequence[str], phi: Sequence[Sequence[float | None]]) -> list[Merge]:
    """The joins from the nearest on; a member whose phi with somebody is not known is left out."""
    known = [
        one
        for one in range(len(members))
        if any(phi[one][other] is not None for other in range(len(members)) if other != one)
    ]
    groups: dict[int, tuple[int, ...]] = {one: (one,) for one in known}
    found: list[Merge] = []

    def distance(one: int, other: int) -> float:
        pairs = [(a, b) for a in groups[one] for b in groups[other]]
        values = [1 - value for a, b in pairs if (value := phi[a][b]) is not None]
        return sum(values) / len(values) if values else 1.0

    while len(groups) > 1:
        height, left, right = min((distance(*pair), *pair) for pair in combinations(sorted(groups), 2))
        united = groups.pop(left) + groups.pop(right)
        groups[len(members) + len(found)] = united
        found.append(Merge(left, right, height, tuple(members[one] for one in united)))
    return found
