"""What a test needs of the module that it was written in: imports, fixtures, helpers, constants."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_moa.suggest.reading import text_of

_BUILTIN = frozenset(dir(builtins)) | {"__file__", "__name__"}

#: What models use without importing it.
_WELL_KNOWN: Mapping[str, str] = {
    "Decimal": "from decimal import Decimal",
    "Enum": "from enum import Enum",
    "Fraction": "from fractions import Fraction",
    "MagicMock": "from unittest.mock import MagicMock",
    "Mock": "from unittest.mock import Mock",
    "OrderedDict": "from collections import OrderedDict",
    "Path": "from pathlib import Path",
    "StringIO": "from io import StringIO",
    "call": "from unittest.mock import call",
    "date": "from datetime import date",
    "defaultdict": "from collections import defaultdict",
    "patch": "from unittest.mock import patch",
    "pytest": "import pytest",
    "timedelta": "from datetime import timedelta",
    "timezone": "from datetime import timezone",
}

#: Modules that models make up for the code they were shown.
_MADE_UP = frozenset(
    "__main__ code example file_name main module my_code my_module mymodule program script solution source "  # noqa: SIM905
    "target target_module the_module your_code your_file your_module your_module_name yourmodule".split()
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Home:
    """The module that is tested: its dotted name, and the names that it defines at its top level."""

    module: str
    names: frozenset[str]

    @property
    def last_part(self) -> str:
        """The name by which code that imports the module itself calls it."""
        return self.module.rpartition(".")[2]


@dataclass(slots=True)
class Surroundings:
    """The names that a model's module binds at its top level."""

    home: Home
    imports: dict[str, str] = field(default_factory=dict)  #: name -> import statement
    definitions: dict[str, Definition] = field(default_factory=dict)
    values: dict[str, list[ast.stmt]] = field(default_factory=dict)  #: name -> what assigns to it
    star: list[str] = field(default_factory=list)  #: star imports of other modules than the tested one
    order: dict[int, int] = field(default_factory=dict)  #: id of a node -> its place

    def add(self, statement: ast.stmt) -> None:
        """Take in a top-level statement. A copy of what is tested is no part of a test."""
        self.order[id(statement)] = len(self.order)
        match statement:
            case ast.Import() | ast.ImportFrom():
                self._add_import(statement)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if statement.name not in self.home.names:
                    self.definitions[statement.name] = statement
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                for name in bound_names([statement]):
                    if name not in self.home.names:
                        self.values.setdefault(name, []).append(statement)

    def needs_of(
        self, nodes: Sequence[ast.AST], parameters: Iterable[str] = ()
    ) -> tuple[tuple[str, ...], str]:
        """Import statements and support source for these nodes; fixtures are needed by parameter name."""
        modules = _used_as_modules(nodes)
        fixtures = [name for name in parameters if name in self.definitions]
        wanted = [*(name for node in nodes for name in free_names(node)), *fixtures]
        imports: dict[str, None] = {}
        support: dict[int, ast.stmt] = {}
        seen: set[str] = set()
        while wanted:
            name = wanted.pop(0)
            if name in seen:
                continue
            seen.add(name)
            if name in self.definitions:
                definition = self.definitions[name]
                support[id(definition)] = definition
                wanted += free_names(definition)
                if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef) and is_fixture(definition):
                    wanted += [one for one in parameters_of(definition) if one in self.definitions]
            elif name in self.values:
                for statement in self.values[name]:
                    support[id(statement)] = statement
                    wanted += free_names(statement)
            elif (found := self._import_of(name, is_module=name in modules)) is not None:
                imports[found] = None
        imports.update(dict.fromkeys(self.star))
        texts = [text_of(support[key]) for key in sorted(support, key=lambda key: self.order[key])]
        return tuple(sorted(imports, key=_import_order)), "\n\n\n".join(texts)

    def _import_of(self, name: str, *, is_module: bool) -> str | None:
        if is_module and self.imports.get(name, "").startswith("import "):
            return self.imports[name]
        if name in self.home.names:
            return f"from {self.home.module} import {name}"
        if name in self.imports:
            return self.imports[name]
        if name in _BUILTIN:
            return None
        if name in _WELL_KNOWN:
            return _WELL_KNOWN[name]
        if name == self.home.last_part:
            parent, _, last = self.home.module.rpartition(".")
            return f"from {parent} import {last}" if parent else f"import {last}"
        return f"import {name}" if name in sys.stdlib_module_names else None

    def _add_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                called = alias.asname or alias.name.partition(".")[0]
                if alias.name.partition(".")[0] in _MADE_UP and alias.name != self.home.module:
                    self.imports[called] = f"import {self.home.module} as {called}"
                else:
                    self.imports[called] = ast.unparse(ast.Import([alias]))
            return
        module = "." * statement.level + (statement.module or "")
        if module == "__future__":
            return
        for alias in statement.names:
            if alias.name == "*":
                if module != self.home.module and module.partition(".")[0] not in _MADE_UP:
                    self.star.append(f"from {module} import *")
                continue
            called = alias.asname or alias.name
            origin = self.home.module if alias.name in self.home.names else module
            renamed = f" as {alias.asname}" if alias.asname and alias.asname != alias.name else ""
            self.imports[called] = f"from {origin} import {alias.name}{renamed}"


def _used_as_modules(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that stand before a dot and are never called themselves: `slugify` in `slugify.slugify("a")`."""
    parts = [part for node in nodes for part in ast.walk(node)]
    dotted = {
        part.value.id
        for part in parts
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)
    }
    called = {
        part.func.id for part in parts if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
    return dotted - called


def free_names(node: ast.AST) -> list[str]:
    """The global names that a statement or expression reads, in order of appearance."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        table = symtable.symtable(ast.unparse(node), "<test>", "exec")
        found = {name for inner in [table, *_tables(table)] for name in _globals(inner)} - {node.name}
        order = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
        return list(dict.fromkeys(name for name in order if name in found))
    local = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)} | {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    names = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    return list(dict.fromkeys(name for name in names if name not in local))


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _tables(child)


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()


def bound_names(statements: Iterable[ast.stmt]) -> set[str]:
    """The names that statements assign to."""
    return {
        part.id
        for statement in statements
        for part in ast.walk(statement)
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
    }


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names of a function's parameters: for tests and fixtures, what pytest hands in."""
    arguments = function.args
    return [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is decorated as a fixture."""
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def _import_order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement
