"""Places in a source text: `ast` counts lines and UTF-8 bytes, edits need characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from io import StringIO
from itertools import accumulate
from typing import Protocol

COMMENT = re.compile(r"#[^\r\n]*")


class Placed(Protocol):
    """A node of `ast` that knows where it is."""

    @property
    def lineno(self) -> int: ...
    @property
    def col_offset(self) -> int: ...
    @property
    def end_lineno(self) -> int | None: ...
    @property
    def end_col_offset(self) -> int | None: ...


def lines_of(source: str) -> list[str]:
    """Its lines as the parser counts them, with their ends: CR, LF or both."""
    return list(StringIO(source, newline=""))


class Text:
    """A source text with its lines, which count from 1."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = lines_of(source)
        self.starts = [0, *accumulate(map(len, self.lines))]

    def index(self, line: int, column: int) -> int:
        """Index into the source; `column` counts characters from 0."""
        return self.starts[line - 1] + column

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of an index: the reverse of `index`."""
        line = bisect_right(self.starts, index, hi=len(self.lines) or 1)
        return line, index - self.starts[line - 1]

    def start(self, node: Placed) -> int:
        """Index of the node's first character."""
        return self._index_of_bytes(node.lineno, node.col_offset)

    def end(self, node: Placed) -> int:
        """Index behind the node's last character."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._index_of_bytes(node.end_lineno, node.end_col_offset)

    def of(self, node: Placed) -> str:
        """The node's text."""
        return self.source[self.start(node) : self.end(node)]

    def without_comments(self, start: int, end: int) -> str:
        """That part, its comments blanked; there must be no string literal in it."""
        part = self.source[start:end]
        return COMMENT.sub(lambda found: " " * len(found[0]), part) if "#" in part else part

    def _index_of_bytes(self, line: int, column: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if not text.isascii():
            column = len(text.encode()[:column].decode())
        return self.starts[line - 1] + column


@lru_cache(maxsize=16)
def text_of(source: str) -> Text:
    """The source's `Text`, kept: a module's source is asked for once a mutant."""
    return Text(source)
