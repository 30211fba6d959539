"""Smaller and more natural programs to try in the place of one."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence

from pytest_moa.proof.snippet import Snippet
from pytest_moa.search.neighbours import simpler
from pytest_moa.values import Expression

#: Programs that one round of shrinking tries.
MOST = 160


def reductions(source: str) -> list[str]:
    """Programs that say less than this one, each by one step; the biggest steps first."""
    tree = ast.parse(source)
    found = dict.fromkeys([*_fewer_statements(tree), *_fewer_arguments(tree), *_simpler_literals(tree)])
    found.pop(source, None)
    return list(found)[:MOST]


def reduced(
    snippet: Snippet, first: Callable[[Sequence[Snippet]], Snippet | None], over: Callable[[], bool]
) -> Snippet:
    """A smaller program; `first` gives the first of some that still shows what it should, None for none."""
    best = snippet
    while not over():
        tried = [best.with_source(source) for source in reductions(best.source)]
        tried = sorted((one for one in tried if one.cost < best.cost), key=lambda one: one.cost)
        better = first(tried) if tried else None
        if better is None:
            break
        best = better
    return best


def _fewer_statements(tree: ast.Module) -> Iterator[str]:
    count = len(tree.body)
    for index in range(count // 2, 0, -1):
        if index > 1:
            yield _unparsed(tree.body[index:])
    for index in range(count - 1):
        yield _unparsed([*tree.body[:index], *tree.body[index + 1 :]])
    for index in range(count - 1, 0, -1):
        yield _unparsed(tree.body[:index])
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Assert):
            looked_at = node.test.left if isinstance(node.test, ast.Compare) else node.test
            yield _unparsed([*tree.body[:index], ast.Expr(looked_at), *tree.body[index + 1 :]])
        for block in ("body", "orelse", "finalbody"):
            inner = getattr(node, block, None)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not inner:
                continue
            yield _unparsed([*tree.body[:index], *inner, *tree.body[index + 1 :]])
            for at in range(len(inner)):
                if len(inner) > 1:
                    smaller = copy.deepcopy(node)
                    del getattr(smaller, block)[at]
                    yield _unparsed([*tree.body[:index], smaller, *tree.body[index + 1 :]])


def _unparsed(body: list[ast.stmt]) -> str:
    return "\n".join(map(ast.unparse, body))


def _edits(tree: ast.Module, kind: type[ast.AST]) -> Iterator[tuple[int, ast.AST]]:
    yield from ((index, node) for index, node in enumerate(ast.walk(tree)) if isinstance(node, kind))


def _fewer_arguments(tree: ast.Module) -> Iterator[str]:
    for index, node in _edits(tree, ast.Call):
        assert isinstance(node, ast.Call)
        for at in range(len(node.keywords)):
            changed = copy.deepcopy(tree)
            del _nth(changed, index).keywords[at]
            yield ast.unparse(changed)
        if node.args:
            changed = copy.deepcopy(tree)
            del _nth(changed, index).args[-1]
            yield ast.unparse(changed)


def _nth(tree: ast.AST, index: int) -> ast.Call:
    for number, node in enumerate(ast.walk(tree)):
        if number == index:
            assert isinstance(node, ast.Call)
            return node
    raise IndexError(index)


def literals(tree: ast.AST) -> Iterator[ast.expr]:
    """The biggest expressions that are literals; not docstrings or keys of formatted text."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.JoinedStr | ast.pattern):
            continue
        if isinstance(node, ast.expr) and _is_literal(node):
            yield node
            continue
        waiting.extend(ast.iter_child_nodes(node))


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def replaced(source: str, old: ast.expr, new: str) -> str:
    """The source with one expression exchanged, everything else as it was written."""
    lines = source.encode().split(b"\n")
    assert old.end_lineno is not None
    assert old.end_col_offset is not None
    before = lines[old.lineno - 1][: old.col_offset]
    after = lines[old.end_lineno - 1][old.end_col_offset :]
    middle = before + new.encode() + after
    return b"\n".join([*lines[: old.lineno - 1], middle, *lines[old.end_lineno :]]).decode()


def _simpler_literals(tree: ast.Module) -> Iterator[str]:
    source = ast.unparse(tree)
    for node in literals(ast.parse(source)):
        written = ast.unparse(node)
        for one in simpler(Expression(written))[:24]:
            yield replaced(source, node, one.source)
