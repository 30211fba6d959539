"""From two folders to what has to be searched: files, modules under their names, changed functions."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_moa.project import Project, SourceModule, TargetError
from pytest_moa.proof.changes import ChangedFunction, ModuleSource, Package, changed_in, with_entries
from pytest_moa.proof.pair import Tree

_HIDDEN = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
_TESTS = frozenset({"tests", "test", "testing", "conftest.py", "setup.py", "docs", "examples"})


@dataclass(slots=True)
class Comparison:
    """What changed, and where its modules are at each side: {module: path}."""

    changed: list[ChangedFunction] = field(default_factory=list)
    base_modules: dict[str, Path] = field(default_factory=dict)
    head_modules: dict[str, Path] = field(default_factory=dict)
    sources: dict[str, tuple[ModuleSource | None, ModuleSource | None]] = field(default_factory=dict)
    package: Package = field(default_factory=lambda: Package({}))
    unreadable: dict[str, str] = field(default_factory=dict)  #: path -> why

    @property
    def modules(self) -> list[str]:
        """Modules to import on both sides: the changed ones, then those of callers."""
        names = [*self.sources, *(one.module for one in self.changed)]
        names += [entry.module for one in self.changed for entry in one.entries]
        return list(dict.fromkeys(names))


def differing_files(base: Path, head: Path) -> list[str]:
    """Python files that are not the same on both sides, relative, sorted."""
    found = {path: (base / path, head / path) for path in (*_files(base), *_files(head))}
    return sorted(path for path, (was, now) in found.items() if _bytes(was) != _bytes(now))


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _files(root: Path) -> Iterator[str]:
    for current, folders, files in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(".") and one not in _HIDDEN]
        yield from (Path(current, one).relative_to(root).as_posix() for one in files if one.endswith(".py"))


def is_source(path: str) -> bool:
    """Whether a changed file is code that users run: Python, no test."""
    parts = Path(path).parts
    name = parts[-1]
    tests = name.startswith("test_") or name.endswith("_test.py") or bool(_TESTS & set(parts))
    return path.endswith(".py") and not tests


def compared(base: Tree, head: Tree, paths: Sequence[str]) -> Comparison:
    """Compare the files function by function."""
    comparison = Comparison()
    projects = _project(base), _project(head)
    found: list[ChangedFunction] = []
    roots: defaultdict[Path, set[str]] = defaultdict(set)
    for path in paths:
        sides: list[ModuleSource | None] = []
        names: list[SourceModule | None] = []
        try:
            for tree, project in zip((base, head), projects, strict=True):
                file = tree.root / path
                names.append(project.module(file) if file.is_file() else None)
                sides.append(ModuleSource.of(file.read_text(encoding="utf-8")) if file.is_file() else None)
        except (SyntaxError, ValueError, OSError) as error:
            comparison.unreadable[path] = f"{type(error).__name__}: {error}"
            continue
        except TargetError as error:
            comparison.unreadable[path] = error.message
            continue
        named = names[1] or names[0]
        if named is None:
            continue
        for module, known in zip(names, (comparison.base_modules, comparison.head_modules), strict=True):
            if module is not None:
                known[named.name] = module.path
        if names[1] is not None:
            roots[names[1].import_root].add(named.name.partition(".")[0])
        comparison.sources[named.name] = (sides[0], sides[1])
        found += changed_in(path, named.name, sides[0], sides[1])
    comparison.package = Package.around(roots)
    comparison.changed = with_entries(found, comparison.package)
    for name in comparison.modules:
        _locate(comparison, name, base, head)
    return comparison


def _project(tree: Tree) -> Project:
    """The project as its own tree tells it: what this process could import does not count."""
    return replace(Project.find(tree.root), installed_path=(), python_path=tree.python_path)


def _locate(comparison: Comparison, name: str, base: Tree, head: Tree) -> None:
    """Find a caller's module at both sides."""
    for tree, known in ((base, comparison.base_modules), (head, comparison.head_modules)):
        if name in known:
            continue
        for folder in tree.python_path:
            stem = folder.joinpath(*name.split("."))
            for file in (stem.with_suffix(".py"), stem / "__init__.py"):
                if file.is_file():
                    known.setdefault(name, file)


def import_names(comparison: Comparison, module: str) -> Mapping[str, str]:
    """How a test imports each name that a module at base has."""
    path = comparison.base_modules.get(module)
    if path is None:
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                bound = one.asname or one.name.partition(".")[0]
                names[bound] = f"import {one.name} as {one.asname}" if one.asname else f"import {bound}"
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                bound = one.asname or one.name
                known = f"from {node.module} import {one.name}" + (f" as {one.asname}" if one.asname else "")
                names[bound] = known if not node.level else f"from {module} import {bound}"
    source = ModuleSource.of(path.read_text(encoding="utf-8"))
    for bound in (*source.names, *source.functions, *source.classes):
        if "." not in bound and (bound not in names or bound in source.functions or bound in source.classes):
            names[bound] = f"from {module} import {bound}"
    return names
