"""Packing a change into units that fit into a member's context window.

A unit's text, made for models::

    === src/shop/cart.py (modified)
    imports:
    | import decimal
    in method Cart.total, lines 10 to 60:
    | def total(self):
    | ... (the hunk below)
    @@ -31,7 +31,8 @@ class Cart
     unchanged line
    -removed line
    +added line

Only the first column tells what a line is, so no line of a file can pass for a header. There are no line
numbers: reviewers quote lines and code finds them, and numbers would cost a token or two per line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.context import LIMIT, Context, hunk_context

_GAP = "\n| ...\n"  #: in a context that does not show all of a definition

_SHORTEST = 20  #: characters; a line is not cut below that

_TEST = re.compile(r"^tests?[_-]|[_.-](tests?|spec)$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of one hunk, counted from 0 without end; all of them unless the hunk had to be split.

    `hunk` is the hunk's place in its file, None for a file without hunks (a rename, a mode).
    """

    path: str
    hunk: int | None
    first: int = 0
    stop: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """What one question shows. `name` is "" when the whole change fits into one unit."""

    name: str
    text: str
    files: tuple[str, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class _Block:
    piece: Piece
    header: str  #: printed once per file and unit
    context: str
    around: str  #: what the context is about; it is not printed again for the block after it
    lines: tuple[str, ...] = ()  #: marked lines with their ends
    old: int = 0  #: number of the first line, or of the line before where the side has none
    new: int = 0
    heading: str = ""

    def body(self) -> str:
        """The @@ line and the lines. A side without lines names the line before it, as in every diff."""
        if not self.lines:
            return ""
        old, new = _lengths(self.lines)
        places = f"-{self.old - (not old)},{old} +{self.new - (not new)},{new}"
        return f"@@ {places} @@{self.heading}\n" + "".join(self.lines)


def pack(
    change: Change, tokens_of: Callable[[str], int], window: int
) -> tuple[list[Unit], list[NotReviewed]]:
    """Units of at most `window` tokens each, and what could not be shown (in full).

    Every hunk is in exactly one unit, in the same order on every run: by path, tests after what they
    test. What does not fit alone loses its context, then is split by lines; a line that is too long even
    so is cut.
    """
    waiting = deque(_blocks(change.files, min(LIMIT, window)))
    parts: list[tuple[str, list[_Block]]] = []
    not_shown: list[NotReviewed] = []
    while waiting:
        taken = _take(waiting, tokens_of, window)
        text = _render(taken)
        while len(taken) > 1 and tokens_of(text) > window:
            waiting.appendleft(taken.pop())
            text = _render(taken)
        if tokens_of(text) <= window:
            parts.append((text, taken))
        else:
            smaller, lost = _shrink(taken[0], tokens_of, window)
            waiting.extendleft(reversed(smaller))
            not_shown += lost
    return [_unit(number, len(parts), *part) for number, part in enumerate(parts, 1)], not_shown


def _unit(number: int, of: int, text: str, blocks: Sequence[_Block]) -> Unit:
    files = dict.fromkeys(block.piece.path for block in blocks)
    name = f"part {number} of {of}" if of > 1 else ""
    return Unit(name, text, tuple(files), tuple(block.piece for block in blocks))


def _take(waiting: deque[_Block], tokens_of: Callable[[str], int], window: int) -> list[_Block]:
    """The next blocks whose tokens, counted one by one, fit; at least one."""
    taken: list[_Block] = []
    used = 0
    while waiting:
        block = waiting[0]
        header = "" if taken and taken[-1].header == block.header else block.header
        used += (
            tokens_of(header + block.context + block.body()) + 1
        )  # counts are rounded, their sum may fall short
        if taken and used > window:
            break
        taken.append(waiting.popleft())
    return taken


def _render(blocks: Iterable[_Block]) -> str:
    out = []
    header = context = ""
    for block in blocks:
        if block.header != header:
            out.append(block.header)
            header, context = block.header, ""
        if block.around != context:
            out.append(block.context)
            context = block.around
        out.append(block.body())
    return "".join(out)


def _shrink(
    block: _Block, tokens_of: Callable[[str], int], window: int
) -> tuple[list[_Block], list[NotReviewed]]:
    """Smaller blocks in place of one that does not fit alone, and what is lost by that."""
    path = block.piece.path
    title = block.header.split("\n", 1)[0] + "\n"
    if block.context or block.header != title:
        return [replace(block, header=title, context="", around="")], []
    if len(block.lines) > 1:
        middle = len(block.lines) // 2
        return [_slice(block, 0, middle), _slice(block, middle, len(block.lines))], []
    line = block.lines[0] if block.lines else ""
    room = window - tokens_of(title + replace(block, lines=(line[:1],)).body())
    keep = len(line)
    while keep > _SHORTEST and tokens_of(line[:keep]) + 2 > room:
        keep //= 2
    if keep <= _SHORTEST:
        return [], [NotReviewed(path, f"a part does not fit into a context window of {window:,} tokens")]
    lost = NotReviewed(
        path, f"a line of {len(line):,} characters was cut after {keep:,}: it fits no context window"
    )
    return [replace(block, lines=(line[:keep] + "\n",))], [lost]


def _slice(block: _Block, first: int, stop: int) -> _Block:
    start = block.piece.first
    piece = replace(block.piece, first=start + first, stop=start + stop)
    old, new = _lengths(block.lines[:first])
    return replace(
        block, piece=piece, lines=block.lines[first:stop], old=block.old + old, new=block.new + new
    )


def _lengths(lines: Sequence[str]) -> tuple[int, int]:
    """How many of the lines exist at base and at head."""
    return sum(line[0] != "+" for line in lines), sum(line[0] != "-" for line in lines)


def _blocks(files: Iterable[ChangedFile], limit: int) -> Iterator[_Block]:
    for file in in_order(files):
        if not file.hunks:
            yield _Block(Piece(file.path, None), _header(file, ""), "", "")
        for index, hunk in enumerate(file.hunks):
            known = hunk_context(file, hunk, limit)
            lines = marked_lines(hunk)
            context = _context(known)
            yield _Block(
                Piece(file.path, index, 0, len(lines)),
                _header(file, known.imports),
                context,
                context
                if _GAP in context
                else " ".join(f"{one.name}:{one.start}" for one in known.enclosing),
                lines,
                hunk.old_start + (not hunk.old_length),
                hunk.new_start + (not hunk.new_length),
                f" {_one_line(hunk.heading)}" if hunk.heading else "",
            )


def in_order(files: Iterable[ChangedFile]) -> list[ChangedFile]:
    """The files by path; a test comes right after the one file that it is named after."""
    ordered = sorted(files, key=lambda file: file.path)
    named: dict[str, list[str]] = {}
    for file in ordered:
        if not _tested(file.path):
            named.setdefault(PurePosixPath(file.path).stem, []).append(file.path)

    def key(file: ChangedFile) -> tuple[str, bool, str]:
        tested = named.get(_tested(file.path), [])
        return (tested[0], True, file.path) if len(tested) == 1 else (file.path, False, file.path)

    return sorted(ordered, key=key)


def _tested(path: str) -> str:
    """The stem of the file that a test is named after, "" for other files."""
    stem = PurePosixPath(path).stem
    return _TEST.sub("", stem) if _TEST.search(stem) else ""


def _header(file: ChangedFile, imports: str) -> str:
    about: list[str] = [file.status]
    if file.old_path not in (None, file.path):
        about[0] += f" from {_one_line(file.old_path or '')}"
    if file.old_mode and file.new_mode and file.old_mode != file.new_mode:
        about.append(f"mode {file.old_mode} to {file.new_mode}")
    header = f"=== {_one_line(file.path)} ({', '.join(about)})\n"
    return header + ("imports:\n" + _quoted(imports) if imports else "")


def _context(known: Context) -> str:
    out = ""
    for one in known.enclosing:
        if one.kind != "heading":  # a heading stands after @@ anyway
            out += (
                f"in {one.kind} {_one_line(one.name)}, lines {one.start} to {one.end}:\n{_quoted(one.text)}"
            )
    return out


def _quoted(text: str) -> str:
    return "".join(f"| {line}\n" for line in text.split("\n")) if text else ""


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def marked_lines(hunk: Hunk) -> tuple[str, ...]:
    """The lines of a hunk; "\\ No newline" stays with the line before it."""
    lines: list[str] = []
    for line in hunk.body.split("\n")[:-1]:
        if line.startswith("\\"):
            lines[-1:] = ["".join(lines[-1:]) + line + "\n"] if lines else []
        else:
            lines.append(line + "\n")
    return tuple(lines)
