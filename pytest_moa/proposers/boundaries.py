"""Values at the limits that annotations and the code's own literals draw, one parameter at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from pytest_moa.proposers.asking_code import observe
from pytest_moa.proposers.proposer import Search
from pytest_moa.proposers.relatives import leaders
from pytest_moa.suggest.brief import Brief

#: Limits of plain types.
_LIMITS: Mapping[str, Sequence[str]] = {
    "int": ("0", "1", "-1"),
    "float": ("0.0", "1.0", "-0.5"),
    "str": ('""', '" "', '"a"', '"A b"'),
    "bytes": ('b""', 'b"a"'),
    "bool": ("True", "False"),
    "list": ("[]",),
    "dict": ("{}",),
    "tuple": ("()",),
    "set": ("set()",),
    "None": ("None",),
}
_ALIKE: Mapping[str, str] = {
    "Sequence": "list",
    "Iterable": "list",
    "Collection": "list",
    "Mapping": "dict",
    "Optional": "None",
}

#: Values of one parameter.
_MOST = 14


def propose(search: Search) -> None:
    """Call the target with values at its limits, unless it is private and public ones lead to it."""
    if leaders(search.subject.briefs)[search.target] != search.target:
        return
    brief = search.subject.brief(search.target)
    values = limits_of(brief)
    if values:
        observe(search, calls=search.subject.recorded_sources(search.target)[:3], values=values)


def limits_of(brief: Brief) -> dict[str, list[str]]:
    """Sources of values to try, by parameter."""
    try:
        node = ast.parse(brief.source).body[0]
    except (SyntaxError, IndexError):
        return {}
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.arg not in ("self", "cls"):
            compared = _compared(node, argument.arg)
            typical = _of_annotation(argument.annotation) if argument.annotation is not None else ()
            found[argument.arg] = list(dict.fromkeys([*compared, *typical]))[:_MOST]
    return {name: values for name, values in found.items() if values}


def _compared(function: ast.AST, name: str) -> Iterator[str]:
    """Literals that a parameter is compared with, and their neighbours."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        direct = any(isinstance(side, ast.Name) and side.id == name for side in sides)
        sized = any(ast.unparse(side) == f"len({name})" for side in sides)
        for side in sides:
            try:
                value = ast.literal_eval(side)
            except (ValueError, SyntaxError):
                continue
            if direct:
                yield from _beside(value)
            elif sized and isinstance(value, int) and 0 <= value <= 40:
                yield from (f'"{"a" * size}"' for size in (value - 1, value, value + 1) if size >= 0)


def _beside(value: object) -> Iterator[str]:
    if isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield repr(one)
    elif isinstance(value, bool) or value is None:
        yield repr(value)
    elif isinstance(value, int):
        yield from map(repr, (value, value - 1, value + 1))
    elif isinstance(value, float):
        yield from map(repr, (value, value - 0.5, value + 0.5))
    elif isinstance(value, str):
        yield repr(value)
        if value.lower() != value.upper():
            yield repr(value.swapcase())


def _of_annotation(annotation: ast.expr) -> Iterator[str]:
    for part in ast.walk(annotation):
        if isinstance(part, ast.Constant) and part.value is None:
            yield from _LIMITS["None"]
        elif isinstance(part, ast.Name | ast.Attribute):
            name = part.id if isinstance(part, ast.Name) else part.attr
            yield from _LIMITS.get(_ALIKE.get(name, name), ())
        if isinstance(part, ast.Subscript) and not ast.unparse(part.value).endswith(("Optional", "Union")):
            head = ast.unparse(part.value).rpartition(".")[2]
            yield from _LIMITS.get(_ALIKE.get(head, head), ())
            return
