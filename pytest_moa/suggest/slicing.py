"""A test with several asserts as several tests: each assert with the statements that it depends on."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

from pytest_moa.suggest.needs import bound_names


def slices(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """One list of statements for each check in the body, in their order."""
    body = [statement for statement in body if not _says_nothing(statement)]
    for number, statement in enumerate(body):
        if is_check(statement):
            yield _slice(body[:number], statement)


def is_check(statement: ast.stmt) -> bool:
    """Whether a statement checks something: an assert, `with pytest.raises`, or a block with one."""
    return any(
        isinstance(part, ast.Assert)
        or (isinstance(part, ast.withitem) and _name(part.context_expr).endswith(("raises", "warns")))
        or (isinstance(part, ast.Call) and ".assert_" in f".{_name(part)}")
        for part in ast.walk(statement)
    )


def _slice(before: Sequence[ast.stmt], check: ast.stmt) -> list[ast.stmt]:
    """What the check depends on, from the last statement to the first, and the check."""
    local = bound_names([*before, check])
    needed = _reads(check)
    kept: list[ast.stmt] = [check]
    for statement in reversed(before):
        binds = bound_names([statement])
        if isinstance(statement, ast.Assign | ast.AnnAssign) and all(
            isinstance(target, ast.Name) for target in _targets(statement)
        ):
            if not binds & needed:
                continue
            needed -= binds
        elif is_check(statement):
            effects = _effects(statement, needed & local)
            if not effects:
                continue
            kept[:0] = effects
            for effect in effects:
                needed |= _reads(effect)
            continue
        elif isinstance(statement, ast.Expr):
            read = _reads(statement) & local
            if not isinstance(statement.value, ast.Call | ast.Await) or (read and not read & needed):
                continue
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if statement.name not in needed:
                continue
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            if not {alias.asname or alias.name.partition(".")[0] for alias in statement.names} & needed:
                continue
        elif not (binds | _reads(statement)) & needed:
            continue
        kept.insert(0, statement)
        needed |= _reads(statement)
    return [copy.deepcopy(statement) for statement in kept]


def _effects(check: ast.stmt, objects: set[str]) -> list[ast.stmt]:
    """An earlier check without its assertion, where it calls something on an object that is needed later."""
    if not isinstance(check, ast.Assert):
        return [check] if objects & _reads(check) else []
    sides = (
        [check.test.left, *check.test.comparators] if isinstance(check.test, ast.Compare) else [check.test]
    )
    return [
        ast.fix_missing_locations(ast.Expr(copy.deepcopy(side)))
        for side in sides
        if objects & _reads(side) and any(isinstance(part, ast.Call) for part in ast.walk(side))
    ]


def _reads(node: ast.AST) -> set[str]:
    return {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def _says_nothing(statement: ast.stmt) -> bool:
    """Docstrings, `pass`, prints: no part of what a test checks."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
    return False


def _name(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""
