"""Suggestions that anybody can commit with a click: only those that were seen to apply to head."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence

from moa_engine.printable import printable
from review_bot.change import ChangedFile

#: Characters of a suggestion, and of a Python file that is parsed to see what one does to it.
_LONGEST, _PARSED = 8_000, 300_000

_MASK = "<masked:"


def committable(suggestion: str, file: ChangedFile, start: int, line: int, shown: Sequence[str]) -> bool:
    """Whether these lines at head can be replaced by the suggestion ("" deletes them), and it changes them.

    `shown` are the lines as the diff has them. Refused is what would be committed in another form than it
    is read in (hidden characters, other line ends), what holds a masked secret, and what makes a
    Python file that could be parsed one that cannot.
    """
    if file.head_text is None or file.new_mode in ("120000", "160000"):
        return False
    lines = file.head_text.split("\n")
    replaced = lines[start - 1 : line]
    new = suggestion.removesuffix("\n").split("\n") if suggestion else []
    if list(shown) != replaced or len(replaced) != line - start + 1 or new == replaced:
        return False
    texts = (suggestion, *replaced)
    if len(suggestion) > _LONGEST or any(_MASK in text or "\r" in text for text in texts):
        return False
    if printable(suggestion) != suggestion or "\r" in file.head_text:
        return False
    applied = "\n".join([*lines[: start - 1], *new, *lines[line:]])
    return not file.path.endswith((".py", ".pyi")) or not _parses(file.head_text) or _parses(applied)


def _parses(text: str) -> bool:
    """Whether Python reads it; of what is very large, that is taken for granted."""
    if len(text) > _PARSED:
        return True
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
