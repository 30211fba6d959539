"""The lines of a change that a finding is about, with those around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from review_bot.change import Change, ChangedFile, Side
    from review_bot.finding import ReportedFinding

#: More lines than this are cut in the middle.
LONGEST = 14

#: Lines shown before and after those that a finding is about.
AROUND = 2


class FrameLine(NamedTuple):
    """One line to show. `number` is on the finding's side; None for a line of the other side, or a cut."""

    number: int | None
    mark: str  #: " ", "+", "-", or "~" where lines were left out
    text: str
    hit: bool  #: the finding is about this line


class _Line(NamedTuple):
    number: int | None
    mark: str
    text: str


class _Stretch:
    """Lines that follow each other: a hunk, or a whole file."""

    def __init__(self, lines: Iterable[_Line]) -> None:
        self.lines = list(lines)
        self.index = {line.number: at for at, line in enumerate(self.lines) if line.number is not None}


class Frames:
    """Looks up the lines of findings in one change. Each hunk and file is taken apart once."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self._hunks: dict[tuple[str, Side], list[_Stretch]] = {}
        self._whole: dict[tuple[str, Side], _Stretch] = {}

    def frame(self, finding: ReportedFinding) -> list[FrameLine]:
        """The finding's lines with some around them; nothing when the place is not known."""
        place = self._place(finding)
        if place is None:
            return []
        stretch, first, last = place
        start = max(stretch.index[first] - AROUND, 0)
        shown = stretch.lines[start : stretch.index[last] + AROUND + 1]
        lines = [
            FrameLine(*line, hit=line.number is not None and first <= line.number <= last) for line in shown
        ]
        return _cut(lines)

    def lines(self, finding: ReportedFinding) -> list[str] | None:
        """The text of the lines `start_line` to `line`, on the finding's side; None when not known."""
        place = self._place(finding)
        if place is None:
            return None
        stretch, first, last = place
        return [stretch.lines[stretch.index[number]].text for number in range(first, last + 1)]

    def suggested(self, finding: ReportedFinding) -> list[tuple[str, str]]:
        """The finding's suggestion as a diff of its lines: (mark, text), the mark " ", "-" or "+"."""
        old = self.lines(finding) or []
        new = (finding.suggestion or "").splitlines()
        marked: list[tuple[str, str]] = []
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "equal":
                marked += [(" ", line) for line in old[a:b]]
            else:
                marked += [("-", line) for line in old[a:b]]
                marked += [("+", line) for line in new[c:d]]
        return marked

    def _place(self, finding: ReportedFinding) -> tuple[_Stretch, int, int] | None:
        """The hunk that has all of the finding's lines, else the whole file; and the lines' numbers."""
        file = self._file(finding)
        if file is None or finding.line is None:
            return None
        first, last = finding.start_line or finding.line, finding.line
        key = (file.path, finding.side)
        if key not in self._hunks:
            self._hunks[key] = _hunks(file, finding.side)
        for hunk in self._hunks[key]:
            if first in hunk.index and last in hunk.index:
                return hunk, first, last
        if key not in self._whole:
            self._whole[key] = _whole(file, finding.side)
        whole = self._whole[key]
        return (whole, first, last) if first in whole.index and last in whole.index else None

    def _file(self, finding: ReportedFinding) -> ChangedFile | None:
        """The finding's file; a finding on the left may name it as it was called before."""
        file = self.change.file(finding.path)
        if file is None and finding.side == "LEFT":
            return next((file for file in self.change.files if file.old_path == finding.path), None)
        return file


def _hunks(file: ChangedFile, side: Side) -> list[_Stretch]:
    return [
        _Stretch(
            _Line(line.old if side == "LEFT" else line.new, line.mark, line.text.removesuffix("\r"))
            for line in hunk.lines()
        )
        for hunk in file.hunks
    ]


def _whole(file: ChangedFile, side: Side) -> _Stretch:
    text = file.base_text if side == "LEFT" else file.head_text
    if text is None:
        return _Stretch(())
    lines = text.removesuffix("\n").split("\n")
    return _Stretch(_Line(number, " ", line.removesuffix("\r")) for number, line in enumerate(lines, 1))


def _cut(lines: Sequence[FrameLine]) -> list[FrameLine]:
    if len(lines) <= LONGEST:
        return list(lines)
    head, tail = LONGEST - 5, 4
    left_out = len(lines) - head - tail
    return [*lines[:head], FrameLine(None, "~", f"{left_out} lines", False), *lines[-tail:]]
