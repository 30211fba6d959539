"""Places in a source text: `ast` counts lines and UTF-8 bytes, edits need characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from io import StringIO
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


class Text:
    """A source text with its lines as the parser counts them (from 1, ended by CR, LF or both)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = list(StringIO(source, newline=""))
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

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
