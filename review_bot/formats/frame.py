"""The lines of a change that a finding is about, with those around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from review_bot.change import Change, ChangedFile, DiffLine, Side
    from review_bot.finding import ReportedFinding

#: More lines than this are cut in the middle.
LONGEST = 14


class FrameLine(NamedTuple):
    """One line to show. `number` is on the finding's side; None for a line of the other side, or a cut."""

    number: int | None
    mark: str  #: " ", "+", "-", or "~" where lines were left out
    text: str
    hit: bool  #: the finding is about this line


def frame(change: Change, finding: ReportedFinding, around: int = 2) -> list[FrameLine]:
    """The finding's lines with `around` lines on both sides; nothing when the place is not known."""
    file = _file(change, finding)
    if file is None or finding.line is None:
        return []
    first, last = finding.start_line or finding.line, finding.line
    lines = [
        FrameLine(number, mark, text, number is not None and first <= number <= last)
        for number, mark, text in _numbered(file, finding.side, first, last)
    ]
    hits = [index for index, line in enumerate(lines) if line.hit]
    if not hits:
        return []
    return _cut(lines[max(hits[0] - around, 0) : hits[-1] + around + 1])


def lines_of(change: Change, finding: ReportedFinding) -> list[str] | None:
    """The text of the lines `start_line` to `line`, on the finding's side; None when one is not known."""
    file = _file(change, finding)
    if file is None or finding.line is None:
        return None
    first, last = finding.start_line or finding.line, finding.line
    found = [
        text
        for number, _, text in _numbered(file, finding.side, first, last)
        if number is not None and first <= number <= last
    ]
    return found if len(found) == last - first + 1 else None


def suggested(change: Change, finding: ReportedFinding) -> list[tuple[str, str]]:
    """The finding's suggestion as a diff of its lines: (mark, text), the mark " ", "-" or "+"."""
    old = lines_of(change, finding) or []
    new = (finding.suggestion or "").splitlines()
    marked: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            marked += [(" ", line) for line in old[a:b]]
        else:
            marked += [("-", line) for line in old[a:b]]
            marked += [("+", line) for line in new[c:d]]
    return marked


def _file(change: Change, finding: ReportedFinding) -> ChangedFile | None:
    """The finding's file; a finding on the left may name it as it was called before."""
    file = change.file(finding.path)
    if file is None and finding.side == "LEFT":
        return next((file for file in change.files if file.old_path == finding.path), None)
    return file


def _numbered(file: ChangedFile, side: Side, first: int, last: int) -> Iterator[tuple[int | None, str, str]]:
    """(number on that side, mark, text) from the hunk that has the lines, else from the whole file."""
    for hunk in file.hunks:
        start, length = (
            (hunk.old_start, hunk.old_length) if side == "LEFT" else (hunk.new_start, hunk.new_length)
        )
        if start <= first and last < start + length:
            for line in hunk.lines():
                yield _number(line, side), line.mark, line.text.removesuffix("\r")
            return
    whole = (file.base_text if side == "LEFT" else file.head_text) or ""
    for number, text in enumerate(whole.removesuffix("\n").split("\n"), 1):
        yield number, " ", text.removesuffix("\r")


def _number(line: DiffLine, side: Side) -> int | None:
    return line.old if side == "LEFT" else line.new


def _cut(lines: Sequence[FrameLine]) -> list[FrameLine]:
    if len(lines) <= LONGEST:
        return list(lines)
    head, tail = LONGEST - 5, 4
    left_out = len(lines) - head - tail
    return [*lines[:head], FrameLine(None, "~", f"{left_out} lines", False), *lines[-tail:]]
