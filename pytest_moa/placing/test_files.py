"""The test files of a project: where they are, what they import, which fixtures they have."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path, PurePosixPath

from pytest_moa.placing.imports import Import, imports_in
from pytest_moa.placing.source_file import NotPlaced, SourceFile, parsed

#: pytest's own defaults, for callers without a pytest configuration.
PATTERNS = ("test_*.py", "*_test.py")
SKIPPED_FOLDERS = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")


@dataclass(frozen=True)
class TestFile:
    """One test file that can be parsed. `path` is relative to the root, with forward slashes."""

    __test__ = False

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return parsed(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """All that is imported anywhere in it."""
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.stmt))
        return tuple(imports_in(nodes))

    @cached_property
    def fixtures(self) -> frozenset[str]:
        """Names of the fixtures that it defines at module level."""
        return frozenset(fixtures_in(self.tree))


@dataclass(frozen=True)
class TestTree:
    """All test files below a root, as pytest would find them without a file being named.

    `folders` are pytest's `testpaths` (empty: everywhere), `patterns` its `python_files`, `skipped` its
    `norecursedirs`.
    """

    __test__ = False

    root: Path
    patterns: Sequence[str] = PATTERNS
    folders: Sequence[str] = ()
    skipped: Sequence[str] = SKIPPED_FOLDERS
    _contents: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _files: dict[str, TestFile | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Paths of all test files, relative, sorted."""
        starts = [self.root / folder for folder in self.folders]
        found = {
            path
            for start in [start for start in starts if start.is_dir()] or [self.root]
            for path in self._below(start)
        }
        found |= {start.relative_to(self.root).as_posix() for start in starts if start.is_file()}
        return tuple(sorted(found))

    def read(self, path: str) -> TestFile | None:
        """One of the files as it was when it was first looked at; None where it cannot be read or parsed."""
        if path not in self._files:
            try:
                self._files[path] = TestFile(path, SourceFile.of(path, self._content(path)).text)
            except NotPlaced:
                self._files[path] = None
        return self._files[path]

    def naming(self, *words: str) -> Iterator[TestFile]:
        """The files in whose name or text one of the words stands."""
        for path in self.paths:
            there = any(word in path or word.encode() in self._content(path) for word in words)
            if there and (file := self.read(path)):
                yield file

    def inherited_fixtures(self, path: str) -> frozenset[str]:
        """Names of fixtures that the conftest files above a test file define."""
        names: set[str] = set()
        for folder in PurePosixPath(path).parents:
            if file := self.read((folder / "conftest.py").as_posix()):
                names |= file.fixtures
        return frozenset(names)

    def _content(self, path: str) -> bytes:
        if path not in self._contents:
            try:
                self._contents[path] = (self.root / path).read_bytes()
            except OSError:
                self._contents[path] = b""
        return self._contents[path]

    def _below(self, start: Path) -> Iterator[str]:
        for folder, folders, files in os.walk(start):
            folders[:] = [
                name
                for name in folders
                if not any(fnmatch(name, pattern) for pattern in self.skipped)
                and not Path(folder, name, "pyvenv.cfg").exists()
            ]
            for name in files:
                if any(fnmatch(name, pattern) for pattern in self.patterns):
                    yield Path(folder, name).relative_to(self.root).as_posix()


def fixtures_in(tree: ast.Module) -> Iterator[str]:
    """Names of the fixtures that functions of a module are."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                call = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(call).rpartition(".")[2] == "fixture":
                    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
                    given = [word.value for word in keywords if word.arg == "name"]
                    constant = given and isinstance(given[0], ast.Constant)
                    yield str(given[0].value) if constant else node.name  # type: ignore[attr-defined]
