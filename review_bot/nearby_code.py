"""The part of a change that findings are about: hunks, and of a long one the lines around the findings.

What an aggregator is asked grows with the findings of one question, not with the change: a rewritten file is
one hunk, and its first lines say nothing about a finding far below.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from moa_engine.ledger import Item
from review_bot.anchors import Anchors
from review_bot.change import Change, ChangedFile, Hunk
from review_bot.grouping import REACH, body_of, place_of
from review_bot.packing import marked_lines, pack

#: Lines up to which a hunk is shown whole.
_WHOLE = 8 * REACH

#: Lines that are shown before and after a finding in a longer one.
_AROUND = 2 * REACH


class NearbyCode:
    """Finds the code for one question after the other."""

    def __init__(self, change: Change, anchors: Anchors, tokens: Callable[[str], int]) -> None:
        self._change = change
        self._anchors = anchors
        self._tokens = tokens
        self._files = {file.path: file for file in change.files}
        self._order = {path: number for number, path in enumerate(self._files)}
        self._starts: dict[str, list[int]] = {}
        self._long: dict[tuple[str, int], _LongHunk] = {}

    def shown(self, items: Iterable[Item], room: int) -> str:
        """The code that the items are about, as far as it fits into so many tokens."""
        room = max(room, 1)
        # Few lines take less than half a token, and one unit is shown: the lines behind these cannot fit.
        units, _ = pack(self._of(items, 2 * room), self._tokens, room)
        if not units:
            return "(does not fit)"
        return units[0].text.rstrip("\n") + ("\n(the rest does not fit)" if len(units) > 1 else "")

    def _of(self, items: Iterable[Item], most: int) -> Change:
        """The change with what is near the items alone; of a whole file that one is about, `most` lines."""
        wanted: dict[str, list[Item]] = {}
        for item in items:
            wanted.setdefault(body_of(item).path, []).append(item)
        paths = sorted(wanted.keys() & self._files.keys(), key=self._order.__getitem__)
        files = [
            replace(self._files[path], hunks=tuple(self._hunks(self._files[path], wanted[path], most)))
            for path in paths
        ]
        return replace(self._change, files=tuple(files))

    def _hunks(self, file: ChangedFile, items: Iterable[Item], most: int) -> Iterator[Hunk]:
        places = [place_of(body_of(item)) for item in items]
        heads = [self._anchors.at_head(place)[1] for place in places]
        if None in heads:
            yield from self._first(file, most)
            return
        near: dict[int, list[tuple[int, int]]] = {}
        for place, head in zip(places, heads, strict=True):
            if file.hunks and head is not None and place.start_line is not None:
                index = self._nearest(file, head)
                found = near.setdefault(index, [])
                if _lines(file.hunks[index]) > _WHOLE:
                    hunk = self._cut(file, index)
                    found.append(hunk.where(place.side == "LEFT", place.start_line, place.line))
        for index, ranges in sorted(near.items()):
            if ranges:
                yield from self._cut(file, index).around(ranges)
            else:
                yield file.hunks[index]

    def _first(self, file: ChangedFile, most: int) -> Iterator[Hunk]:
        left = most
        for index, hunk in enumerate(file.hunks):
            if left <= 0:
                return
            yield hunk if _lines(hunk) <= left else self._cut(file, index).part(0, left)
            left -= _lines(hunk)

    def _nearest(self, file: ChangedFile, line: int) -> int:
        """The hunk nearest to a line at head; the first of equals."""
        if file.path not in self._starts:
            self._starts[file.path] = [hunk.new_start for hunk in file.hunks]
        after = bisect_right(self._starts[file.path], line)
        candidates = range(max(after - 1, 0), min(after + 1, len(file.hunks)))
        return min(candidates, key=lambda index: _distance(file.hunks[index], line))

    def _cut(self, file: ChangedFile, index: int) -> _LongHunk:
        if (file.path, index) not in self._long:
            self._long[file.path, index] = _LongHunk.of(file.hunks[index])
        return self._long[file.path, index]


@dataclass(frozen=True, slots=True)
class _LongHunk:
    """A hunk by its lines. `old` and `new` are each line's number; where a side lacks it, the next one's."""

    hunk: Hunk
    lines: tuple[str, ...]
    old: list[int]
    new: list[int]

    @classmethod
    def of(cls, hunk: Hunk) -> _LongHunk:
        lines = marked_lines(hunk)
        first_old, first_new = hunk.old_start + (not hunk.old_length), hunk.new_start + (not hunk.new_length)
        return cls(
            hunk,
            lines,
            list(accumulate((line[0] != "+" for line in lines), initial=first_old)),
            list(accumulate((line[0] != "-" for line in lines), initial=first_new)),
        )

    def where(self, left: bool, first: int, last: int | None) -> tuple[int, int]:
        """Indices of some numbered lines of one side, or of those nearest to them."""
        numbers = self.old if left else self.new
        start = bisect_right(numbers, first, hi=len(self.lines)) - 1
        stop = bisect_right(numbers, first if last is None else last, hi=len(self.lines))
        return max(start, 0), max(stop, 1)

    def around(self, ranges: Sequence[tuple[int, int]]) -> list[Hunk]:
        """The lines around the ranges; ranges that are near each other make one hunk."""
        stretches: list[list[int]] = []
        for first, stop in sorted(ranges):
            begin, end = max(first - _AROUND, 0), min(stop + _AROUND, len(self.lines))
            if stretches and begin <= stretches[-1][1]:
                stretches[-1][1] = max(stretches[-1][1], end)
            else:
                stretches.append([begin, end])
        return [self.part(begin, end) for begin, end in stretches]

    def part(self, begin: int, end: int) -> Hunk:
        """Some of the lines as a hunk of their own."""
        end = min(end, len(self.lines))
        old, new = self.old[end] - self.old[begin], self.new[end] - self.new[begin]
        return replace(
            self.hunk,
            old_start=self.old[begin] - (not old),
            old_length=old,
            new_start=self.new[begin] - (not new),
            new_length=new,
            body="".join(self.lines[begin:end]),
        )


def _lines(hunk: Hunk) -> int:
    """About how many lines a hunk has: at least as many as it really has."""
    return hunk.old_length + hunk.new_length


def _distance(hunk: Hunk, line: int) -> int:
    return max(hunk.new_start - line, line - hunk.new_start - hunk.new_length, 0)
