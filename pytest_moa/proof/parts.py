"""Parts of programs that amplifying changes: calls, their arguments, and other values."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pytest_moa.proof.reducing import literals

_Node = TypeVar("_Node", bound=ast.expr)


def with_keyword(tree: ast.AST, node: ast.Call, name: str, value: str) -> str:
    """The program with a value under a keyword of one of its calls."""
    before = list(node.keywords)
    node.keywords = [one for one in before if one.arg != name]
    node.keywords.append(ast.keyword(name, ast.parse(value, mode="eval").body))
    made = ast.unparse(tree)
    node.keywords = before
    return made


def as_text(value: Any) -> str:
    """A text or bytes as text; "" for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def that_matter(found: Iterable[_Node], tree: ast.AST) -> list[_Node]:
    """Expressions without those that only say what an assertion expects."""
    expected = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)
        for side in (node.test.left, *node.test.comparators)
        if not any(isinstance(one, ast.Call | ast.Name | ast.Await) for one in ast.walk(side))
        for part in ast.walk(side)
    }
    return [one for one in found if id(one) not in expected]


def near_words(tree: ast.AST, words: frozenset[str]) -> set[int]:
    """Nodes below a keyword, a key or a callee of one of these names."""
    found: set[int] = set()
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.keyword) and node.arg in words:
            values = [node.value]
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in words:
                    values.append(value)
        elif isinstance(node, ast.Call) and last_name(node.func) in words:
            values = list(node.args)
        elif isinstance(node, ast.Assign) and any(last_name(one) in words for one in node.targets):
            values = [node.value]
        found.update(id(one) for value in values for one in ast.walk(value))
    return found


def last_name(node: ast.expr) -> str:
    """What a callee is called, without its owner; "" where it has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def places(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """The arguments of a call, by position or keyword."""
    for index, one in enumerate(node.args):
        if not isinstance(one, ast.Starred):
            yield str(index), one
    yield from ((one.arg, one.value) for one in node.keywords if one.arg)


def values(tree: ast.AST) -> Iterator[ast.expr]:
    """Literals, and arguments, values of keys and what is assigned, whatever they are."""
    yield from literals(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (argument for _, argument in places(node))
        elif isinstance(node, ast.Dict):
            yield from node.values
        elif isinstance(node, ast.Assign):
            yield node.value
