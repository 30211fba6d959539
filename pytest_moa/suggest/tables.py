"""Tests that differ in nothing but literals, as one parametrised test."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.cases import inlined, is_literal
from pytest_moa.suggest.naming import snake
from pytest_moa.suggest.reading import double_quoted

#: Rows and columns of one table, and characters of a row, beyond which nobody reads it.
ROWS, COLUMNS, WIDTH = 10, 4, 100

#: How columns of what is expected are called: they come last.
OUTCOMES = frozenset({"expected", "message"})

#: Names of parameters by the name of what is called: a function, or a class for its constructor.
Signatures = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Slot:
    """A literal in a test, and how a column of such literals would be called."""

    node: ast.expr
    source: str
    called: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A test without its literals. Tests with equal skeletons can be rows of one table."""

    function: ast.FunctionDef
    skeleton: str
    slots: tuple[Slot, ...]

    @property
    def row(self) -> tuple[str, ...]:
        """The literals, in order."""
        return tuple(slot.source for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of what differs, what is expected last; `slots` says which slot has which column."""

    names: tuple[str, ...]
    slots: Mapping[int, str]
    rows: tuple[tuple[str, ...], ...]


def shape_of(candidate: Candidate, signatures: Signatures) -> Shape | None:
    """The shape of a test that is a plain function without parameters; None for any other."""
    try:
        body = ast.parse(candidate.source).body
    except SyntaxError:
        return None
    if len(body) != 1 or not isinstance(function := body[0], ast.FunctionDef):
        return None
    if function.decorator_list or function.args.args:
        return None
    function.body = inlined(function.body)
    found: list[Slot] = []
    skeleton = _Skeleton(found, signatures).visit(copy.deepcopy(function))
    skeleton.name = "test"
    return Shape(function, ast.dump(skeleton), tuple(found))


def fits(group: Sequence[Shape], other: Shape) -> bool:
    """Whether another test makes a readable row of the table of these."""
    if len(group) >= ROWS or group[0].skeleton != other.skeleton:
        return False
    rows = [shape.row for shape in (*group, other)]
    differing = _differing(rows)
    if not 1 <= len(differing) <= COLUMNS:
        return False
    ids = [_row_id([row[index] for index in differing]) for row in rows]
    width = max(sum(len(row[index]) + 2 for index in differing) for row in rows)
    return len(set(ids)) == len(ids) and width <= WIDTH


def in_order(group: Sequence[Shape]) -> Sequence[Shape]:
    """The rows sorted by what differs first, where that has an order."""
    first = _differing([shape.row for shape in group])[0]
    try:
        return sorted(group, key=lambda shape: ast.literal_eval(shape.row[first]))
    except (ValueError, SyntaxError, TypeError):
        return group


def table_of(group: Sequence[Shape], taken: set[str]) -> Table:
    """The table of a group that fits; `taken` are names that its columns must not have."""
    rows = [shape.row for shape in group]
    called = {index: group[0].slots[index].called for index in _differing(rows)}
    columns: dict[tuple[str, ...], str] = {}  # columns that say the same are one
    for index in sorted(called, key=lambda index: called[index] in OUTCOMES):
        cells = tuple(row[index] for row in rows)
        if cells not in columns:
            columns[cells] = _free(called[index], {*taken, *columns.values()})
    slots = {index: columns[tuple(row[index] for row in rows)] for index in called}
    return Table(tuple(columns.values()), slots, tuple(zip(*columns, strict=True)))


def written(group: Sequence[Shape], table: Table, name: str) -> str:
    """The source of the parametrised test."""
    function = copy.deepcopy(group[0].function)
    filled = _Filled(table.slots).visit(function)
    body = [double_quoted(ast.unparse(statement)) for statement in filled.body]
    lines = [*_decorator(table), f"def {name}({', '.join(table.names)}):"]
    return "\n".join([*lines, *(f"    {line}" for text in body for line in text.split("\n"))])


class _Slots(ast.NodeTransformer):
    """Visits the literals of a test that can be cells, in order."""

    def __init__(self, signatures: Signatures) -> None:
        self.signatures = signatures

    def replaced(self, node: ast.expr, called: str) -> ast.expr:
        raise NotImplementedError

    def visit_Call(self, node: ast.Call) -> ast.expr:
        callee = ast.unparse(node.func)
        last = callee.rpartition(".")[2]
        node.func = self.visit(node.func)
        names = self.signatures.get(last, ())
        for index, argument in enumerate(node.args):
            if callee in ("pytest.raises", "isinstance"):
                continue
            called = "expected" if last == "approx" else names[index] if index < len(names) else ""
            called = called or ("value" if len(node.args) == 1 else _ORDINALS[min(index, 4)])
            node.args[index] = self._argument(argument, called)
        for keyword in node.keywords:
            called = "message" if callee == "pytest.raises" else keyword.arg or "options"
            keyword.value = self._argument(keyword.value, called)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node.left = self.visit(node.left)
        node.comparators = [self._argument(one, "expected") for one in node.comparators]
        return node

    def _argument(self, node: ast.expr, called: str) -> ast.expr:
        if is_literal(node):
            return self.replaced(node, called)
        changed: ast.expr = self.visit(node)
        return changed


_ORDINALS = ("first", "second", "third", "fourth", "fifth")


class _Skeleton(_Slots):
    def __init__(self, found: list[Slot], signatures: Signatures) -> None:
        super().__init__(signatures)
        self.found = found

    def replaced(self, node: ast.expr, called: str) -> ast.expr:
        self.found.append(Slot(node, double_quoted(ast.unparse(node)), snake(called) or "value"))
        return ast.Name("slot", ast.Load())


class _Filled(_Slots):
    """Puts the names of columns where the literals stood."""

    def __init__(self, column_of: Mapping[int, str]) -> None:
        super().__init__({})
        self.column_of = column_of
        self.number = -1

    def replaced(self, node: ast.expr, called: str) -> ast.expr:  # noqa: ARG002 - names are known
        self.number += 1
        name = self.column_of.get(self.number)
        return node if name is None else ast.Name(name, ast.Load())


def _differing(rows: Sequence[tuple[str, ...]]) -> list[int]:
    return [index for index, cells in enumerate(zip(*rows, strict=True)) if len(set(cells)) > 1]


def _decorator(table: Table) -> list[str]:
    one = len(table.names) == 1
    names = f'"{table.names[0]}"' if one else "({})".format(", ".join(f'"{name}"' for name in table.names))
    short = f"@pytest.mark.parametrize({names}, [{', '.join(_cells(row) for row in table.rows)}])"
    if one and len(short) <= 88:
        return [short]
    rows = [f"        {_cells(row)}," for row in table.rows]
    return ["@pytest.mark.parametrize(", f"    {names},", "    [", *rows, "    ],", ")"]


def _cells(row: tuple[str, ...]) -> str:
    return row[0] if len(row) == 1 else f"({', '.join(row)})"


def _row_id(cells: Sequence[str]) -> str:
    """A row as pytest names it, more or less: rows of one table must not be named alike."""
    return "-".join(cell.strip("'\"") for cell in cells)


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def names_in(tree: ast.AST) -> set[str]:
    """The names of variables, functions and classes in a tree."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return found | {node.name for node in ast.walk(tree) if isinstance(node, definitions)}
