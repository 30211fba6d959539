"""Other names in a test's source, everything else as it was written."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping

from pytest_moa.placing.source_file import NotPlaced, lines_of, parsed

_FIXTURES_BY_NAME = {"usefixtures", "getfixturevalue"}


def renamed(source: str, names: Mapping[str, str]) -> str:
    """The source with variables, parameters, functions and classes renamed, and fixtures named in strings.

    Raises:
        NotPlaced: a name stands where it cannot be replaced safely.
    """
    if not names:
        return source
    lines = [line.encode() for line in lines_of(source)]
    tree = parsed(source)
    places = {place for node in ast.walk(tree) for place in _places(node, names)}
    for line, column, old in sorted(places, reverse=True):
        text = lines[line - 1]
        at = re.compile(rb"\b%s\b" % re.escape(old).encode()).search(text, column)
        if at:
            lines[line - 1] = text[: at.start()] + names[old].encode() + text[at.end() :]
    result = b"".join(lines).decode()
    if not _same(_Renamer(names).visit(tree), result):
        raise NotPlaced(f"{' and '.join(names)} cannot be renamed in it, and the file has that name already")
    return result


def used_names(source: str) -> set[str]:
    """All names of variables that a source reads or binds."""
    return {node.id for node in ast.walk(parsed(source)) if isinstance(node, ast.Name)}


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the first of name_2, name_3, ... that is not taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def _places(node: ast.AST, names: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """(line, first column in bytes from where to look, name) of what `node` itself names."""
    if isinstance(node, ast.Name) and node.id in names:
        return [(node.lineno, node.col_offset, node.id)]
    if isinstance(node, ast.arg) and node.arg in names:
        return [(node.lineno, node.col_offset, node.arg)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in names:
        return [(node.lineno, node.col_offset, node.name)]
    return [
        (text.lineno, text.col_offset, str(text.value))
        for text in _fixture_names(node)
        if text.value in names
    ]


def _fixture_names(node: ast.AST) -> list[ast.Constant]:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _FIXTURES_BY_NAME
    ):
        return [one for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return []


class _Renamer(ast.NodeTransformer):
    """What the tree has to be afterwards."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> ast.AST:
        for text in _fixture_names(node):
            text.value = self.names.get(str(text.value), text.value)
        for field in ("id", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str) and not isinstance(node, ast.keyword | ast.alias | ast.ExceptHandler):
                setattr(node, field, self.names.get(value, value))
        return self.generic_visit(node)


def _same(tree: ast.AST, source: str) -> bool:
    try:
        return ast.dump(tree) == ast.dump(parsed(source))
    except (SyntaxError, ValueError):
        return False
