"""Programs at the edges of what code treats alike: one argument is empty, or a constant of both versions.

A number is exchanged for each of the code's, n, and for n-1 and n+1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_moa.proof.reducing import replaced

#: Numbers of one program that are exchanged, one at a time.
MOST_PLACES = 6
#: Numbers that are put there.
MOST_EDGES = 60


def edges_of(constants: Sequence[Any]) -> list[int | float]:
    """The numbers among constants, then their neighbours, each once."""
    numbers = [one for one in constants if type(one) in (int, float)]
    near = [one + step for one in numbers if type(one) is int for step in (-1, 1)]
    return list(dict.fromkeys([*numbers, *near]))[:MOST_EDGES]


def at_edges(source: str, edges: Sequence[int | float]) -> Iterator[str]:
    """The program with one argument empty, then with one of its numbers exchanged.

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


def _full(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """Arguments that have something in them, and what they are without."""
    for one in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(one, ast.Constant) and isinstance(one.value, str | bytes) and one.value:
            yield one, repr(type(one.value)())
        elif isinstance(one, ast.List | ast.Tuple) and one.elts:
            yield one, "[]" if isinstance(one, ast.List) else "()"
        elif isinstance(one, ast.Dict) and one.keys:
            yield one, "{}"
        elif isinstance(one, ast.Set):
            yield one, "set()"


def _numbers(call: ast.Call) -> Iterator[ast.expr]:
    for one in (*call.args, *(keyword.value for keyword in call.keywords)):
        inner = one.operand if isinstance(one, ast.UnaryOp) else one
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
            yield one
