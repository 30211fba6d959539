"""Planted defects: what people get wrong, done to a function that was right.

The mutants of the pytest plug-in that somebody could have written, and defects that reviews are for.
Those that a reader would not take for an edit (a condition that is `True`, a text with XX) stay away:
finding them would say nothing about finding defects.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Final

from pytest_moa.mutation.finding import mutants_of
from pytest_moa.mutation.mutant import mutated_source
from review_bot.bench.code_edit import CodeEdit, Place, blocks_of, edit_of, nodes_of, places_in

#: Operators of the plug-in whose mutants look like edits, and the kind of defect that each makes.
MUTANTS: Final = {
    "compare": "wrong-comparison",
    "boolean": "wrong-condition",
    "not": "wrong-condition",
    "arithmetic": "wrong-operator",
    "augmented": "wrong-operator",
    "number": "off-by-one",
    "constant": "wrong-constant",
    "method": "wrong-function",
    "function": "wrong-function",
    "loop": "wrong-loop",
}

#: An exception, and what is caught or raised instead.
_EXCEPTIONS: Final = {
    "ValueError": "KeyError",
    "KeyError": "ValueError",
    "TypeError": "AttributeError",
    "AttributeError": "TypeError",
    "IndexError": "KeyError",
    "StopIteration": "IndexError",
    "OSError": "ValueError",
    "ImportError": "OSError",
}

#: Calls that keep input harmless, and what does the same with it as code; "" leaves the argument alone.
_SAFE: Final = {
    "int": "eval",
    "float": "eval",
    "literal_eval": "eval",
    "ast.literal_eval": "eval",
    "json.loads": "eval",
    "shlex.quote": "",
    "html.escape": "",
    "escape": "",
    "quote": "",
    "yaml.safe_load": "yaml.unsafe_load",
}

#: A piece of the module's source to replace, all such pieces of one defect, and what is done.
_Pieces = tuple[tuple[int, int, str], ...]
_Defect = tuple[_Pieces, str]


def planted_in(source: str, module: str) -> Iterator[tuple[str, CodeEdit]]:
    """Every defect that can be planted in a module, with the function it is in.

    Raises:
        SyntaxError: the source cannot be parsed.
    """
    places = list(places_in(source))
    short = {place.qualname for place in places}
    for mutant in mutants_of(source, module):
        defect = MUTANTS.get(mutant.operator)
        if defect and mutant.qualname in short and mutant.scope == "function":
            what = f"{mutant.before.strip()} became {mutant.after.strip() or 'nothing'}"
            if edit := edit_of(source, mutated_source(source, mutant), defect, what):
                yield mutant.qualname, edit
    for place in places:
        for name, operator in OPERATORS.items():
            for pieces, what in operator(place):
                if edit := edit_of(source, place.replaced(*pieces), name, what):
                    yield place.qualname, edit


def _swapped_arguments(place: Place) -> Iterator[_Defect]:
    for call in nodes_of(place, ast.Call):
        first, second, *_ = [*call.args, None, None]
        names = (ast.Name, ast.Attribute)
        if isinstance(first, names) and isinstance(second, names):
            one, other = place.text.of(first), place.text.of(second)
            if one != other:
                yield (
                    (_whole(place, first, other), _whole(place, second, one)),
                    f"{one} and {other} changed places in a call",
                )


def _dropped_guard(place: Place) -> Iterator[_Defect]:
    for block in blocks_of(place):
        for guard in block[:-1]:
            if not isinstance(guard, ast.If) or len(guard.body) > 1 or guard.orelse:
                continue
            if isinstance(guard.body[0], ast.Raise | ast.Return | ast.Continue):
                yield (_lines(place, guard, ""),), f"the guard `if {place.text.of(guard.test)}` is gone"


def _dropped_statement(place: Place) -> Iterator[_Defect]:
    for block in blocks_of(place):
        for one in block:
            is_call = isinstance(one, ast.Expr) and isinstance(one.value, ast.Call | ast.Await)
            if len(block) > 1 and (is_call or isinstance(one, ast.AugAssign)):
                yield (_lines(place, one, ""),), f"`{place.text.of(one)}` is gone"


def _wrong_default(place: Place) -> Iterator[_Defect]:
    arguments = place.node.args
    defaults = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]
    for default in defaults:
        if isinstance(default, ast.Constant) and isinstance(default.value, bool | int):
            value = default.value
            wrong = repr(not value) if isinstance(value, bool) else repr(value + 1)
            yield (_whole(place, default, wrong),), f"a default is {wrong} instead of {value!r}"


def _off_by_one(place: Place) -> Iterator[_Defect]:
    for call in nodes_of(place, ast.Call):
        if _name(call.func) == "range" and len(call.args) in (1, 2):
            end = call.args[-1]
            yield (_whole(place, end, f"{place.text.of(end)} - 1"),), "a range ends one too early"
    for index in nodes_of(place, ast.Subscript):
        if isinstance(index.slice, ast.Name) and isinstance(index.ctx, ast.Load):
            name = place.text.of(index.slice)
            yield (_whole(place, index.slice, f"{name} + 1"),), f"the index {name} is one too high"
        if isinstance(index.slice, ast.Slice):
            for bound in (index.slice.lower, index.slice.upper):
                if isinstance(bound, ast.Name):
                    name = place.text.of(bound)
                    yield (_whole(place, bound, f"{name} + 1"),), f"the bound {name} is one too high"


def _wrong_exception(place: Place) -> Iterator[_Defect]:
    for one in nodes_of(place, ast.ExceptHandler):
        if one.type is not None and (name := _name(one.type)) in _EXCEPTIONS:
            yield (_whole(place, one.type, _EXCEPTIONS[name]),), f"{_EXCEPTIONS[name]} is caught, not {name}"
    for raised in nodes_of(place, ast.Raise):
        kind = raised.exc.func if isinstance(raised.exc, ast.Call) else raised.exc
        if kind is not None and (name := _name(kind)) in _EXCEPTIONS:
            yield (_whole(place, kind, _EXCEPTIONS[name]),), f"{_EXCEPTIONS[name]} is raised, not {name}"


def _lost_await(place: Place) -> Iterator[_Defect]:
    for one in nodes_of(place, ast.Await):
        yield (_whole(place, one, place.text.of(one.value)),), "an await is gone"


def _resource_left_open(place: Place) -> Iterator[_Defect]:
    for one in nodes_of(place, ast.With):
        item = one.items[0]
        if len(one.items) > 1 or _name(getattr(item.context_expr, "func", one)) != "open":
            continue
        opened, name = place.text.of(item.context_expr), item.optional_vars
        head = f"{place.text.of(name)} = {opened}" if name is not None else opened
        start = place.text.start(one)
        body = place.text.start(one.body[0])
        column = one.body[0].col_offset - one.col_offset
        dedented = "".join(
            line.removeprefix(" " * column)
            for line in place.text.source[body : _end(place, one)].splitlines(True)
        )
        inside = place.text.lines[one.lineno - 1][: one.col_offset]
        yield ((start, _end(place, one), f"{head}\n{inside}{dedented}"),), "a file is not closed any more"


def _injection(place: Place) -> Iterator[_Defect]:
    for call in nodes_of(place, ast.Call):
        name = _name(call.func)
        if name in _SAFE and len(call.args) == 1 and not isinstance(call.args[0], ast.Constant):
            if call.keywords and not _SAFE[name]:
                continue
            if _SAFE[name]:
                yield (
                    (_whole(place, call.func, _SAFE[name]),),
                    f"input goes through {_SAFE[name]}, not {name}",
                )
            else:
                yield (_whole(place, call, place.text.of(call.args[0])),), f"{name} is gone"


OPERATORS: Final[dict[str, Callable[[Place], Iterator[_Defect]]]] = {
    "swapped-arguments": _swapped_arguments,
    "dropped-guard": _dropped_guard,
    "dropped-statement": _dropped_statement,
    "wrong-default": _wrong_default,
    "off-by-one": _off_by_one,
    "wrong-exception": _wrong_exception,
    "lost-await": _lost_await,
    "resource-left-open": _resource_left_open,
    "injection": _injection,
}

#: All kinds of defects that can be planted.
DEFECTS: Final = tuple(dict.fromkeys([*OPERATORS, *MUTANTS.values()]))


def _whole(place: Place, node: ast.expr, after: str) -> tuple[int, int, str]:
    return place.text.start(node), place.text.end(node), after


def _end(place: Place, node: ast.stmt) -> int:
    return place.text.end(node)


def _lines(place: Place, node: ast.stmt, after: str) -> tuple[int, int, str]:
    """The whole lines of a statement."""
    starts = place.text.starts
    return starts[node.lineno - 1], starts[node.end_lineno or node.lineno], after


def _name(node: ast.AST) -> str:
    """A dotted name, "" for everything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (of := _name(node.value)):
        return f"{of}.{node.attr}"
    return ""
