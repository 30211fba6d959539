"""Private keys in a text: blocks of base64 lines, whole or cut off by the edge of a hunk.

RFC 7468 (PEM), RFC 9580 (OpenPGP), RFC 4716 (SSH2) and PuTTY's format. Lines may carry the marks of
a diff, quotes and escapes of source code around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BEGIN = re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-Lines: \d{1,4}")
_END = re.compile(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-MAC: ")
_BODY = re.compile(
    r"[+ -]?\s{0,80}[rbf]?['\"`]{0,3}((?:[A-Za-z0-9+/=]{1,200})?)(?:\\[nr]){0,2}['\"`]{0,3}[\s,;+\\)]{0,20}"
)
_HEADER = re.compile(
    r"[+ -]?\s{0,80}['\"]?(?:Proc-Type|DEK-Info|Version|Comment|Subject|x-[\w-]{1,40}): .{0,200}"
)
_INLINE = re.compile(r"[A-Za-z0-9+/=\\]{16,}")
_LONGEST_KEY = 400  #: lines
_LONG_LINE = 40  #: base64 characters that are no word

Span = tuple[int, int, int]  #: line, start, end


def private_keys(lines: Sequence[str]) -> Iterator[list[Span]]:
    """The base64 parts of each private key: one list of spans per key."""
    line = 0
    while line < len(lines):
        begin, end = _BEGIN.search(lines[line]), _END.search(lines[line])
        if begin is not None:
            spans, line = _from(lines, line, begin.end())
        elif end is not None:
            spans, line = _before(lines, line), line + 1
        else:
            line += 1
            continue
        if spans:
            yield spans


def _from(lines: Sequence[str], first: int, column: int) -> tuple[list[Span], int]:
    """The key that begins on line `first`, and the line to go on with."""
    end = _END.search(lines[first], column)
    inline = [
        (first, *match.span())
        for match in _INLINE.finditer(lines[first], column, end.start() if end else len(lines[first]))
    ]
    if end is not None:
        return inline, first + 1
    whole: list[Span] = []
    for line in range(first + 1, min(len(lines), first + _LONGEST_KEY)):
        text = lines[line]
        if (end := _END.search(text)) is not None:
            return [*inline, *whole], line + 1
        if (body := _BODY.fullmatch(text)) is not None:
            if body[1]:
                whole.append((line, *body.span(1)))
        elif not _HEADER.fullmatch(text):
            break
    return [*inline, *_after(lines, first + 1)], first + 1  # no end in sight: what is surely base64


def _after(lines: Sequence[str], first: int) -> list[Span]:
    """Consecutive long base64 lines from `first` on, and the shorter one that ends them."""
    spans: list[Span] = []
    for line in range(first, min(len(lines), first + _LONGEST_KEY)):
        if (body := _BODY.fullmatch(lines[line])) is None or not body[1]:
            break
        spans.append((line, *body.span(1)))
        if len(body[1]) < _LONG_LINE:
            break
    return _surely(spans)


def _before(lines: Sequence[str], end: int) -> list[Span]:
    """Consecutive long base64 lines before line `end`, of which the last may be shorter."""
    spans: list[Span] = []
    for line in range(end - 1, max(-1, end - _LONGEST_KEY), -1):
        if (body := _BODY.fullmatch(lines[line])) is None or not body[1]:
            break
        if spans and len(body[1]) < _LONG_LINE:
            break
        spans.append((line, *body.span(1)))
    return _surely(spans[::-1])


def _surely(spans: list[Span]) -> list[Span]:
    return spans if any(end - start >= _LONG_LINE for _, start, end in spans) else []
