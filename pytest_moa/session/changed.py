"""Which functions changed: comments, formatting, docstrings and annotations do not count."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pytest_moa.code.definitions import functions_in, qualname_of
from pytest_moa.project import Project, TargetError
from pytest_moa.session.repository import Changes
from pytest_moa.suggestions import Skipped
from pytest_moa.target import Target


def changed_targets(project: Project, changes: Changes) -> tuple[list[Target], list[Skipped]]:
    """The functions that changed, in the order of the files, and the files that nobody can tell of.

    A function that only moved, from one place or file to another, has not changed. One that uses a
    constant of its module with another value has.
    """
    moved = {dump for old in _olds(changes) for dumps in _functions(old).values() for dump in dumps}
    found: list[Target] = []
    skipped: list[Skipped] = []
    sources = {path.resolve() for path in project.sources(project.root)} if changes.files else set()
    sources -= {path.resolve() for path in project.test_files()}
    for file in changes.files:
        if file.path.resolve() not in sources:
            continue
        try:
            targets = project.functions(file.path, "changed")
            text = file.path.read_bytes()
        except (TargetError, OSError) as error:
            skipped.append(Skipped(project.shown(file.path), str(error)))
            continue
        old = file.old or b""
        before, constants = _functions(old), _changed_constants(old, text)
        now = _functions(text)
        touched = {
            name
            for name, dumps in now.items()
            if (before.get(name) != dumps and not all(dump in moved for dump in dumps))
            or constants & _names(text, name)
        }
        found += {target.qualname: target for target in targets if target.qualname in touched}.values()
    return found, skipped


def _olds(changes: Changes) -> Iterable[bytes]:
    yield from (file.old for file in changes.files if file.old is not None)
    yield from changes.gone


def _functions(source: bytes) -> Mapping[str, list[str]]:
    """What each function does, by qualified name; nothing for what cannot be parsed."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    tree = _parsed(source)
    for node, around in functions_in(tree):
        found[qualname_of(node.name, around)].append(ast.dump(_Meaning().visit(node)))
    return found


def _names(source: bytes, qualname: str) -> set[str]:
    """The names that a function reads."""
    return {
        name.id
        for node, around in functions_in(_parsed(source))
        if qualname_of(node.name, around) == qualname
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
    }


def _changed_constants(before: bytes, after: bytes) -> set[str]:
    """Names that a module assigns another value than before; new names change no function by themselves."""
    old, new = _constants(before), _constants(after)
    return {name for name, value in new.items() if name in old and old[name] != value}


def _constants(source: bytes) -> dict[str, str]:
    found = {}
    for node in _parsed(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and value is not None:
                found[target.id] = ast.dump(value)
    return found


def _parsed(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module([], [])


class _Meaning(ast.NodeTransformer):
    """Takes away what does not change what a function does."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._bare(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._bare(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._bare(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Expr(node.target) if node.value is None else ast.Assign([node.target], node.value)

    def _bare(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        first = node.body[0]
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            node.body = node.body[1:] or [ast.Pass()]
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        return self.generic_visit(node)
