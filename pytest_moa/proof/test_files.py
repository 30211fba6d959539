"""The project's test files as source: bodies of tests, and what one needs in a file of its own."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_moa.proof.writing import Written

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

#: Fixtures that pytest itself or a plug-in brings need no source; these are of the project's.
_FIXTURE = re.compile(r"\bfixture\b")


@dataclass(slots=True)
class TestFile:
    """One test file or conftest, taken apart."""

    path: Path
    package: str  #: the dotted name that its relative imports start from
    tree: ast.Module
    lines: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)  #: by the name that they bring
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    fixtures: dict[str, FunctionNode] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, root: Path) -> TestFile:
        """Read a file below `root`. Raises OSError, SyntaxError, ValueError."""
        parts: list[str] = []
        folder = path.parent
        while (folder / "__init__.py").is_file() and folder != root:
            parts.insert(0, folder.name)
            folder = folder.parent
        text = path.read_text(encoding="utf-8")
        found = cls(path, ".".join(parts), ast.parse(text), text.splitlines())
        for node in found.tree.body:
            found._note(node)
        return found

    def _note(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._note_import(node)
        elif isinstance(node, FunctionNode | ast.ClassDef):
            self.definitions.setdefault(node.name, []).append(node)
            if isinstance(node, FunctionNode) and is_fixture(node):
                self.fixtures[fixture_name(node)] = node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for name in bound_below(node):
                self.definitions.setdefault(name, []).append(node)
        else:
            for name in bound_below(node):
                self.definitions.setdefault(name, []).append(node)

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for one in node.names:
            bound = one.asname or one.name.partition(".")[0]
            alias = f" as {one.asname}" if one.asname else ""
            if isinstance(node, ast.Import):
                self.imports[bound] = f"import {one.name}{alias}"
                continue
            module = node.module or ""
            if node.level:
                parts = self.package.split(".") if self.package else []
                above = parts[: len(parts) - node.level + 1]
                module = ".".join([*above, *([module] if module else [])])
            self.imports[bound] = f"from {module} import {one.name}{alias}"

    def find(self, names: Sequence[str]) -> tuple[FunctionNode, ast.ClassDef | None] | None:
        """The function of a node id's parts, and the class around it."""
        body: Sequence[ast.stmt] = self.tree.body
        owner = None
        for name in names[:-1]:
            owner = next((one for one in body if isinstance(one, ast.ClassDef) and one.name == name), None)
            if owner is None:
                return None
            body = owner.body
        found = [one for one in body if isinstance(one, FunctionNode) and one.name == names[-1]]
        return (found[-1], owner) if found else None


def is_fixture(node: FunctionNode) -> bool:
    """Whether it is decorated as a fixture."""
    return any(_FIXTURE.search(ast.unparse(one)) for one in node.decorator_list)


def fixture_name(node: FunctionNode) -> str:
    """Under which name tests ask for it."""
    for one in node.decorator_list:
        if isinstance(one, ast.Call):
            for keyword in one.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return node.name


def is_autouse(node: FunctionNode) -> bool:
    """Whether tests get it without asking."""
    return is_fixture(node) and any("autouse=True" in ast.unparse(one) for one in node.decorator_list)


def bound_below(node: ast.AST) -> list[str]:
    """Names that a statement of a module binds."""
    found: list[str] = []
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found.append(one.id)
        elif isinstance(one, FunctionNode | ast.ClassDef):
            found.append(one.name)
        elif isinstance(one, ast.Import | ast.ImportFrom):
            found += [(inner.asname or inner.name).partition(".")[0] for inner in one.names]
    return found


def body_without_docstring(node: FunctionNode) -> list[ast.stmt]:
    """The statements that run."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return node.body[1:] if documented else list(node.body)


def arguments_of(node: FunctionNode) -> list[str]:
    """Names of all parameters."""
    given = node.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


class Standalone:
    """Writes a test of a file, with another body, as a module of its own."""

    def __init__(self, file: TestFile, conftests: Sequence[TestFile]) -> None:
        self.files = [file, *conftests]  # the nearest one first

    def module(
        self,
        node: FunctionNode,
        owner: ast.ClassDef | None,
        written: Written,
        arguments: Sequence[str],
        aim_name: str,
    ) -> str:
        """The module. `arguments` are the fixtures that the body still needs. Raises Unwritable."""
        body = "\n".join(written.body)
        support: dict[int, ast.stmt] = {}
        imports = set(written.imports)
        tree = ast.parse(body)
        wanted = [one for one in arguments if one != "self"]
        autouse = [
            name for file in self.files for name, fixture in file.fixtures.items() if is_autouse(fixture)
        ]
        decorators = [one for one in node.decorator_list if "parametrize" not in ast.unparse(one)]
        needs_self = owner is not None and ("self" in _names([tree]))
        extra: list[ast.stmt] = []
        if needs_self and owner is not None:
            extra = [
                one
                for one in owner.body
                if not (isinstance(one, FunctionNode) and one.name.startswith("test"))
                and not _is_docstring(one)
            ]
        for file in self.files[:1]:
            for mark in file.definitions.get("pytestmark", []):
                support[id(mark)] = mark
        pending = [*_names([tree, *decorators, *extra, *support.values()])]
        pending += [name for name in wanted if self._fixture(name) is not None]
        pending += [*autouse, *_used_fixtures([*decorators, *support.values()])]
        self._gather(pending, support, imports, bound=set(bound_below(tree)) - set(wanted), written=written)
        test = (
            f"def {name_of_test(node, aim_name)}({', '.join([*(['self'] if needs_self else []), *wanted])}):"
        )
        test = f"{'async ' * isinstance(node, ast.AsyncFunctionDef)}{test}\n{textwrap.indent(body, '    ')}"
        marks = "".join(f"@{ast.unparse(one)}\n" for one in decorators)
        test = marks + test
        if needs_self and owner is not None:
            bases = f"({', '.join(map(ast.unparse, owner.bases))})" if owner.bases else ""
            inner = "\n\n".join([*map(ast.unparse, extra), test])
            test = f"class {owner.name}{bases}:\n{textwrap.indent(inner, '    ')}"
        order = {
            id(one): (number, index)
            for number, file in enumerate(reversed(self.files))
            for index, one in enumerate(file.tree.body)
        }
        definitions = [
            ast.unparse(one)
            for _, one in sorted(support.items(), key=lambda pair: order.get(pair[0], (9, 0)))
        ]
        heading = "\n".join(
            sorted(imports, key=lambda one: ("__future__" not in one, one.startswith("from "), one))
        )
        parts = [heading, *definitions, written.support.strip("\n"), test]
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def _fixture(self, name: str) -> FunctionNode | None:
        return next((file.fixtures[name] for file in self.files if name in file.fixtures), None)

    def _gather(
        self,
        pending: list[str],
        support: dict[int, ast.stmt],
        imports: set[str],
        *,
        bound: set[str],
        written: Written,
    ) -> None:
        """Add definitions and imports until every name has its own."""
        brought = {name for one in written.imports for name in _brings(one)} | bound
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            found: list[ast.stmt] = []
            fixture = self._fixture(name) if name not in bound else None
            if fixture is not None:
                found = [fixture]
                pending += [one for one in arguments_of(fixture) if one not in ("self", "request")]
            if name not in brought:
                for file in self.files:
                    if name in file.definitions:
                        found += file.definitions[name]
                        break
                    if name in file.imports:
                        imports.add(file.imports[name])
                        break
            for one in found:
                if id(one) not in support:
                    support[id(one)] = one
                    pending += _names([one])
        future = [one for file in self.files[:1] for one in file.imports.values() if "__future__" in one]
        imports.update(future)


def _used_fixtures(marks: Iterable[ast.AST]) -> list[str]:
    """What marks name as fixtures that a test uses without an argument."""
    calls = [node for mark in marks for node in ast.walk(mark) if isinstance(node, ast.Call)]
    return [
        one.value
        for call in calls
        if ast.unparse(call.func).endswith("usefixtures")
        for one in call.args
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _brings(statement: str) -> set[str]:
    node = ast.parse(statement).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return {(one.asname or one.name).partition(".")[0] for one in node.names}


def name_of_test(node: FunctionNode, aim: str) -> str:
    """The test's own name: it still tests that."""
    return node.name if node.name.startswith("test") else f"test_{aim}"
