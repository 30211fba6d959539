"""One small edit of a module, as the lines that it replaces: what becomes a hunk of a case."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pytest_moa.code.definitions import FunctionNode, first_line_of, functions_in, qualname_of
from pytest_moa.code.text import Text, lines_of

NodeT = TypeVar("NodeT", bound=ast.AST)

#: Lines of the longest function that is edited, and lines that an edit may replace or put there.
LONGEST_FUNCTION, MOST_LINES = 30, 9


@dataclass(frozen=True, slots=True)
class CodeEdit:
    """Lines `start` to `end` of the old text, counted from 1, become `after`.

    `before` and `after` are whole lines with their ends. An edit that only adds lines has `end` one
    below `start`. `name` is the kind of defect, or of clean edit.
    """

    start: int
    end: int
    before: str
    after: str
    name: str
    what: str  #: for people: what was done


@dataclass(frozen=True, slots=True)
class Place:
    """A function of a module, for those who edit in it."""

    text: Text
    node: FunctionNode
    qualname: str

    def replaced(self, *pieces: tuple[int, int, str]) -> str:
        """The module's source with some pieces (start, end, new text) replaced."""
        source = self.text.source
        for start, end, after in sorted(pieces, reverse=True):
            source = source[:start] + after + source[end:]
        return source


def places_in(source: str) -> Iterator[Place]:
    """The functions of a module that are short enough to be shown whole.

    Raises:
        SyntaxError: the source cannot be parsed.
    """
    text = Text(source)
    for node, around in functions_in(ast.parse(source)):
        if (node.end_lineno or node.lineno) - first_line_of(node) < LONGEST_FUNCTION:
            yield Place(text, node, qualname_of(node.name, around))


def nodes_of(place: Place, kind: type[NodeT]) -> Iterator[NodeT]:
    """The nodes of one kind in the function's body; f-strings have none, their places are not exact."""
    waiting: list[ast.AST] = list(place.node.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, kind):
            yield node
        if not isinstance(node, ast.JoinedStr):
            waiting += ast.iter_child_nodes(node)


def blocks_of(place: Place) -> Iterator[Sequence[ast.stmt]]:
    """The blocks of statements in a function, its own first."""
    for node in [place.node, *nodes_of(place, ast.stmt)]:
        for field in ("body", "orelse", "finalbody"):
            if block := getattr(node, field, None):
                yield block


def edit_of(source: str, new: str, name: str, what: str) -> CodeEdit | None:
    """The edit from one source to the other; None where it is too long, no edit, or no Python."""
    before, after = lines_of(source), lines_of(new)
    first = _common(before, after)
    last = min(_common(before[::-1], after[::-1]), len(before) - first, len(after) - first)
    removed, added = before[first : len(before) - last], after[first : len(after) - last]
    if max(len(removed), len(added)) > MOST_LINES or removed == added:
        return None
    try:
        compile(new, "edited", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return CodeEdit(first + 1, first + len(removed), "".join(removed), "".join(added), name, what)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both begin with."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
