"""The changed modules of head: their names, and how a test imports what is in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


class HeadModules:
    """Modules of one tree by their paths in it."""

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        from pytest_moa.project import Project, TargetError
        from pytest_moa.proof.replaying import tree_of

        tree = tree_of(root)
        project = Project.find(tree.root)
        self._names: dict[str, str] = {}
        self._files: dict[str, Path] = {}
        for path in paths:
            file = tree.root / path
            if not file.is_file():
                continue
            try:
                name = project.module(file).name
            except TargetError:
                continue
            self._names[path] = name
            self._files[name] = file

    def name(self, path: str) -> str | None:
        """The module that a path is; None if it is none."""
        return self._names.get(path)

    def imports(self, module: str) -> dict[str, str]:
        """The statement that imports each name that the module binds at its top."""
        try:
            tree = ast.parse(self._files[module].read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            return {}
        return {name: f"from {module} import {name}" for name in _bound(tree.body)}


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (one.asname or one.name.partition(".")[0] for one in node.names)
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name() as target):
                yield target.id
            case ast.If() | ast.Try():
                yield from _bound([*node.body, *node.orelse])
