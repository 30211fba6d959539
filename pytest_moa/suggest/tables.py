"""Tests of one shape as one parametrised test."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_moa.suggest.shapes import ARGUMENT, ARGUMENTS, Shape, Slot
from pytest_moa.suggest.unparsing import unparsed

#: Rows and columns of one table, and characters of a row, beyond which nobody reads it.
ROWS, COLUMNS, WIDTH = 15, 5, 110

#: The column of optional arguments that not every row gives.
OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of what differs, what is expected last, and what stands in each slot instead.

    `slots` maps slots to columns, `optional` are the arguments that make up the column `options`.
    """

    names: tuple[str, ...]
    slots: Mapping[str, str]
    optional: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def fits(group: Sequence[Shape], other: Shape) -> bool:
    """Whether another test makes a readable row of the table of these."""
    if not group:
        return True
    if len(group) >= ROWS or group[0].key != other.key:
        return False
    shapes = [*group, other]
    if any(shape.given == other.given for shape in group) or not _agree(shapes):
        return False
    nameless = any("by position" in name for shape in shapes for name in shape.aimed)
    if nameless and any(shape.positional != other.positional for shape in group):
        return False
    table = table_of(shapes, ())
    if len(table.names) > COLUMNS:
        return False
    ids = {_row_id(number, row) for number, row in enumerate(table.rows)}
    return len(ids) == len(shapes) and all(_width(row) <= WIDTH for row in table.rows)


def in_order(group: Sequence[Shape]) -> Sequence[Shape]:
    """The simple ones first: those with few options, by number, or the shorter ones."""
    table = table_of(group, ())
    cells = dict(zip((id(shape) for shape in group), table.rows, strict=True))

    def simplicity(shape: Shape) -> tuple[int, float, int, tuple[str, ...]]:
        row = cells[id(shape)]
        options = sum(ARGUMENT + name in shape.slots for name in table.optional)
        return options, _number(row[0]), _width(row), row

    return sorted(group, key=simplicity)


def table_of(group: Sequence[Shape], taken: Iterable[str]) -> Table:
    """The table of tests of one shape; `taken` are names that its columns must not have."""
    keys = list(dict.fromkeys(key for shape in group for key in shape.slots))
    first = group[0]
    keys.sort(key=lambda key: _place(key, first))
    columns = {key: tuple(_cell(shape, key) for shape in group) for key in keys}
    partial = [key for key in keys if key.startswith(ARGUMENT) and "" in columns[key]]
    differing = [key for key in keys if key not in partial and len(set(columns[key])) > 1]
    if len(differing) + bool(partial) > COLUMNS:
        loose = [key for key in differing if _is_optional(key, group)]
        partial = [key for key in keys if key in partial or key in loose]
        differing = [key for key in differing if key not in loose]
    slot = {key: _slot(group, key) for key in differing}
    given = [key for key in differing if not slot[key].outcome]
    expected = [key for key in differing if slot[key].outcome]
    named: dict[tuple[str, tuple[str, ...]], str] = {}  # what is called the same and is the same is one
    used = set(taken)
    for key in given:
        _name(named, columns[key], slot[key].called, used)
    if partial:
        named[OPTIONS, _options(group, partial)] = _free(OPTIONS, used)
        used.add(OPTIONS)
    for key in expected:
        _name(named, columns[key], slot[key].called, used)
    slots = {key: named[slot[key].called, columns[key]] for key in differing}
    rows = tuple(zip(*(cells for _, cells in named), strict=True)) if named else ()
    return Table(tuple(named.values()), slots, tuple(key.removeprefix(ARGUMENT) for key in partial), rows)


def has_options(table: Table, shape: Shape) -> bool:
    """Whether a row gives any of the optional arguments."""
    return any(ARGUMENT + name in shape.slots for name in table.optional)


def written(group: Sequence[Shape], table: Table, name: str) -> str:
    """The source of the parametrised test."""
    function = copy.deepcopy(group[0].template)
    _Filled(group, table).visit(function)
    body = [unparsed(statement) for statement in function.body]
    fixtures = [one.arg for one in function.args.args]
    lines = [*_decorator(table), f"def {name}({', '.join([*fixtures, *table.names])}):"]
    return "\n".join([*lines, *(f"    {line}" for text in body for line in text.split("\n"))])


def names_in(tree: ast.AST) -> set[str]:
    """The names of variables, parameters, functions and classes in a tree."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return found | {node.name for node in ast.walk(tree) if isinstance(node, definitions)}


class _Filled(ast.NodeTransformer):
    """Puts columns, or what is the same in all rows, where the slots are."""

    def __init__(self, group: Sequence[Shape], table: Table) -> None:
        self.group = group
        self.table = table

    def visit_Name(self, node: ast.Name) -> ast.expr:
        key = node.id.removeprefix("slot ")
        return self._value(key) if node.id != key else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        right = node.comparators[0]
        if isinstance(right, ast.Name) and isinstance(node.ops[0], ast.Eq):
            cells = {_cell(shape, right.id.removeprefix("slot ")) for shape in self.group}
            if cells <= {"None", "True", "False"}:
                node.ops = [ast.Is()]
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        marker = next((one for one in node.keywords if ast.unparse(one.value) == ARGUMENTS), None)
        if marker is not None:
            node.keywords.remove(marker)
            self._arguments(node)
        self.generic_visit(node)
        if ast.unparse(node.func) == "pytest.raises":
            node.keywords = [one for one in node.keywords if ast.unparse(one.value) != "None"]
        return node

    def _arguments(self, node: ast.Call) -> None:
        values = {one.arg or "": one.value for one in node.keywords}
        for name in self._parameters():
            if name not in self.table.optional and any(ARGUMENT + name in one.slots for one in self.group):
                values[name] = self._value(ARGUMENT + name)
        node.keywords = []
        leading = True
        for index, name in enumerate(self._parameters()):
            if name not in values:
                leading = False
                continue
            by_position = [name in shape.positional for shape in self.group]
            leading = leading and (all(by_position) or (index == 0 and any(by_position)))
            if leading:
                node.args.append(values[name])
            else:
                node.keywords.append(ast.keyword(name, values[name]))
        if self.table.optional:
            column = next(one for one in self.table.names if one.startswith(OPTIONS))
            node.keywords.append(ast.keyword(None, ast.Name(column, ast.Load())))

    def _parameters(self) -> list[str]:
        return list(dict.fromkeys(name for shape in self.group for name in shape.aimed))

    def _value(self, key: str) -> ast.expr:
        column = self.table.slots.get(key)
        if column is not None:
            return ast.Name(column, ast.Load())
        return ast.parse(_cell(self.group[0], key), mode="eval").body


def _agree(shapes: Sequence[Shape]) -> bool:
    """Whether names mean the same in all of them, and True and 1 cannot be taken for each other."""
    bound: dict[str, str] = {}
    for shape in shapes:
        for name, origin in shape.imports.items():
            if bound.setdefault(name, origin) != origin:
                return False
    for key, slot in shapes[0].slots.items():
        if slot.outcome:
            cells = {_cell(shape, key) for shape in shapes}
            if cells & {"True", "False"} and not cells <= {"None", "True", "False"}:
                return False
    return True


def _is_optional(key: str, group: Sequence[Shape]) -> bool:
    name = key.removeprefix(ARGUMENT)
    return key.startswith(ARGUMENT) and not any(name in shape.positional for shape in group)


def _place(key: str, first: Shape) -> tuple[int, int]:
    """Where a slot's column is: what makes the object before what is given to its method."""
    if key.startswith(ARGUMENT):
        name = key.removeprefix(ARGUMENT)
        return 1, first.aimed.index(name) if name in first.aimed else len(first.aimed)
    return 0, int(key)


def _cell(shape: Shape, key: str) -> str:
    """A row's source for a slot; "" for an argument that it does not give."""
    slot = shape.slots.get(key)
    return "" if slot is None else slot.source


def _slot(group: Sequence[Shape], key: str) -> Slot:
    return next(shape.slots[key] for shape in group if key in shape.slots)


def _options(group: Sequence[Shape], keys: Sequence[str]) -> tuple[str, ...]:
    """The column of dictionaries of the arguments that not all rows give."""
    cells = []
    for shape in group:
        own = [
            f'"{key.removeprefix(ARGUMENT)}": {shape.slots[key].source}' for key in keys if key in shape.slots
        ]
        cells.append(f"{{{', '.join(own)}}}")
    return tuple(cells)


def _name(
    named: dict[tuple[str, tuple[str, ...]], str], cells: tuple[str, ...], called: str, used: set[str]
) -> None:
    if (called, cells) not in named:
        named[called, cells] = _free(called, used)
        used.add(named[called, cells])


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


def _width(row: Sequence[str]) -> int:
    return sum(len(cell) + 2 for cell in row)


def _row_id(number: int, cells: Sequence[str]) -> str:
    """A row as pytest names it, more or less: rows of one table must not be named alike."""
    return "-".join(
        f"#{number}" if cell[:1] in "[({" or cell[-1:] == ")" else cell.strip("'\"") for cell in cells
    )


def _number(source: str) -> float:
    """The number that a cell is; what is none comes after all numbers."""
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return math.inf
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else math.inf


def _free(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
