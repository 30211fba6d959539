"""Who was wrong on which hunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """For every member and hunk: wrong (True), right (False), or not asked or failed (None).

    `case_of` and `kind_of` number each hunk's case and kind (planted or clean, say) from 0.
    """

    members: tuple[str, ...]
    wrong: tuple[tuple[bool | None, ...], ...]
    case_of: tuple[int, ...]
    kind_of: tuple[int, ...]

    @classmethod
    def of(
        cls,
        wrong: Mapping[str, Mapping[str, bool]],
        case_of: Mapping[str, str],
        kind_of: Mapping[str, str] | None = None,
    ) -> ErrorTable:
        """From names: wrong by member and hunk; the case of every hunk; its kind, if kinds matter."""
        kinds = kind_of or {}
        return cls(
            tuple(wrong),
            tuple(tuple(of.get(hunk) for hunk in case_of) for of in wrong.values()),
            _numbered(list(case_of.values())),
            _numbered([kinds.get(hunk, "") for hunk in case_of]),
        )

    @property
    def cases(self) -> int:
        """How many cases."""
        return max(self.case_of, default=-1) + 1

    def without(self, member: str) -> ErrorTable:
        """The same without one member."""
        return self.only([name for name in self.members if name != member])

    def only(self, members: Sequence[str]) -> ErrorTable:
        """The same with some of the members, in the order given."""
        wrong = tuple(self.wrong[self.members.index(name)] for name in members)
        return ErrorTable(tuple(members), wrong, self.case_of, self.kind_of)


def _numbered(names: Sequence[str]) -> tuple[int, ...]:
    numbers: dict[str, int] = {}
    return tuple(numbers.setdefault(name, len(numbers)) for name in names)
