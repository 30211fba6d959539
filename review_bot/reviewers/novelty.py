"""What is new at head: a tool's observations of both sides, compared through the change's own hunks.

A line that the change did not touch keeps its observations, wherever it moved to. A touched line keeps
those that it had before the edit, and code that moved brings its own along. The rest is new.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from review_bot.change import Change, ChangedFile

DetailT = TypeVar("DetailT")


@dataclass(frozen=True, slots=True)
class Observation(Generic[DetailT]):
    """What a tool says of one line at one side, with its path there. `detail` is the tool's own."""

    path: str
    line: int
    rule: str
    message: str
    detail: DetailT

    @property
    def claim(self) -> tuple[str, str]:
        """Rule and message, without the numbers of other lines that a message may name."""
        return self.rule, re.sub(r"\bline \d+", "line", self.message)


class LineMap:
    """Where the lines of one changed file went."""

    def __init__(self, file: ChangedFile) -> None:
        self.path = file.path
        self.added: dict[int, tuple[int, str]] = {}  #: line at head -> hunk, text without white space
        self.removed: dict[int, tuple[int, str]] = {}  #: line at base -> hunk, text without white space
        self._kept: dict[int, int] = {}
        self._spans: list[tuple[int, int, int]] = []  #: first line at base, length at base, growth
        for number, hunk in enumerate(file.hunks):
            first = hunk.old_start if hunk.old_length else hunk.old_start + 1
            self._spans.append((first, hunk.old_length, hunk.new_length - hunk.old_length))
            for line in hunk.lines():
                if line.old is None and line.new is not None:
                    self.added[line.new] = (number, "".join(line.text.split()))
                elif line.new is None and line.old is not None:
                    self.removed[line.old] = (number, "".join(line.text.split()))
                elif line.old is not None and line.new is not None:
                    self._kept[line.old] = line.new

    def at_head(self, line: int) -> int | None:
        """The number at head of a line of base; None when the change removed it."""
        moved = 0
        for first, length, growth in self._spans:
            if line < first:
                break
            if line < first + length:
                return self._kept.get(line)
            moved += growth
        return line + moved


class _Known:
    """What base already had. Each observation of base explains one of head, once."""

    def __init__(self) -> None:
        self._numbers: defaultdict[Hashable, list[int]] = defaultdict(list)
        self._spent: set[int] = set()
        self._next = 0

    def add(self, *keys: Hashable) -> None:
        """One more observation, to be found under any of these keys."""
        for key in keys:
            self._numbers[key].append(self._next)
        self._next += 1

    def explains(self, key: Hashable) -> bool:
        """Whether an observation with this key is left; it is used up."""
        numbers = self._numbers.get(key, [])
        while numbers:
            if (number := numbers.pop()) not in self._spent:
                self._spent.add(number)
                return True
        return False


def line_maps(change: Change) -> dict[str, LineMap]:
    """The maps of all changed files, by path at head."""
    return {file.path: LineMap(file) for file in change.files}


def new_at_head(
    change: Change,
    base: Iterable[Observation[DetailT]],
    head: Sequence[Observation[DetailT]],
    maps: Mapping[str, LineMap],
) -> list[Observation[DetailT]]:
    """The observations of head that base did not have, in the order of `head`.

    An observation of base explains one of head, in this order of preference: the same claim on the
    same line; the same rule on the same untouched line (its wording names something that changed);
    the same claim on the same text, removed in one place and added in another; the same claim in
    another version of the same hunk.
    """
    known = _Known()
    follow: defaultdict[str, list[LineMap]] = defaultdict(list)
    for file in change.files:
        follow[file.old_path or file.path].append(maps[file.path])
    stays = {file.old_path for file in change.files if file.status == "copied"}
    for old in base:
        if not follow[old.path] or old.path in stays:
            known.add(("claim", old.path, old.line, old.claim), ("rule", old.path, old.line, old.rule))
        for lines in follow[old.path]:
            if (line := lines.at_head(old.line)) is not None:
                known.add(("claim", lines.path, line, old.claim), ("rule", lines.path, line, old.rule))
            elif old.line in lines.removed:
                hunk, text = lines.removed[old.line]
                known.add(("text", text, old.claim), ("hunk", lines.path, hunk, old.claim))

    def touched(now: Observation[DetailT]) -> tuple[int, str] | None:
        return maps[now.path].added.get(now.line) if now.path in maps else None

    new = [now for now in head if not known.explains(("claim", now.path, now.line, now.claim))]
    new = [now for now in new if not known.explains(("rule", now.path, now.line, now.rule))]
    new = [
        now for now in new if not ((place := touched(now)) and known.explains(("text", place[1], now.claim)))
    ]
    return [
        now
        for now in new
        if not ((place := touched(now)) and known.explains(("hunk", now.path, place[0], now.claim)))
    ]
