"""A test module that exists only as source, collected as if its file were in the user's test folder.

The node hangs below the folder's own node, so the project's conftests and their fixtures apply. No file
is written and no import hook or import mode has a part in it.
"""

from __future__ import annotations

import ast
import importlib.machinery
import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from pytest_moa.running.warm_session import Warm, quieten_hypothesis


class Broken(Exception):
    """The candidate's module cannot be collected, or does not hold exactly its one test."""


class Unsafe(Exception):
    """The candidate's module does what a test must not."""


class _Loader:
    """Lets `inspect` find the source."""

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, _: str) -> str:
        """The module's source."""
        return self.source


class CandidateModule(pytest.Module):
    """pytest's node for one candidate."""

    text: str
    tree: ast.Module

    def _getobj(self) -> ModuleType:
        path = str(self.path)
        rewrite_asserts(self.tree, self.text.encode(), path, self.config)
        package = _package(self.path.parent)
        name = f"{package}.{self.path.stem}" if package else self.path.stem
        module = ModuleType(name)
        loader: Any = _Loader(self.text)
        module.__spec__ = importlib.machinery.ModuleSpec(name, loader, origin=path)
        module.__loader__ = loader
        module.__file__ = path
        module.__package__ = package
        linecache.cache[path] = (len(self.text), None, self.text.splitlines(keepends=True), path)
        sys.modules[name] = module
        exec(compile(self.tree, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - in a sandbox
        return module


def collect(warm: Warm, candidate: Mapping[str, Any], folder: str) -> list[pytest.Item]:
    """The candidate's items: one, or one per parameter set.

    `candidate` has "id", "name" and "text" (of the whole module).

    Raises:
        Broken: it does not parse, import or collect, or holds another number of tests than one.
        Unsafe: it brings hooks or plug-ins for pytest.
    """
    if "hypothesis" in candidate["text"]:
        quieten_hypothesis()
    node = _node(warm, candidate, Path(folder))
    warm.watcher.uncollected.clear()
    items = list(node.session.genitems(node))
    if warm.watcher.uncollected:
        raise Broken(_reason(warm.watcher.uncollected[0]))
    node.config.hook.pytest_collection_modifyitems(session=node.session, config=node.config, items=items)
    _refuse_hooks(vars(node.obj))
    names = {getattr(item, "originalname", None) or item.name for item in items}
    if names != {candidate["name"]}:
        found = ", ".join(sorted(names)) or "none"
        raise Broken(f"expected one test, {candidate['name']}, and found {found}")
    return items


def _node(warm: Warm, candidate: Mapping[str, Any], folder: Path) -> CandidateModule:
    try:
        tree = ast.parse(candidate["text"])
    except (SyntaxError, ValueError) as error:
        raise Broken(f"it does not parse: {error}") from error
    _refuse_hooks({node.name: None for node in tree.body if isinstance(node, ast.FunctionDef)})
    node = CandidateModule.from_parent(warm.folder(folder), path=folder / f"test_moa_{candidate['id']}.py")
    node.text, node.tree = candidate["text"], tree
    return node


def _refuse_hooks(names: Mapping[str, Any]) -> None:
    for name in names:
        if name.startswith("pytest_"):
            raise Unsafe(f"it defines {name}, which speaks to pytest")


def _reason(report: pytest.CollectReport) -> str:
    lines = [line for line in str(report.longrepr).splitlines() if line.startswith("E ")]
    return " ".join(line[1:].strip() for line in lines) or str(report.longrepr)[-300:].strip()


def _package(folder: Path) -> str:
    """The dotted name of a folder with `__init__.py`, as pytest would import it; "" without one."""
    parts: list[str] = []
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)
