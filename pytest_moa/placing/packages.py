"""Whether two imports bring the same object: what a package hands on from its modules, read and not run."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_moa.placing.imports import Import
from pytest_moa.placing.source_file import parsed

#: How many packages may hand something on to each other.
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Packages:
    """Packages below these folders."""

    folders: tuple[Path, ...] = ()

    def same(self, one: Import, wanted: Import, depth: int = 0) -> bool:
        """Whether `one` surely binds what `wanted` would bind, under the same name."""
        if one == wanted:
            return True
        if depth > _DEEPEST or not one.attribute or one.name != wanted.name:
            return False
        if not wanted.module.startswith(f"{one.module}."):
            return False
        return any(
            self.same(Import(handed.module, handed.attribute, wanted.alias), wanted, depth + 1)
            for handed in self._handed_on(one.module)
            if handed.name == one.attribute
        )

    def _handed_on(self, package: str) -> Iterable[Import]:
        """What a package's `__init__` imports from its own modules."""
        for folder in self.folders:
            path = folder.joinpath(*package.split("."), "__init__.py")
            try:
                tree = parsed(path.read_text(encoding="utf-8"))
            except (OSError, ValueError, SyntaxError):
                continue
            for node in tree.body:
                if isinstance(node, ast.ImportFrom) and node.level < 2:
                    module = ".".join(filter(None, (package if node.level else "", node.module)))
                    yield from (Import(module, alias.name, alias.asname or "") for alias in node.names)
