"""Calls as models write them down: statements in a row, each an entry of its own, and results printed."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def calls_in(entries: Sequence[str]) -> list[str]:
    """Sources that each end with a call to look at, once each, with the earlier entries that they need.

    What is no Python, and what calls nothing, is left out.
    """
    earlier: list[ast.stmt] = []
    found: list[str] = []
    for entry in entries:
        try:
            *before, last = ast.parse(entry).body
        except (SyntaxError, ValueError):  # ValueError: it is empty
            continue
        looked_at = last.value if isinstance(last, ast.Expr | ast.Assign | ast.AnnAssign) else None
        if looked_at is not None and _calls(unprinted := _unprinted(looked_at), before):
            needed = _needed(earlier, [*before, ast.Expr(unprinted)])
            found.append("\n".join(map(ast.unparse, [*needed, *before, ast.Expr(unprinted)])))
        earlier += [*before, *([] if isinstance(last, ast.Expr) else [last])]
    return list(dict.fromkeys(found))


def _unprinted(value: ast.expr) -> ast.expr:
    match value:
        case ast.Call(func=ast.Name("print"), args=[only], keywords=[]):
            return only
    return value


def _calls(value: ast.expr, before: Sequence[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Call) for node in (value, *before) for part in ast.walk(node))


def _needed(earlier: Sequence[ast.stmt], statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The assignments before that these statements read, and those that they read."""
    wanted = _names(statements, ast.Load)
    kept: list[ast.stmt] = []
    for one in reversed(earlier):
        if isinstance(one, ast.Assign | ast.AnnAssign) and _names([one], ast.Store) & wanted:
            kept.insert(0, one)
            wanted |= _names([one], ast.Load)
    return kept


def _names(statements: Sequence[ast.stmt], context: type[ast.expr_context]) -> set[str]:
    return {
        part.id
        for one in statements
        for part in ast.walk(one)
        if isinstance(part, ast.Name) and isinstance(part.ctx, context)
    }
