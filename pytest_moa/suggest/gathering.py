"""What can be read of a target before a run: its code, what it uses, who calls it, how its tests look."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pytest_moa.mutation import Mutant
from pytest_moa.project import Project
from pytest_moa.suggest.brief import Brief, Survivor
from pytest_moa.suggest.needs import free_names
from pytest_moa.suggestions import ReachingTest
from pytest_moa.target import Target

#: Lines of one helper or class head, of all that surrounds a target, and of tests shown as style.
_HELPER, _AROUND, _STYLE = 14, 70, 50

#: Files that are looked through for callers, bytes of each, callers that are shown.
_FILES, _BYTES, _CALLERS = 400, 200_000, 4

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One module of the project, read once."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def names(self) -> frozenset[str]:
        """The functions, classes and values that the module defines at its top level."""
        found = set()
        for node in _top_level(self.tree.body):
            if isinstance(node, Definition):
                found.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                found |= {
                    part.id for part in ast.walk(node) if isinstance(part, ast.Name) and _is_stored(part)
                }
        return frozenset(found)

    def definition(self, qualname: str) -> tuple[ast.ClassDef | None, Definition | None]:
        """A function and the class that it is in, if any."""
        body: Sequence[ast.stmt] = self.tree.body
        owner: ast.ClassDef | None = None
        found: Definition | None = None
        for part in qualname.split("."):
            if isinstance(found, ast.ClassDef):
                owner = found
            found = next(
                (
                    node
                    for node in reversed(list(_top_level(body)))
                    if isinstance(node, Definition) and node.name == part
                ),
                None,
            )
            body = found.body if found is not None else []
        return owner, found

    def signatures(self, qualname: str) -> dict[str, tuple[str, ...]]:
        """Parameters of the function and of the class that it is in, and of the module's functions."""
        found: dict[str, tuple[str, ...]] = {}
        for one in _top_level(self.tree.body):
            if isinstance(one, ast.ClassDef):
                for method in one.body:
                    if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                        own = f"{one.name}.{method.name}" == qualname
                        if method.name in ("__init__", "__new__"):
                            found[one.name] = _parameters(method, one)
                        elif own:
                            found[method.name] = _parameters(method, one)
            elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(one.name, _parameters(one, None))
        return found

    def piece(self, node: ast.stmt) -> str:
        """A statement as it stands in the file, decorators included, dedented."""
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        return textwrap.dedent("\n".join(self.lines[first - 1 : node.end_lineno]))


@dataclass(frozen=True)
class Gathering:
    """Reads a project's files for briefs."""

    project: Project
    existing: Sequence[ReachingTest]

    def brief(
        self,
        target: Target,
        source: Source,
        *,
        branches: frozenset[str],
        reached: frozenset[str],
        mutants: Sequence[Mutant],
        killed: frozenset[str],
    ) -> Brief:
        """The brief of one target; all that existing tests do not kill counts as surviving."""
        owner, node = source.definition(target.qualname)
        lines = source.lines[target.first_line - 1 : target.last_line]
        return Brief(
            target=target,
            source=textwrap.dedent("\n".join(lines)),
            module_names=tuple(sorted(source.names)),
            signatures=source.signatures(target.qualname),
            around=self._around(source, owner, node),
            callers=tuple(self._callers(target, source)),
            style=self._style(target),
            branches=tuple(sorted(branches)),
            reached=tuple(sorted(reached & branches)),
            mutants=tuple(mutant.id for mutant in mutants),
            killed=tuple(mutant.id for mutant in mutants if mutant.id in killed),
            survivors=tuple(
                Survivor(mutant.id, mutant.line, _small_diff(source.lines, mutant))
                for mutant in mutants
                if mutant.id not in killed
            ),
        )

    def _around(self, source: Source, owner: ast.ClassDef | None, node: Definition | None) -> str:
        """Imports, constants and helpers that the target names, and the head of its class."""
        if node is None:
            return ""
        wanted = set(free_names(node)) | (set(free_names(owner)) if owner is not None else set())
        parts: list[str] = []
        left = _AROUND
        for one in _top_level(source.tree.body):
            if one is owner or one is node:
                continue
            text = ""
            if isinstance(one, ast.Import | ast.ImportFrom):
                bound = {alias.asname or alias.name.partition(".")[0] for alias in one.names}
                text = source.piece(one) if bound & wanted else ""
            else:
                names = {one.name} if isinstance(one, Definition) else _assigned(one)
                text = _shortened(source.piece(one)) if names & wanted else ""
            if text and (size := text.count("\n") + 1) <= left:
                left -= size
                parts.append(text)
        if owner is not None:
            parts.append(_head(source, owner, node))
        return "\n".join(parts)

    def _callers(self, target: Target, source: Source) -> Iterator[str]:
        name = target.qualname.rpartition(".")[2]
        if name.startswith("__") or len(name) < 4:
            return
        call = re.compile(rf"(?<![\w])(?<!def ){re.escape(name)}\(")
        found = 0
        for number, path in enumerate(self.project.sources(self.project.root)):
            if number >= _FILES or found >= _CALLERS:
                return
            text = source.text if path == source.path else _read(path)
            for line_number, line in enumerate(text.splitlines(), 1) if call.search(text) else ():
                own = path == source.path and target.first_line <= line_number <= target.last_line
                if call.search(line) and not own and found < _CALLERS:
                    found += 1
                    yield f"{self.project.shown(path)}:{line_number}: {line.strip()[:160]}"

    def _style(self, target: Target) -> str:
        """Up to two short tests that reach the target, or else that stand in the nearest test file."""
        near = sorted(
            (test for test in self.existing if target.name in test.reached),
            key=lambda test: (len(test.reached), test.nodeid),
        )
        parts: list[str] = []
        left = _STYLE
        files = dict.fromkeys(self.project.root / test.file for test in near) or dict.fromkeys(
            self._likely(target)
        )
        wanted = {test.nodeid.rpartition("::")[2].partition("[")[0] for test in near[:6]}
        for path in list(files)[:2]:
            try:
                source = Source(path, _read(path))
                nodes = list(source.tree.body)
            except (SyntaxError, ValueError):
                continue
            tests = [
                node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
            ]
            tests = [test for test in tests if test.name in wanted] or tests
            for test in tests[:2]:
                text = source.piece(test)
                if (size := text.count("\n") + 1) <= left:
                    left -= size
                    parts.append(text)
        return "\n\n".join(parts)

    def _likely(self, target: Target) -> list[Path]:
        stem = target.module.rpartition(".")[2].strip("_")
        files = [path for path in self.project.test_files() if path.name != "conftest.py"]
        return sorted(files, key=lambda path: (stem not in path.stem, path))[:1]


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef | None) -> tuple[str, ...]:
    arguments = node.args
    names = tuple(one.arg for one in (*arguments.posonlyargs, *arguments.args))
    static = any(ast.unparse(one) == "staticmethod" for one in node.decorator_list)
    return names[1:] if owner is not None and not static else names


def _head(source: Source, owner: ast.ClassDef, node: Definition) -> str:
    """A class without the bodies of its methods, but for the one that makes it."""
    first = min([owner.lineno, *(one.lineno for one in owner.decorator_list)])
    lines = source.lines[first - 1 : owner.body[0].lineno - 1] or [source.lines[owner.lineno - 1]]
    left = _AROUND
    for one in owner.body:
        if one is node:
            continue
        start = min([one.lineno, *(d.lineno for d in getattr(one, "decorator_list", ()))])
        text = source.lines[start - 1 : one.end_lineno]
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name not in (
            "__init__",
            "__new__",
        ):
            text = [*source.lines[start - 1 : one.body[0].lineno - 1], f"{' ' * (one.col_offset + 4)}..."]
        if len(text) <= left:
            left -= len(text)
            lines += text
    return "\n".join(lines)


def _shortened(text: str) -> str:
    lines = text.split("\n")
    return text if len(lines) <= _HELPER else "\n".join([*lines[: _HELPER - 1], "    ..."])


def _small_diff(lines: Sequence[str], mutant: Mutant) -> str:
    """The lines that a mutant changes, before and after."""
    before = lines[mutant.line - 1 : mutant.end_line]
    text = f"{before[0][: mutant.column]}{mutant.after}{before[-1][mutant.end_column :]}"
    old = "\n".join(f"- {line.strip()}" for line in before)
    new = "\n".join(f"+ {line.strip()}" for line in text.split("\n") if line.strip()) or "+"
    return f"line {mutant.line}:\n{old}\n{new}"


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a body, those under conditions and `try` too."""
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _top_level(node.body)
            yield from _top_level(getattr(node, "orelse", []))
            for handler in getattr(node, "handlers", []):
                yield from _top_level(handler.body)
        else:
            yield node


def _assigned(node: ast.stmt) -> set[str]:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return set()
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and _is_stored(part)}


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _read(path: Path) -> str:
    if path.stat().st_size > _BYTES:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def sources_of(targets: Sequence[Target], project: Project) -> Mapping[str, Source]:
    """The modules of the targets, by dotted name."""
    found: dict[str, Source] = {}
    for target in targets:
        if target.module not in found:
            path = project.root / target.path
            found[target.module] = Source(path, path.read_text(encoding="utf-8"))
    return found
