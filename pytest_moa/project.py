"""The user's project: where its modules and tests are, under which names, and what a target means.

What pytest would do is followed: its rootdir, `pythonpath` and `testpaths`. Modules are found in src
layouts, flat ones, namespace packages, monorepos and editable installs. Nothing of the user's is
imported here.
"""

from __future__ import annotations

import ast
import os
import re
import site
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moa_engine.errors import ConfigError
from pytest_moa.running.pytest_ini import find_settings, kept_options
from pytest_moa.target import Reason, Target

if TYPE_CHECKING:
    import pytest

#: Folders that hold no source of the project itself.
_FOREIGN: Final = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
_USUAL: Final = frozenset({"tests", "test", "testing"})  #: names of folders of tests
_TEST_FILE: Final = re.compile(r"(test_.*|.*_test|conftest)\.py")


class TargetError(ConfigError):
    """A target cannot be found, read or named."""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module of the project: its dotted name, its file, and the folder that makes it importable."""

    name: str
    path: Path
    import_root: Path


@dataclass(frozen=True)
class Project:
    """A project as pytest sees it.

    `root` is pytest's rootdir, `ini` its settings file. `python_path` goes in front of `sys.path` in
    every process that runs the project's code; `test_paths` are its test files and folders.
    """

    root: Path
    ini: Path | None = None
    python_path: tuple[Path, ...] = ()
    test_paths: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()  #: for every pytest that runs its tests, instead of its `addopts`
    #: Other folders of `sys.path` that modules may be imported from.
    installed_path: tuple[Path, ...] = field(default_factory=lambda: _installed_path())

    @classmethod
    def find(cls, start: Path, tests: Sequence[Path] = ()) -> Project:
        """The project around a file or folder; `tests` replaces where pytest would look for tests.

        Raises:
            ConfigError: pytest's settings cannot be read, or a path of `tests` does not exist.
        """
        start = start.resolve()
        settings = find_settings(start if start.is_dir() else start.parent)
        for path in tests:
            if not path.exists():
                raise TargetError(f"{path}: no such file or folder of tests")
        found = tuple(path.resolve() for path in tests) or settings.test_paths
        project = cls(settings.root, settings.file, settings.python_path, options=settings.options)
        return replace(project, test_paths=found or tuple(project._usual_tests(start)))

    @classmethod
    def of_config(cls, config: pytest.Config) -> Project:
        """The project of a running pytest session: what it was given as arguments are its tests."""
        ini = config.getini
        named = [Path(str(argument).partition("::")[0]) for argument in config.args]
        named = [path if path.is_absolute() else config.invocation_params.dir / path for path in named]
        project = cls(
            config.rootpath,
            config.inipath,
            tuple(Path(path) for path in ini("pythonpath")),
            options=kept_options([str(word) for word in ini("addopts")]),
        )
        tests = tuple(dict.fromkeys(path.resolve() for path in named if path.exists()))
        if tests == (config.rootpath,) or not tests:
            tests = tuple(project._usual_tests(config.invocation_params.dir))
        project = replace(project, test_paths=tests)
        mixed = [path for path in tests if path.is_dir() and path not in project.test_folders]
        return replace(project, test_paths=(*(path for path in tests if path not in mixed), *mixed))

    def module(self, path: Path) -> SourceModule:
        """Under which name the tests import a file.

        Raises:
            TargetError: it is no Python file, or no name can be given to it.
        """
        path = path.resolve()
        if path.suffix != ".py" or not path.is_file():
            raise TargetError(f"{self.shown(path)}: not a Python file")
        choices = list(self._choices(path))
        if not choices:
            raise TargetError(
                f"{self.shown(path)}: cannot be imported under any name",
                hint="every folder from the one on sys.path down must have a name that is an identifier",
            )
        if len(choices) > 1:  # what the tests say decides, then the order in which they were found
            named = self._names_in_tests
            choices.sort(key=lambda choice: -named[choice.name])
        return choices[0]

    def targets(self, text: str, reason: Reason = "named") -> list[Target]:
        """What `PATH[::qualname]` means: the functions of a file or folder, in order; a class its methods.

        Raises:
            TargetError: nothing is there, or it cannot be parsed.
        """
        written, _, qualname = text.partition("::")
        path = Path(written)
        path = path if path.is_absolute() else Path.cwd() / path
        if not path.exists():
            raise TargetError(f"{written}: no such file or folder")
        if path.is_dir():
            if qualname:
                raise TargetError(f"{text}: a folder has no functions", hint="name a file before ::")
            found = [target for file in self.sources(path) for target in self.functions(file, reason)]
            if not found:
                raise TargetError(f"{written}: no functions are in this folder")
            return found
        functions = self.functions(path, reason)
        if not functions:
            raise TargetError(f"{written}: no functions are in this file")
        if not qualname:
            return functions
        chosen = [each for each in functions if f"{each.qualname}.".startswith(f"{qualname}.")]
        if not chosen:
            near = ", ".join(each.qualname for each in functions[:8])
            raise TargetError(f"{written}: no function {qualname!r}", hint=f"there are: {near}")
        return chosen

    def functions(self, path: Path, reason: Reason = "named") -> list[Target]:
        """The functions and methods of a file; functions inside functions belong to the outer one.

        Raises:
            TargetError: the file cannot be read, parsed or named.
        """
        module = self.module(path)
        try:
            tree = ast.parse(module.path.read_bytes(), str(path))
        except SyntaxError as error:
            raise TargetError(f"{self.shown(path)}:{error.lineno}: syntax error: {error.msg}") from error
        except (OSError, ValueError) as error:
            raise TargetError(f"{self.shown(path)}: cannot be read: {error}") from error
        shown = self.shown(module.path)
        return [
            Target(shown, module.name, qualname, first, last, reason)
            for qualname, first, last in _functions(tree, "")
        ]

    def sources(self, folder: Path) -> Iterator[Path]:
        """The source files under a folder, sorted: no tests, nothing hidden, built or installed."""
        return _sources(folder, self.test_folders)

    @cached_property
    def test_folders(self) -> frozenset[Path]:
        """The folders of `test_paths` that are no code: `pytest --doctest-modules src tests` names one."""
        return frozenset(
            path
            for path in self.test_paths
            if path.is_dir()
            and (not _USUAL.isdisjoint(Path(self.shown(path)).parts) or not any(_sources(path, frozenset())))
        )

    def test_files(self) -> Iterator[Path]:
        """The test files, as far as names tell."""
        for path in self.test_paths:
            if path.is_file():
                yield path
                continue
            for current, folders, files in os.walk(path):
                folders[:] = sorted(
                    name for name in folders if not name.startswith(".") and name not in _FOREIGN
                )
                yield from (Path(current, name) for name in sorted(files) if _TEST_FILE.fullmatch(name))

    def shown(self, path: Path) -> str:
        """A path as people write it: relative to the root, with forward slashes."""
        path = path.resolve()
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()

    def _choices(self, path: Path) -> Iterator[SourceModule]:
        """The module under every name that may be meant, the likeliest first."""
        package = path.parent
        while (package / "__init__.py").is_file() and package.name.isidentifier():
            package = package.parent
        known = [*self.python_path, *self.installed_path]
        likely = [folder for folder in known if package.is_relative_to(folder)]
        likely.sort(key=lambda folder: -len(folder.parts))  # the nearest one: src before the root
        namespaced = (self.root,) if package.is_relative_to(self.root) else ()
        for folder in dict.fromkeys((*likely, package, *namespaced)):
            parts = path.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and all(part.isidentifier() for part in parts):
                yield SourceModule(".".join(parts), path, folder)

    @cached_property
    def _names_in_tests(self) -> Counter[str]:
        """How often the tests import each dotted name, and every name that is the beginning of it."""
        named: Counter[str] = Counter()
        for file in self.test_files():
            text = file.read_text(encoding="utf-8", errors="replace")
            for match in _IMPORT.finditer(text):
                module, names, plain = match.groups()
                inner = _NAME.findall(names) if module else []
                for whole in (*(f"{module}.{name}" for name in inner), module or plain):
                    named.update(whole.rsplit(".", cut)[0] for cut in range(whole.count(".") + 1))
        return named

    def _usual_tests(self, start: Path) -> Iterator[Path]:
        """The nearest folders of tests where none are configured; else the root, if it has test files."""
        for folder in (start, *start.parents):
            if not folder.is_relative_to(self.root):
                break
            usual = [folder / name for name in sorted(_USUAL, reverse=True) if (folder / name).is_dir()]
            if usual:
                yield from usual
                return
        if any(_TEST_FILE.fullmatch(path.name) for path in self._all_files()):
            yield self.root

    def _all_files(self) -> Iterator[Path]:
        for current, folders, files in os.walk(self.root):
            folders[:] = [
                name
                for name in folders
                if not name.startswith(".")
                and name not in _FOREIGN
                and not Path(current, name, "pyvenv.cfg").exists()
            ]
            yield from (Path(current, name) for name in files)


_IMPORT: Final = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)|import[ \t]+([\w.]+))", re.MULTILINE
)
_NAME: Final = re.compile(r"\w+")


def _sources(folder: Path, tests: Collection[Path]) -> Iterator[Path]:
    """The source files under a folder, but for those in folders of tests."""
    for current, folders, files in os.walk(folder):
        here = Path(current)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _FOREIGN
            and not (here / name / "pyvenv.cfg").exists()
            and (here / name).resolve() not in tests
        )
        for name in sorted(files):
            if name.endswith(".py") and not _TEST_FILE.fullmatch(name) and name != "setup.py":
                yield here / name


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, int, int]]:
    """Qualified name, first line (of the decorators) and last line of each function."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                yield f"{prefix}{node.name}", first, node.end_lineno or node.lineno
            case ast.ClassDef():
                yield from _functions(node, f"{prefix}{node.name}.")
            case ast.If() | ast.Try() | ast.With():  # such as `if sys.version_info >= ...`
                yield from _functions(node, prefix)
            case ast.ExceptHandler():
                yield from _functions(node, prefix)


def _installed_path() -> tuple[Path, ...]:
    """`sys.path` without the standard library and what is installed in site-packages."""
    installed = [Path(os.__file__).parent, *map(Path, site.getsitepackages())]
    libraries = [path.resolve() for path in installed]
    folders = [Path(entry).resolve() for entry in sys.path if entry and Path(entry).is_dir()]
    return tuple(
        folder
        for folder in dict.fromkeys(folders)
        if not any(folder.is_relative_to(library) for library in libraries)
    )
