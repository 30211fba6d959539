"""Clean edits: refactorings that leave behaviour as it is. Who accuses one is wrong.

They look like the planted defects: a line or a few, in the middle of a function.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from pytest_moa.code.definitions import FunctionNode, docstring_of_body
from review_bot.bench.code_edit import CodeEdit, Place, blocks_of, edit_of, nodes_of, places_in

_Pieces = tuple[tuple[int, int, str], ...]
_Edit = tuple[_Pieces, str]

#: Longer names for short ones, so that a rename looks like somebody's wish for clearer code.
_LONGER: Final = {
    "i": "index",
    "n": "count",
    "s": "text",
    "d": "table",
    "k": "key",
    "v": "value",
    "x": "item",
}


def clean_in(source: str) -> Iterator[tuple[str, CodeEdit]]:
    """Every clean edit of a module, with the function it is in.

    Raises:
        SyntaxError: the source cannot be parsed.
    """
    for place in places_in(source):
        for name, operator in OPERATORS.items():
            for pieces, what in operator(place):
                if edit := edit_of(source, place.replaced(*pieces), name, what):
                    yield place.qualname, edit


def _renamed_local(place: Place) -> Iterator[_Edit]:
    if _is_reflective(place):
        return
    names = list(nodes_of(place, ast.Name))
    parameters = {arg.arg for arg in _arguments(place.node)}
    taken = {node.id for node in names} | parameters
    declared = {name for node in nodes_of(place, ast.Global) for name in node.names}
    declared |= {name for node in nodes_of(place, ast.Nonlocal) for name in node.names}
    stored = dict.fromkeys(node.id for node in names if isinstance(node.ctx, ast.Store))
    body = place.text.source[place.text.start(place.node.body[0]) : place.text.end(place.node)]
    for name in stored:
        new = _LONGER.get(name, f"{name}_value" if len(name) < 12 else f"the_{name}")
        if name in declared | parameters or name.startswith("__") or new in taken or hasattr(builtins, new):
            continue
        uses = [node for node in names if node.id == name]
        # Names in f-strings, handlers and the like are no `Name` nodes with a place: leave those alone.
        if len(re.findall(rf"\b{name}\b", body)) == len(uses):
            yield (
                tuple((place.text.start(use), place.text.end(use), new) for use in uses),
                f"the local {name} is called {new}",
            )


def _extracted_variable(place: Place) -> Iterator[_Edit]:
    taken = {node.id for node in nodes_of(place, ast.Name)} | {arg.arg for arg in _arguments(place.node)}
    for block in blocks_of(place):
        for one in block:
            value = getattr(one, "value", None)
            if isinstance(one, ast.Return) and isinstance(value, ast.Call | ast.BinOp | ast.Subscript):
                name = next((name for name in ("result", "answer", "outcome") if name not in taken), "")
                if name and place.text.lines[one.lineno - 1][: one.col_offset].isspace():
                    inside = place.text.lines[one.lineno - 1][: one.col_offset]
                    new = f"{name} = {place.text.of(value)}\n{inside}return {name}"
                    yield ((place.text.start(one), place.text.end(one), new),), "a result has a name now"


def _reordered(place: Place) -> Iterator[_Edit]:
    for block in blocks_of(place):
        for first, second in pairwise(block):
            if _is_plain(first) and _is_plain(second) and not _names(first) & _names(second):
                one, other = place.text.of(first), place.text.of(second)
                yield (
                    (
                        (place.text.start(first), place.text.end(first), other),
                        (place.text.start(second), place.text.end(second), one),
                    ),
                    "two assignments that do not depend on each other changed places",
                )


def _inverted(place: Place) -> Iterator[_Edit]:
    for one in nodes_of(place, ast.If):
        if not one.orelse or isinstance(one.orelse[0], ast.If):
            continue
        if place.text.lines[one.lineno - 1][: one.col_offset].strip():  # an elif
            continue
        test = _opposite(one.test, place)
        then, other = _block(place, one.body), _block(place, one.orelse)
        if test and then and other:
            yield (
                (
                    (place.text.start(one.test), place.text.end(one.test), test),
                    (*then[:2], other[2]),
                    (*other[:2], then[2]),
                ),
                "a condition and its two branches are turned round",
            )


def _flattened_else(place: Place) -> Iterator[_Edit]:
    for block in blocks_of(place):
        one = block[-1]
        if not isinstance(one, ast.If) or not one.orelse or isinstance(one.orelse[0], ast.If):
            continue
        if not isinstance(one.body[-1], ast.Return | ast.Raise) or _block(place, one.orelse) is None:
            continue
        if place.text.lines[one.lineno - 1][: one.col_offset].strip():
            continue
        starts, lines = place.text.starts, place.text.lines
        above, first, last = (
            one.body[-1].end_lineno or 0,
            one.orelse[0].lineno,
            one.orelse[-1].end_lineno or 0,
        )
        if lines[above].strip() != "else:" or first != above + 2:
            continue
        step = one.orelse[0].col_offset - one.col_offset
        dedented = "".join(line.removeprefix(" " * step) for line in lines[first - 1 : last])
        yield ((starts[above], starts[last], dedented),), "an else after a return is gone"


def _commented(place: Place) -> Iterator[_Edit]:
    body = place.node.body
    if docstring_of_body(body) or place.node.name.startswith("__"):
        return
    first = body[0]
    inside = place.text.lines[first.lineno - 1][: first.col_offset]
    if inside.isspace():
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", place.node.name.strip("_")).replace("_", " ").lower()
        start = place.text.starts[first.lineno - 1]
        yield ((start, start, f'{inside}"""Do what {words} is for."""\n'),), "a docstring was added"


def _formatted(place: Place) -> Iterator[_Edit]:
    for call in nodes_of(place, ast.Call):
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr != "format" or call.keywords:
            continue
        text = place.text.of(function.value)
        values = [place.text.of(one) for one in call.args]
        simple = isinstance(function.value, ast.Constant) and re.fullmatch(r"(['\"])[^'\"\\]*\1", text)
        plain = all(isinstance(one, ast.Name | ast.Attribute) for one in call.args)
        if simple and plain and text.count("{}") == len(values) == text.count("{"):
            for value in values:
                text = text.replace("{}", f"{{{value}}}", 1)
            yield ((place.text.start(call), place.text.end(call), f"f{text}"),), "format() became an f-string"


def _augmented(place: Place) -> Iterator[_Edit]:
    for one in nodes_of(place, ast.AugAssign):
        number = isinstance(one.value, ast.Constant) and isinstance(one.value.value, int)
        if isinstance(one.target, ast.Name) and isinstance(one.op, ast.Add | ast.Sub) and number:
            sign = "+" if isinstance(one.op, ast.Add) else "-"
            name = one.target.id
            new = f"{name} = {name} {sign} {place.text.of(one.value)}"
            yield (
                ((place.text.start(one), place.text.end(one), new),),
                "an augmented assignment is written out",
            )


OPERATORS: Final[dict[str, Callable[[Place], Iterator[_Edit]]]] = {
    "renamed-local": _renamed_local,
    "extracted-variable": _extracted_variable,
    "reordered": _reordered,
    "inverted": _inverted,
    "flattened-else": _flattened_else,
    "commented": _commented,
    "formatted": _formatted,
    "augmented": _augmented,
}


def _is_reflective(place: Place) -> bool:
    """Whether names of locals matter, or there are scopes in the function that we would have to follow."""
    calls = {place.text.of(call.func) for call in nodes_of(place, ast.Call)}
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    return bool(calls & {"locals", "eval", "exec", "vars"}) or any(
        isinstance(node, scopes) for node in nodes_of(place, ast.AST)
    )


def _arguments(node: FunctionNode) -> Sequence[ast.arg]:
    given = node.args
    more = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *more]


def _is_plain(one: ast.stmt) -> bool:
    """An assignment to one name of what cannot fail and calls nothing, on a line of its own."""
    return (
        isinstance(one, ast.Assign)
        and len(one.targets) == 1
        and isinstance(one.targets[0], ast.Name)
        and isinstance(one.value, ast.Constant | ast.List | ast.Tuple | ast.Dict)
        and all(isinstance(node, _LITERAL) for node in ast.walk(one.value))
    )


_LITERAL = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Name, ast.expr_context)


def _names(one: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}


def _opposite(test: ast.expr, place: Place) -> str:
    """The condition turned round, where that is as readable; "" elsewhere."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return place.text.of(test.operand)
    if isinstance(test, ast.Name | ast.Attribute | ast.Call):
        return f"not {place.text.of(test)}"
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        opposite = {ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}
        sign = opposite.get(type(test.ops[0]))
        if sign:
            return f"{place.text.of(test.left)} {sign} {place.text.of(test.comparators[0])}"
    return ""


def _block(place: Place, block: Sequence[ast.stmt]) -> tuple[int, int, str] | None:
    """The lines of a block without comments around it; None where it shares a line with its header."""
    first, last = block[0], block[-1]
    if place.text.lines[first.lineno - 1][: first.col_offset].strip():
        return None
    start, end = place.text.starts[first.lineno - 1], place.text.starts[last.end_lineno or last.lineno]
    return start, end, place.text.source[start:end]
