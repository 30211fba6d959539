"""Programs without what they say with private names: nobody else can be told with those."""

from __future__ import annotations

import ast

from pytest_moa.proof.lane import private_nodes
from pytest_moa.proof.snippet import bound_names


def publicly(source: str) -> str | None:
    """The program without its private parts; None if it has none, or is nothing without them.

    Arguments that have a name are left out of their calls, anything else with its whole statement, and
    statements that need what those have bound.
    """
    tree = ast.parse(source)
    private = {id(one) for one in private_nodes(tree)}
    if not private:
        return None

    def is_private(node: ast.AST) -> bool:
        return any(id(one) in private for one in ast.walk(node))

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [one for one in node.keywords if not is_private(one)]
    gone: set[str] = set()

    def kept(body: list[ast.stmt]) -> list[ast.stmt]:
        found = []
        for node in body:
            for block in ("body", "orelse", "finalbody"):
                if getattr(node, block, None):
                    setattr(node, block, kept(getattr(node, block)))
            empty = getattr(node, "body", None) == []
            needs = any(isinstance(one, ast.Name) and one.id in gone for one in ast.walk(node))
            if empty or needs or is_private(node):
                gone.update(_bound(node))
            else:
                found.append(node)
        return found

    tree.body = kept(tree.body)
    return ast.unparse(tree) if any(_calls(one) for one in tree.body) else None


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    return bound_names([node])


def _calls(node: ast.stmt) -> bool:
    return any(isinstance(one, ast.Call) for one in ast.walk(node))
