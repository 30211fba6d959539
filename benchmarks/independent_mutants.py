"""Mutants for measuring suites, made without any code of the product: plain `ast`, and `unparse`."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndependentMutant:
    """A whole module's source with one change."""

    line: int
    what: str
    source: str


def independent_mutants(source: str) -> list[IndependentMutant]:
    """One mutant per place and operator, in order, inside functions; docstrings and annotations are left."""
    tree = ast.parse(source)
    places = list(_places(tree))
    mutants = []
    for index, (node, _) in enumerate(places):
        for what in _changes(node):
            changed = copy.deepcopy(tree)
            again = list(_places(changed))[index]
            _apply(*again, what)
            ast.fix_missing_locations(changed)
            mutants.append(IndependentMutant(getattr(node, "lineno", 0), what, ast.unparse(changed) + "\n"))
    return mutants


def _places(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Nodes that run inside functions, each with its parent."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any(isinstance(d, ast.Name) and d.id == "overload" for d in function.decorator_list):
            continue
        for statement in function.body:
            yield from _inside(statement, function)


def _inside(node: ast.AST, parent: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.JoinedStr):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield node, parent
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "ctx"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _inside(child, node)


def _changes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield "comparison"
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            yield "operator"
        case ast.BoolOp():
            yield "and/or"
        case ast.If() | ast.While() | ast.IfExp():
            yield "condition"
        case ast.UnaryOp(op=ast.Not()):
            yield "not"
        case ast.Constant(value=bool() | int() | str()):
            yield "constant"
        case ast.Return(value=ast.expr() as value) if not (
            isinstance(value, ast.Constant) and value.value is None
        ):
            yield "return"
        case ast.Expr(value=ast.Call()):
            yield "call"


def _apply(node: ast.AST, parent: ast.AST, what: str) -> None:
    match node, what:
        case ast.Compare(), "comparison":
            node.ops = [COMPARISONS[type(node.ops[0])]()]
        case ((ast.BinOp() | ast.AugAssign()), "operator"):
            node.op = OPERATORS[type(node.op)]()
        case ast.BoolOp(), "and/or":
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ((ast.If() | ast.While() | ast.IfExp()), "condition"):
            node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
        case ast.UnaryOp(), "not":
            _replace(parent, node, node.operand)
        case ast.Constant(value=bool() as value), "constant":
            node.value = not value
        case ast.Constant(value=int() as value), "constant":
            node.value = value + 1
        case ast.Constant(value=str() as value), "constant":
            node.value = f"XX{value}XX"
        case ast.Return(), "return":
            node.value = ast.Constant(value=None)
        case ast.Expr(), "call":
            _replace(parent, node, ast.Pass())


def _replace(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for field, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, field, new)
        elif isinstance(value, list) and old in value:
            value[value.index(old)] = new
