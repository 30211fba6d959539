"""What a hunk travels with: the function or class around it, and the file's imports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from review_bot.change import ChangedFile, Hunk
from review_bot.outline import Definition, Outline, outline

#: Characters of context per hunk.
LIMIT = 3_000

_MOST = 4  #: definitions around one hunk

_GAP = "..."
_HUNK = "... (the hunk below)"


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A definition around a hunk. `text` is what of it the hunk itself does not show, shortened.

    `kind` is function, method, class, ...; "heading" for what git printed after @@, without lines (0).
    """

    kind: str
    name: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """The innermost definitions around the changed lines of a hunk, and the file's imports."""

    enclosing: tuple[Enclosing, ...] = ()
    imports: str = ""


def hunk_context(file: ChangedFile, hunk: Hunk, limit: int = LIMIT) -> Context:
    """The context of a hunk at head (at base for a deleted file), at most about `limit` characters.

    Without the file's text, or in a language that cannot be read, it is git's hunk heading.
    """
    at_head = file.head_text is not None
    text = file.head_text if file.head_text is not None else file.base_text
    known = Outline() if text is None else outline(file.path, text)
    around = _innermost(known, _changed(hunk, at_head))
    imports = known.imports[: limit // 3]
    if not around:
        heading = (Enclosing("heading", hunk.heading, 0, 0, ""),) if hunk.heading else ()
        return Context(heading, imports)
    lines = _lines_of(text or "")
    first, length = (hunk.new_start, hunk.new_length) if at_head else (hunk.old_start, hunk.old_length)
    shown = range(first, first + length)
    share = (limit - len(imports)) // len(around)
    return Context(tuple(_enclosing(one, lines, shown, share) for one in around), imports)


def _changed(hunk: Hunk, at_head: bool) -> list[int]:
    """Numbers of the changed lines on one side; for lines that only the other side has, of the line after."""
    mark = "+" if at_head else "-"
    numbers = []
    after = hunk.new_start if at_head else hunk.old_start
    for line in hunk.lines():
        own = line.new if at_head else line.old
        if line.mark == mark or own is None:
            numbers.append(after if own is None else own)
        if own is not None:
            after = own + 1
    return numbers


def _innermost(known: Outline, lines: list[int]) -> list[Definition]:
    found = (known.innermost(line) for line in lines)
    return list(dict.fromkeys(one for one in found if one))[:_MOST]


def _enclosing(found: Definition, lines: list[str], shown: range, limit: int) -> Enclosing:
    """The header first, then the lines nearest to the hunk, until the limit is used up."""
    own = range(found.start, min(found.end, len(lines)) + 1)
    header = range(found.start, min(found.body, own.stop))
    # What is further away cannot be reached: every line before it costs a character at least.
    near = range(max(own.start, shown.start - limit - 1), min(own.stop, shown.stop + limit + 1))
    looked_at = sorted({*header, *near})
    wanted = [number for number in looked_at if number not in shown]
    wanted.sort(
        key=lambda number: (number not in header, min(abs(number - shown.start), abs(number - shown.stop)))
    )
    taken, left = set(), limit
    for number in wanted:
        left -= len(lines[number - 1]) + 1
        if left < 0:
            break
        taken.add(number)
    out: list[str] = []
    for before, number in zip([own.start - 1, *looked_at], [*looked_at, own.stop], strict=True):
        if number > before + 1 and out[-1:] != [_GAP]:
            out.append(_GAP)
        if number == own.stop:
            break
        line = lines[number - 1].rstrip("\r") if number in taken else _HUNK if number in shown else _GAP
        if line not in (_GAP, _HUNK) or out[-1:] != [line]:
            out.append(line)
    text = "\n".join(out) if taken else ""
    return Enclosing(found.kind, found.name, found.start, found.end, text)


@lru_cache(maxsize=4)  # one file's hunks come one after the other
def _lines_of(text: str) -> list[str]:
    return text.split("\n")
