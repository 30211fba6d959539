"""What a test leaves changed behind it, as far as the next test could notice."""

from __future__ import annotations

import ast
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

#: Modules that decide what a test is and how it went, besides those under test.
_JUDGES: Final = (
    "_pytest.assertion.rewrite",
    "_pytest.assertion.util",
    "_pytest.fixtures",
    "_pytest.main",
    "_pytest.nodes",
    "_pytest.outcomes",
    "_pytest.python",
    "_pytest.raises",
    "_pytest.reports",
    "_pytest.runner",
    "_pytest.skipping",
    "_pytest.unittest",
    "builtins",
    "pluggy._callers",
    "pluggy._hooks",
    "pluggy._manager",
    "unittest.case",
)


class Held:
    """What modules held before any test ran: of those under test, and of those that judge tests.

    Of the modules under test, functions, classes and what only a test would rebind are compared.
    Memos and counters that their own code fills are not: whether those matter is seen by running
    tests in other orders.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._modules = {name: sys.modules[name] for name in (*sources, *_JUDGES) if name in sys.modules}
        self._held: list[tuple[Mapping[str, Any], str, Any, str]] = []
        for name, module in self._modules.items():
            rebound = _global_names(sources.get(name, ""))
            for names, key, value, shown in _held(module, everything=name in sources):
                if shown.partition(".")[0] not in rebound:
                    self._held.append((names, key, value, f"{name}.{shown}"))

    def changes(self) -> Iterator[str]:
        """What is different now, in words."""
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                yield f"leaves another module {name} in sys.modules"
        for names, key, value, shown in self._held:
            if names.get(key) is not value:
                yield f"leaves {shown} changed"


class Before:
    """The state of the process before a test; `changes` says in words what is different after it."""

    def __init__(self) -> None:
        self._environ = _environ()
        self._folder = _folder()
        self._threads = set(threading.enumerate())
        self._path = list(sys.path)

    def changes(self) -> Iterator[str]:
        """What is different now."""
        now = _environ()
        for name in sorted(self._environ.keys() | now.keys()):
            if self._environ.get(name) != now.get(name):
                yield f"leaves the environment variable {name} changed"
        if _folder() != self._folder:
            yield "leaves another working directory"
        if sys.path != self._path:
            yield "leaves sys.path changed"
        for thread in threading.enumerate():
            if thread not in self._threads and thread.is_alive():
                yield f"leaves a thread running ({thread.name})"
        if _has_children():
            yield "leaves a process running"


def _held(module: ModuleType, *, everything: bool) -> Iterator[tuple[Mapping[str, Any], str, Any, str]]:
    """What holds what under which name: the module, and its classes, and how that is written."""
    for name, value in list(vars(module).items()):
        if name.startswith("__"):
            continue
        if everything or isinstance(value, FunctionType | BuiltinFunctionType | type):
            yield vars(module), name, value, name
        if isinstance(value, type) and value.__module__ == module.__name__:
            for inner, held in vars(value).items():
                if isinstance(held, FunctionType | staticmethod | classmethod | property):
                    yield vars(value), inner, held, f"{name}.{inner}"


def _global_names(source: str) -> frozenset[str]:
    """The names that functions of the module rebind by themselves."""
    if "global " not in source:
        return frozenset()
    found = (node.names for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Global))
    return frozenset(name for names in found for name in names)


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as text: it need not exist any more
    except FileNotFoundError:
        return ""


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
