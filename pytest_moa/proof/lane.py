"""A way to run programs on both sides, and to write one as a test."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pytest_moa.proof.changes import is_private
from pytest_moa.proof.difference import Difference
from pytest_moa.proof.pair import Pair
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.writing import body_of, module_of

Results = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class Lane(Protocol):
    """Runs snippets of one kind and writes them as tests."""

    def run(self, snippets: Sequence[Snippet], seconds: float, *, detail: bool = False) -> Results:
        """Results on base and on head, in the snippets' order."""

    def test(self, snippet: Snippet, difference: Difference, base: Mapping[str, Any]) -> str:
        """A test module. Raises Unwritable."""


class ModuleLane:
    """Programs that use a module's names."""

    job = "pytest_moa.proof.side:run"

    def __init__(self, pair: Pair, names: Mapping[str, Mapping[str, str]]) -> None:
        self.pair = pair
        self.names = names  #: by module: how each of its names is imported

    def run(self, snippets: Sequence[Snippet], seconds: float, *, detail: bool = False) -> Results:
        """Results on base and on head, in the snippets' order."""
        programs = [{**snippet.to_json(), "module": snippet.module} for snippet in snippets]
        return self.pair.run(self.job, programs, seconds, detail=detail)

    def test(self, snippet: Snippet, difference: Difference, base: Mapping[str, Any]) -> str:
        """A test module. Raises Unwritable."""
        return module_of(snippet, body_of(snippet, difference, base), self.names[snippet.module])


def mentions_private(source: str) -> bool:
    """Whether a program uses names that are nobody else's."""
    return bool(private_nodes(ast.parse(source)))


def private_nodes(tree: ast.AST) -> list[ast.AST]:
    """Where a program uses names that are nobody else's."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    parts = own | {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
    }
    return [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in parts)
        or (isinstance(node, ast.Name) and is_private(node.id) and node.id not in own and node.id != "_")
        or (isinstance(node, ast.ImportFrom) and any(is_private(one.name) for one in node.names))
    ]


def _is_self(node: ast.expr) -> bool:
    """Whether it is the instance, or the class, in a method of a class that the program itself defines."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
