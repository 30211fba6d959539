"""From quoted code to its place: models quote well and count badly, so code finds the line.

Of 546 suggestions by eight models (kodustech/codereviewbench) 509 quote the code verbatim and 31
nearly so, while their line numbers hit in less than half of the cases. A quote that fits nowhere, or
in two places equally well, is about the whole file: a place is never guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice

from review_bot.change import Change, ChangedFile, DiffLine, Side
from review_bot.outline import Outline, is_python, outline

#: Characters and lines of a quote that are looked at.
_LONGEST, _MOST_LINES = 4000, 60

#: Characters, blanks not counted, that a piece of a line needs to stand for the line.
_ENOUGH = 8

#: Characters of a quoted line in which a line is looked for.
_WIDEST = 160

#: Hits that are told apart by their indentation; a line that is more frequent is no place.
_MOST_HITS = 20

_NUMBER = re.compile(r"^(?P<mark>\s*[+-]?)\s*\d+\s*[:|]\s?")
_FENCE = re.compile(r"^\s*(```|~~~)")
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_AROUND_PATH = re.compile(r"^[\s`'\"(]+|[\s`'\")]+$|(:\d+(-\d+)?|#L\d.*)$")
_AS_SHOWN = re.compile(r"^===\s*|\s\((added|modified|deleted|renamed|copied|mode)\b.*\)\s*$")
_DOTS = re.compile(r"^(\.{0,2}/)+")

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a changed file; None for all of it."""

    path: str
    side: Side = "RIGHT"
    start_line: int | None = None
    line: int | None = None


class Anchors:
    """Finds places in one change."""

    def __init__(self, change: Change) -> None:
        self._files = {file.path: _FileIndex(file) for file in change.files}
        self._renamed = {file.old_path: file.path for file in change.files if file.old_path}
        self._located: dict[tuple[str, str], Place | None] = {}

    def locate(self, path: str, quote: str) -> Place | None:
        """The place that a reviewer means; None when not even the file can be told.

        Whole lines come before pieces of lines, and what the change added before what it left as it
        was and what it removed.
        """
        if (path, quote) not in self._located:
            self._located[path, quote] = self._locate(path, quote)
        return self._located[path, quote]

    def _locate(self, path: str, quote: str) -> Place | None:
        files = self._meant(path)
        whole_file = Place(files[0].file.path) if len(files) == 1 else None
        readings = _readings(quote[:_LONGEST])
        for how in (_View.whole_lines, _View.pieces, _View.most_lines, _View.inside):
            for reading in readings:
                if hits := [place for file in files for place in file.find(how, reading)]:
                    return hits[0] if len(hits) == 1 else whole_file
        return whole_file

    def code(self, place: Place) -> list[str]:
        """The lines at a place, as far as the change knows them."""
        index = self._files.get(place.path)
        if index is None or place.start_line is None or place.line is None:
            return []
        known = index.left if place.side == "LEFT" else index.right
        return [known[number] for number in range(place.start_line, place.line + 1) if number in known]

    def at_head(self, place: Place) -> tuple[str, int | None, int | None]:
        """Path and lines of a place as they count at head: removed lines stand where they were removed."""
        index = self._files.get(place.path)
        if place.side == "RIGHT" or index is None or place.start_line is None or place.line is None:
            return place.path, place.start_line, place.line
        moved = index.moved
        return place.path, moved.get(place.start_line, place.start_line), moved.get(place.line, place.line)

    def scope(self, place: Place) -> str:
        """The innermost function or class around a place at head, by its name; "" where that is not known.

        Of Python only: what grammars are installed must not decide what a replay concludes.
        """
        index = self._files.get(place.path)
        if place.side == "LEFT" or index is None or place.start_line is None or place.line is None:
            return ""
        return index.outline.around(place.start_line, place.line)

    def _meant(self, path: str) -> list[_FileIndex]:
        """The files that a path can mean: itself, else those that end like it, else all."""
        shown = _AS_SHOWN.sub("", path.replace("\\", "/"))
        name = _AROUND_PATH.sub("", _AROUND_PATH.sub("", shown))
        bare = _DOTS.sub("", name)
        for known in (path, name, bare, bare.removeprefix("a/"), bare.removeprefix("b/")):
            known = known if known in self._files else self._renamed.get(known, "")
            if known in self._files:
                return [self._files[known]]
        alike = [
            index
            for known, index in self._files.items()
            if bare and (known.endswith(f"/{bare}") or bare.endswith(f"/{known}"))
        ]
        return alike or list(self._files.values())


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a quote: its lines, and on which sides of the change they may stand."""

    lines: tuple[str, ...]
    sides: tuple[Side, ...] = ("RIGHT", "LEFT")

    @property
    def dense(self) -> list[str]:
        return [text for line in self.lines if (text := _dense(line))]


def _readings(quote: str) -> list[_Reading]:
    """As it stands; without the line numbers and diff marks that models copy; the code span in a sentence."""
    lines = [line for line in quote.split("\n") if not _FENCE.match(line)][:_MOST_LINES]
    plain = [_NUMBER.sub(r"\g<mark>", line) for line in lines]
    marks = {line[:1] for line in plain}
    readings = [_Reading(tuple(lines))]
    if plain != lines:
        readings.append(_Reading(tuple(plain)))
    if "+" in marks:
        readings.append(_Reading(tuple(_unmarked(plain, "-")), ("RIGHT",)))
    if "-" in marks:
        readings.append(_Reading(tuple(_unmarked(plain, "+")), ("LEFT",)))
    if len(lines) == 1 and (spans := _CODE_SPAN.findall(quote)):
        readings.append(_Reading((max(spans, key=len),)))
    return readings


def _unmarked(lines: Iterable[str], other_side: str) -> Iterator[str]:
    for line in lines:
        if not line.startswith(other_side):
            yield line[1:] if line.startswith(("+", "-", " ")) else line


def _dense(line: str) -> str:
    return "".join(line.split())


class _FileIndex:
    """The lines of one file, in views that are asked one after the other."""

    def __init__(self, file: ChangedFile) -> None:
        self.file = file

    def find(self, how: Callable[[_View, _Reading], list[Range]], reading: _Reading) -> list[Place]:
        """The hits in the first view that has any."""
        for view in self._views:
            if view.side in reading.sides and (ranges := how(view, reading)):
                return [Place(self.file.path, view.side, start, end) for start, end in ranges]
        return []

    @cached_property
    def _views(self) -> list[_View]:
        hunks = [list(hunk.lines()) for hunk in self.file.hunks]
        views = [
            _View("RIGHT", _stretches(hunks, "+")),
            _View("RIGHT", _stretches(hunks, "+ ")),
            _View("LEFT", _stretches(hunks, "-")),
            _View("LEFT", _stretches(hunks, "- ")),
        ]
        if self.file.head_text:
            views.append(_View("RIGHT", [list(enumerate(_split(self.file.head_text), 1))]))
        return [view for view in views if view.numbers]

    @cached_property
    def outline(self) -> Outline:
        """The definitions at head; none where the text is not known, or not Python."""
        text = self.file.head_text
        return outline(self.file.path, text) if text and is_python(self.file.path) else Outline()

    @cached_property
    def right(self) -> dict[int, str]:
        """Lines at head by number."""
        if self.file.head_text is not None:
            return dict(enumerate(_split(self.file.head_text), 1))
        return {line.new: line.text for hunk in self.file.hunks for line in hunk.lines() if line.new}

    @cached_property
    def left(self) -> dict[int, str]:
        """Lines at base by number."""
        if self.file.base_text is not None:
            return dict(enumerate(_split(self.file.base_text), 1))
        return {line.old: line.text for hunk in self.file.hunks for line in hunk.lines() if line.old}

    @cached_property
    def moved(self) -> dict[int, int]:
        """For lines at base that a hunk shows: the line at head in whose place they stood."""
        found: dict[int, int] = {}
        for hunk in self.file.hunks:
            at = hunk.new_start
            for line in hunk.lines():
                at = at if line.new is None else line.new
                if line.old is not None:
                    found[line.old] = at
        return found


def _split(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n")]


def _stretches(hunks: Iterable[Iterable[DiffLine]], marks: str) -> list[list[tuple[int, str]]]:
    """Unbroken runs, on one side, of the lines with these marks: "+" added, "+ " at head, "-", "- "."""
    left = "-" in marks
    found: list[list[tuple[int, str]]] = []
    for hunk in hunks:
        side = (line for line in hunk if line.mark != ("+" if left else "-"))
        for wanted, lines in groupby(side, key=lambda line: line.mark in marks):
            if wanted:
                found.append([((line.old if left else line.new) or 0, line.text) for line in lines])
    return found


class _View:
    """Numbered lines of one side, as one text without blanks in which quotes are searched.

    Lines stand between newlines, blank lines are left out, and a NUL between stretches keeps a quote
    from reaching from one hunk into the next.
    """

    def __init__(self, side: Side, stretches: Iterable[Iterable[tuple[int, str]]]) -> None:
        self.side = side
        self.numbers: list[int] = []
        self._raw: list[str] = []
        self._dense: list[str] = []
        self._starts: list[int] = []
        self._stretch: list[int] = []
        parts: list[str] = []
        at = 1
        for which, stretch in enumerate(stretches):
            for number, text in stretch:
                if dense := _dense(text):
                    self._stretch.append(which)
                    self.numbers.append(number)
                    self._raw.append(text.rstrip())
                    self._dense.append(dense)
                    self._starts.append(at)
                    parts.append(dense)
                    at += len(dense) + 1
            parts.append("\0")
            at += 2
        self._text = "\n" + "\n".join(parts) + "\n"

    def whole_lines(self, reading: _Reading) -> list[Range]:
        """Where the quote stands line by line; indentation decides between equals."""
        if not reading.dense:
            return []
        hits = self._line_hits(reading.dense)
        if len(hits) > 1:
            wanted = [line.rstrip() for line in reading.lines if line.strip()]
            exact = [(first, last) for first, last in hits if self._raw[first : last + 1] == wanted]
            hits = exact if len(exact) == 1 else hits
        return self._ranges(hits)

    def pieces(self, reading: _Reading) -> list[Range]:
        """Where the quote stands as a part of its lines."""
        needle = "\n".join(reading.dense)
        return self._ranges(self._hits(needle)) if len(needle) >= _ENOUGH else []

    def most_lines(self, reading: _Reading) -> list[Range]:
        """Where most of a longer quote's lines stand, each of them in one place, in order."""
        wanted = [line for line in reading.dense if len(line) >= _ENOUGH]
        if len(wanted) < 2:
            return []
        found = [hits[0][0] for line in wanted if len(hits := self._line_hits([line])) == 1]
        if 2 * len(found) <= len(wanted) or found != sorted(found):
            return []
        first, last = found[0], found[-1]
        if self._stretch[first] != self._stretch[last] or last - first > _MOST_LINES:
            return []
        return self._ranges([(first, last)])

    def inside(self, reading: _Reading) -> list[Range]:
        """The line that makes up most of a quoted line."""
        if len(reading.dense) != 1 or len(quote := reading.dense[0]) > _WIDEST:
            return []
        held: set[int] = set()
        for start in range(len(quote)):  # looking up parts of the quote costs less than trying each line
            for end in range(start + max(_ENOUGH, len(quote) // 2), len(quote) + 1):
                held.update(self._by_text.get(quote[start:end], ()))
        return self._ranges((index, index) for index in sorted(held))

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        """Indices of the lines by their text without blanks."""
        found: dict[str, list[int]] = {}
        for index, line in enumerate(self._dense):
            found.setdefault(line, []).append(index)
        return found

    def _line_hits(self, wanted: list[str]) -> list[Range]:
        """Index ranges of whole lines that say this, up to a number that is no place any more."""
        more = len(wanted) - 1
        hits = (
            (first, first + more)
            for first in self._by_text.get(wanted[0], ())
            if self._dense[first : first + more + 1] == wanted
            and self._stretch[first] == self._stretch[first + more]
        )
        return list(islice(hits, _MOST_HITS))

    def _hits(self, needle: str) -> list[Range]:
        """Index ranges of lines that hold the needle, up to a number that is no place any more."""
        hits: list[Range] = []
        at = self._text.find(needle)
        while at >= 0 and len(hits) < _MOST_HITS:
            first = bisect_right(self._starts, at) - 1
            last = bisect_right(self._starts, at + len(needle) - 1) - 1
            if not hits or hits[-1] != (first, last):
                hits.append((first, last))
            at = self._text.find(needle, at + 1)
        return hits

    def _ranges(self, hits: Iterable[Range]) -> list[Range]:
        return [(self.numbers[first], self.numbers[last]) for first, last in hits]
