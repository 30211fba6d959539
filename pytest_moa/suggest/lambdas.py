"""Lambdas that have a name become functions: `inc = lambda x: x + 1` is what linters refuse."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from dataclasses import replace

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.unparsing import unparsed


def without_named_lambdas(candidate: Candidate) -> Candidate:
    """The same test; a lambda with a name is written where it is used once, else as a function."""
    if "lambda" not in candidate.source + candidate.support:
        return candidate
    candidate = replace(candidate, support=_support(candidate.support))
    try:
        (function,) = ast.parse(candidate.source).body
    except (SyntaxError, ValueError):
        return candidate
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return candidate
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    stored = Counter(node.id for node in names if not isinstance(node.ctx, ast.Load))
    values: dict[str, ast.Lambda] = {}
    body: list[ast.stmt] = []
    for statement in function.body:
        named = _named(statement)
        if named is not None and _is_argument_once(function, named[0], named[1], stored):
            values[named[0]] = named[1]
        else:
            body.append(statement)
    function.body = body
    function = _Rewritten(values).visit(function)
    source = unparsed(function)
    if isinstance(function.body[0], ast.FunctionDef):
        source = source.replace("):\n\n", "):\n", 1)
    if source == unparsed(ast.parse(candidate.source)):
        return candidate
    case = candidate.case
    if case is not None:
        setup = [node for text in case.setup for node in ast.parse(text).body]
        left = [node for node in setup if not ((named := _named(node)) and named[0] in values)]
        written = tuple(unparsed(_Rewritten(values).visit(node)) for node in left)
        arguments = tuple(
            (name, unparsed(_Rewritten(values).visit(ast.parse(text, mode="eval"))))
            for name, text in case.arguments
        )
        case = replace(case, setup=written, arguments=arguments)
    return replace(candidate, source=source, case=case)


def _support(source: str) -> str:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return source
    if not any(map(_named, body)):
        return source
    return "\n\n\n".join(unparsed(_Rewritten({}).visit(node)) for node in body)


def _named(statement: ast.stmt) -> tuple[str, ast.Lambda] | None:
    match statement:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.Lambda() as value)
        ):
            return name, value
    return None


def _is_argument_once(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    name: str,
    value: ast.Lambda,
    stored: Counter[str],
) -> bool:
    """Whether it is given to a call once and read nowhere else, and reads nothing that could change."""
    reads = [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    given = [
        part
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        for part in (*node.args, *(one.value for one in node.keywords))
        if isinstance(part, ast.Name) and part.id == name
    ]
    free = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    return reads.count(name) == len(given) == stored[name] == 1 and not free & set(stored)


class _Rewritten(ast.NodeTransformer):
    def __init__(self, values: dict[str, ast.Lambda]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self.values:
            return copy.deepcopy(self.values[node.id])
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        return self._statement(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return self._statement(node)

    def _statement(self, node: ast.stmt) -> ast.stmt:
        self.generic_visit(node)
        if (named := _named(node)) is None:
            return node
        name, value = named
        made = ast.FunctionDef(name=name, args=value.args, body=[ast.Return(value.body)], decorator_list=[])
        return ast.copy_location(made, node)
