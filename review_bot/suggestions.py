"""A reviewer's suggestion as text that can take the place of the quoted lines, or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from review_bot.anchors import Place

_FENCE = re.compile(r"^\s*(```|~~~)")
_NUMBER_OR_MARK = re.compile(r"^\s*\d+\s*[:|]\s?|^[+-]")
_SENTENCE = re.compile(r"[A-Z][a-z]+( [\w`'\",()./-]+){2,}[.:]?")
_PROSE_FILES = {".md", ".rst", ".txt", ".adoc"}


def replacement(suggestion: str, place: Place, quote: str, code: Sequence[str]) -> str | None:
    """The suggestion as text that can replace `code`, the lines at `place`; None if it cannot.

    Fences and diff marks are removed; an indentation that the quote or the suggestion left out is put
    back. Advice in words replaces no code, nor does the code as it is, nor what was written for a
    shortened quote.
    """
    lines = [line for line in suggestion.strip("\n").split("\n") if not _FENCE.match(line)]
    if all(line.startswith(("+", "-")) for line in lines) and any(line.startswith("+") for line in lines):
        lines = [line[1:] for line in lines if not line.startswith("-")]
    if not code or place.side == "LEFT" or not any(line.strip() for line in lines):
        return None
    if PurePosixPath(place.path).suffix not in _PROSE_FILES and all(map(_is_prose, lines)):
        return None
    quoted = [line for line in quote.split("\n") if line.strip() and not _FENCE.match(line)]
    if len(quoted) != sum(1 for line in code if line.strip()):
        return None
    wanted, given = _indent(code[0]), _indent(next(line for line in lines if line.strip()))
    missing = wanted[len(_indent(_NUMBER_OR_MARK.sub("", quoted[0]))) :] if given else wanted
    if missing and len(given) < len(wanted):
        lines = [missing + line if line.strip() else line for line in lines]
    return None if lines == list(code) else "\n".join(lines)


def _is_prose(line: str) -> bool:
    return not line.strip() or (_SENTENCE.fullmatch(line.strip()) is not None and "=" not in line)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
