"""Which test files import a module, directly or through other modules, as far as their source tells."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_moa.running.warm_session import Warm


def importing_files(warm: Warm, _: Mapping[str, Any]) -> dict[str, list[str]]:
    """Job: the test files (those with items) that import each module under test, conftests included."""
    root = warm.session.config.rootpath
    graph = _Graph(root)
    by_file = {file: name for name, file in graph.files.items()}
    conftests = [file for file in by_file if Path(file).name == "conftest.py"]
    found: dict[str, list[str]] = {name: [] for name in warm.sources}
    for file in dict.fromkeys(str(item.path) for item in warm.items):
        above = [each for each in conftests if Path(file).is_relative_to(Path(each).parent)]
        reached = graph.reached([by_file[each] for each in (file, *above) if each in by_file])
        for name, files in found.items():
            if name in reached or file not in by_file:
                files.append(file)
    return found


class _Graph:
    """The project's modules that are imported, and what their source imports."""

    def __init__(self, root: Path) -> None:
        self.files = {
            name: module.__file__
            for name, module in list(sys.modules.items())
            if isinstance(module, ModuleType)
            and isinstance(getattr(module, "__file__", None), str)
            and module.__file__ is not None
            and Path(module.__file__).is_relative_to(root)
            and "site-packages" not in module.__file__
        }
        self._edges: dict[str, set[str]] = {}

    def reached(self, starts: list[str]) -> set[str]:
        """All modules that these import in the end, themselves included."""
        seen: set[str] = set()
        pending = list(starts)
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending += self._imports(name)
        return seen

    def _imports(self, name: str) -> set[str]:
        if name not in self._edges:
            source = Path(self.files[name]).read_bytes()
            package = getattr(sys.modules.get(name), "__package__", None) or ""
            named = {part for full in _named(ast.parse(source), package) for part in _with_parents(full)}
            self._edges[name] = named & self.files.keys()
        return self._edges[name]


def _named(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    """`a.b.c` also imports `a.b` and `a`."""
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
