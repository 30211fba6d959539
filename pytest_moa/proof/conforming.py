"""Whether a program keeps to what the code declares: who passes a text for an `int` shows nothing."""

from __future__ import annotations

import ast
import contextlib
import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

#: Elements of a container that are looked at.
MOST_ELEMENTS = 5


def violations(source: str, names: Mapping[str, Any]) -> list[str]:
    """Arguments in a program that do not fit their parameter's annotation, or no parameter at all.

    `names` are the globals that the program runs with. What cannot be known is taken to fit.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    scope = dict(names)
    made = _made(tree, scope)
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function, skips = _callee(node.func, scope, made)
            if function is not None:
                found += _misfits(node, function, skips, scope, made)
    return found


def _made(tree: ast.AST, scope: dict[str, Any]) -> dict[str, type | None]:
    """Local variables with the class that they were made by, None if that is not known."""
    made: dict[str, type | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            with contextlib.suppress(Exception):
                exec(ast.unparse(node), scope)  # noqa: S102 - in a sandbox
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.setdefault(node.id, None)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.setdefault(node.name, None)
        elif isinstance(node, ast.arg):
            made.setdefault(node.arg, None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kind = _resolved(node.value.func, scope, made)
            for target in node.targets:
                if isinstance(target, ast.Name) and isinstance(kind, type):
                    made[target.id] = kind
    return made


def _resolved(node: ast.expr, scope: Mapping[str, Any], made: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return None if node.id in made else scope.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, scope, made)
        if isinstance(owner, types.ModuleType | type):
            return inspect.getattr_static(owner, node.attr, None)
    return None


def _callee(node: ast.expr, scope: Mapping[str, Any], made: Mapping[str, type | None]) -> tuple[Any, bool]:
    """The function behind a call, and whether its first parameter is bound already."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        kind = made.get(node.value.id)
        if kind is not None:
            found = inspect.getattr_static(kind, node.attr, None)
            bound = not isinstance(found, staticmethod)
            return getattr(found, "__func__", found), bound
    if isinstance(node, ast.Name) and (kind := made.get(node.id)) is not None:
        return inspect.getattr_static(kind, "__call__", None), True
    found = _resolved(node, scope, made)
    if isinstance(found, staticmethod | classmethod):
        return found.__func__, isinstance(found, classmethod)
    if isinstance(found, type):
        made_by = inspect.getattr_static(found, "__init__", None)
        return (made_by, True) if isinstance(made_by, types.FunctionType) else (None, False)
    return (found, False) if isinstance(found, types.FunctionType) else (None, False)


def _misfits(
    node: ast.Call, function: Any, skips: bool, scope: Mapping[str, Any], made: Mapping[str, Any]
) -> list[str]:
    function = inspect.unwrap(function) if callable(function) else function
    if not isinstance(function, types.FunctionType):
        return []
    try:
        hints = typing.get_type_hints(function)
        parameters = list(inspect.signature(function).parameters.values())[int(skips) :]
    except Exception:
        return []
    found = []
    for name, value in _bound(node, parameters):
        if name in hints and _is_known(value, made):
            with contextlib.suppress(Exception):
                code = compile(ast.Expression(value), "<argument>", "eval")
                if not fits(eval(code, dict(scope)), hints[name]):  # noqa: S307 - in a sandbox
                    found.append(f"{name}={ast.unparse(value)}")
    return found


def _bound(node: ast.Call, parameters: Sequence[inspect.Parameter]) -> list[tuple[str, ast.expr]]:
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    rest = next((one for one in parameters if one.kind is one.VAR_POSITIONAL), None)
    found: list[tuple[str, ast.expr]] = []
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            break
        if index < len(places):
            found.append((places[index].name, argument))
        elif rest is not None:
            found.append((rest.name, argument))
    more = next((one.name for one in parameters if one.kind is one.VAR_KEYWORD), "")
    known = {one.name for one in parameters}
    found += [(one.arg if one.arg in known else more, one.value) for one in node.keywords if one.arg]
    return found


def _is_known(node: ast.AST, made: Mapping[str, Any]) -> bool:
    """Whether an expression has its value without the program's variables, and without driving anything."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id in made:
            return False
        if isinstance(one, ast.Await | ast.Yield | ast.NamedExpr):
            return False
    return True


def fits(value: Any, hint: Any, depth: int = 0) -> bool:
    """Whether a value is of an annotated type, as far as that can be told."""
    if hint is Any or hint is object or depth > 4 or isinstance(hint, str | typing.ForwardRef):
        return True
    if hint is None or hint is type(None):
        return value is None
    origin, given = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one, depth) for one in given)
    if origin is typing.Literal:
        return value in given
    if origin in (typing.Annotated, typing.Final, typing.ClassVar):
        return fits(value, given[0], depth)
    if isinstance(hint, typing.TypeVar):
        bounds = hint.__constraints__ or ((hint.__bound__,) if hint.__bound__ is not None else ())
        return not bounds or any(fits(value, one, depth) for one in bounds)
    if hasattr(hint, "__supertype__"):
        return fits(value, hint.__supertype__, depth)
    if hasattr(hint, "__value__"):
        return fits(value, hint.__value__, depth)
    base = origin or hint
    if not isinstance(base, type) or getattr(base, "_is_protocol", False):
        return True
    if base is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if base is complex:
        return isinstance(value, int | float | complex)
    if base.__name__ == "Callable":
        return callable(value)
    if base is type:
        return isinstance(value, type)
    try:
        if not isinstance(value, base):
            return False
    except TypeError:
        return True
    return _elements_fit(value, base, given, depth)


def _elements_fit(value: Any, base: type, given: Sequence[Any], depth: int) -> bool:
    if not given or not isinstance(value, list | tuple | set | frozenset | dict):
        return True
    if isinstance(value, dict):
        pairs = list(value.items())[:MOST_ELEMENTS]
        return len(given) != 2 or all(
            fits(key, given[0], depth + 1) and fits(one, given[1], depth + 1) for key, one in pairs
        )
    if base is tuple and Ellipsis not in given:
        return len(value) == len(given) and all(
            map(lambda one, kind: fits(one, kind, depth + 1), value, given)
        )
    return all(fits(one, given[0], depth + 1) for one in list(value)[:MOST_ELEMENTS])
