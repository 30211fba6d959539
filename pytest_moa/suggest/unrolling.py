"""Loops over literal tables, and parametrised tests, taken apart: one wrong row then costs only itself."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence

#: Rows of one table that are taken.
_ROWS = 40


#: One row of a table, as the assignments that it stands for.
Row = list[ast.stmt]


def unrolled(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements with loops over literal tables written out, if they assert something."""
    known: dict[str, ast.expr] = {}
    result: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = value
                result.append(statement)
            case ast.For(orelse=[]) if (rows := _rows_of_loop(statement, known)) is not None:
                for row in rows:
                    result += row
                    result += unrolled([copy.deepcopy(inner) for inner in statement.body])
            case ast.With() if _is_sub_test(statement):
                result += unrolled(statement.body)
            case _:
                result.append(statement)
    return result


def rows_of_parametrization(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Row] | None:
    """The rows of a test's one literal `parametrize`; None where it has none, several, or another one."""
    marks = [mark for mark in function.decorator_list if "parametrize" in ast.unparse(mark)]
    if len(marks) != 1 or not isinstance(marks[0], ast.Call) or len(marks[0].args) < 2:
        return None
    names = _parameter_names(marks[0].args[0])
    table = marks[0].args[1]
    if not names or not isinstance(table, ast.List | ast.Tuple):
        return None
    target: ast.expr = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
    if len(names) == 1:
        target = ast.Name(names[0], ast.Store())
    rows = []
    for element in table.elts[:_ROWS]:
        value = element
        if isinstance(element, ast.Call):  # pytest.param
            if not ast.unparse(element.func).endswith("param") or any(
                k.arg != "id" for k in element.keywords
            ):
                continue
            value = (
                element.args[0] if len(names) == 1 and element.args else ast.Tuple(element.args, ast.Load())
            )
        if (assigned := _assigned(target, value)) is not None:
            rows.append(assigned)
    return rows or None


def _rows_of_loop(loop: ast.For, known: Mapping[str, ast.expr]) -> list[Row] | None:
    if not any(isinstance(part, ast.Assert) for part in ast.walk(loop)):
        return None
    if any(isinstance(part, ast.Break | ast.Continue) for part in ast.walk(loop)):
        return None
    table, target = loop.iter, loop.target
    if isinstance(table, ast.Name):
        table = known.get(table.id, table)
    match table:
        case ast.Call(func=ast.Attribute(value=inner, attr="items"), args=[]):
            inner = known.get(inner.id, inner) if isinstance(inner, ast.Name) else inner
            if not isinstance(inner, ast.Dict) or None in inner.keys:
                return None
            pairs = zip(inner.keys, inner.values, strict=True)
            elements: list[ast.expr] = [ast.Tuple([key, value], ast.Load()) for key, value in pairs if key]
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            pass
        case _:
            return None
    rows = [_assigned(target, element) for element in elements[:_ROWS]]
    return [row for row in rows if row is not None] if any(rows) else None


def _assigned(target: ast.expr, value: ast.expr) -> list[ast.stmt] | None:
    """The assignments of an unpacking, one name each; None where the two do not fit."""
    if isinstance(value, ast.Starred):
        return None
    if isinstance(target, ast.Name):
        return [ast.Assign([ast.Name(target.id, ast.Store())], value, lineno=1)]
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        if len(target.elts) != len(value.elts):
            return None
        parts = [_assigned(one, other) for one, other in zip(target.elts, value.elts, strict=True)]
        return None if None in parts else [statement for part in parts if part for statement in part]
    return None


def _is_sub_test(statement: ast.With) -> bool:
    """`with self.subTest(...)`: says nothing but which row it is."""
    return all(
        isinstance(item.context_expr, ast.Call) and ast.unparse(item.context_expr.func).endswith("subTest")
        for item in statement.items
    )


def _parameter_names(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as text):
            return [name.strip() for name in text.split(",") if name.strip()]
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [
                one.value for one in elements if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
    return []
