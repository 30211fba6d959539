"""Programs at the edges that the constants of both versions draw: a number is exchanged for n, n-1, n+1."""

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
    """The program with one of its numbers exchanged: of an argument, or of what an argument is made from."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    places = [one for call in ast.walk(tree) if isinstance(call, ast.Call) for one in _numbers(call)]
    for node in places[:MOST_PLACES]:
        for edge in edges:
            if ast.unparse(node) != repr(edge):
                yield replaced(source, node, repr(edge))


def _numbers(call: ast.Call) -> Iterator[ast.expr]:
    for one in (*call.args, *(keyword.value for keyword in call.keywords)):
        inner = one.operand if isinstance(one, ast.UnaryOp) else one
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
            yield one
