"""Programs at the edges of what code treats alike: one argument is empty, or a constant of both versions.

A number is exchanged for each of the code's, n, and for n-1 and n+1; a text, or a part of one, for each
that the versions' patterns do not treat alike; a key becomes a path.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pytest_moa.proof.reducing import replaced

#: Numbers of one program that are exchanged, one at a time.
MOST_PLACES = 6
#: Numbers that are put there.
MOST_EDGES = 60
#: Texts of one program that are exchanged, and parts of one of them.
MOST_TEXTS, MOST_PARTS = 4, 5
#: Keys of one program that become paths, and what makes one of them.
MOST_KEYS, PATH = 4, ".x"
#: What a text is made of, such as a host and a port.
_PART = re.compile(r"[^\s/:@?#&=,;<>()\[\]{}\"']+")


def edges_of(constants: Sequence[Any]) -> list[int | float]:
    """The numbers among constants, then their neighbours, each once."""
    numbers = [one for one in constants if type(one) in (int, float)]
    near = [one + step for one in numbers if type(one) is int for step in (-1, 1)]
    return list(dict.fromkeys([*numbers, *near]))[:MOST_EDGES]


def at_edges(source: str, edges: Sequence[int | float], texts: Sequence[str] = ()) -> Iterator[str]:
    """The program with one argument empty, with one of its numbers or texts exchanged, or another key.

    They may also be of what an argument is made from.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    full = [(one, empty) for call in calls for one, empty in _full(call)]
    for node, empty in full[:MOST_PLACES]:
        yield replaced(source, node, empty)
    places = [one for call in calls for one in _numbers(call)]
    for node in places[:MOST_PLACES]:
        for edge in edges:
            if ast.unparse(node) != repr(edge):
                yield replaced(source, node, repr(edge))
    for one, old in [one for call in calls for one in texts_of(_given(call))][:MOST_TEXTS]:
        for changed in dict.fromkeys(made for text in texts for made in _exchanged(old, text)):
            yield replaced(source, one, repr(changed))
    dicts = [one for call in calls for one in _given(call) if isinstance(one, ast.Dict)]
    for key, name in [one for given in dicts for one in texts_of(given.keys)][:MOST_KEYS]:
        yield replaced(source, key, repr(name + PATH))


def _exchanged(old: str, new: str) -> Iterator[str]:
    """The new text, and the old one with a part exchanged for it."""
    yield new
    for match in list(_PART.finditer(old))[:MOST_PARTS]:
        if match.group() != old:
            yield old[: match.start()] + new + old[match.end() :]


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from (*call.args, *(keyword.value for keyword in call.keywords))


def texts_of(expressions: Iterable[ast.expr | None]) -> Iterator[tuple[ast.expr, str]]:
    """The texts among expressions, and what they are."""
    for one in expressions:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one, one.value


def _full(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """Arguments that have something in them, and what they are without."""
    for one in _given(call):
        if isinstance(one, ast.Constant) and isinstance(one.value, str | bytes) and one.value:
            yield one, repr(type(one.value)())
        elif isinstance(one, ast.List | ast.Tuple) and one.elts:
            yield one, "[]" if isinstance(one, ast.List) else "()"
        elif isinstance(one, ast.Dict) and one.keys:
            yield one, "{}"
        elif isinstance(one, ast.Set):
            yield one, "set()"


def _numbers(call: ast.Call) -> Iterator[ast.expr]:
    for one in _given(call):
        inner = one.operand if isinstance(one, ast.UnaryOp) else one
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
            yield one
