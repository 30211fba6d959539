"""Operators on expressions. Each yields changes: start, end, replacement, operator's name."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pytest_moa.code.text import Placed, Text
from pytest_moa.mutation.tables import ARITHMETIC, COMPARISONS, FUNCTIONS, METHODS, NEUTRAL

Change = tuple[int, int, str, str]

LITERAL = re.compile(r"([rRbBuU]*)(\"\"\"|'''|\"|')(.*)\2", re.DOTALL)
OPENING = re.compile(r"[rRbBuUfFtT]*(?:\"\"\"|'''|\"|')")
PIECES = re.compile(r"\\N\{[^}]*\}|\\.|[^\\]+", re.DOTALL)

#: Names of encodings: their case says nothing.
ENCODINGS = frozenset({"ascii", "latin-1", "latin1", "utf-16", "utf-32", "utf-8", "utf-8-sig", "utf8"})

#: Whose arguments are not dropped or replaced: the call would only raise.
FUNCTIONS_OF_SHAPE = frozenset({"len", "isinstance", "issubclass", "super"})


def compare(node: ast.Compare, text: Text) -> Iterator[Change]:
    """`<` becomes `<=` and `>=`, `==` becomes `!=`, `in` becomes `not in`."""
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        token, replacements = COMPARISONS[type(operator)]
        start, end = _token(text, left, right, token)
        for after in replacements:
            yield start, end, after, "compare"


def boolean(node: ast.BoolOp, text: Text) -> Iterator[Change]:
    """`and` becomes `or`, and the reverse."""
    token, after = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield *_token(text, left, right, token), after, "boolean"


def unary(node: ast.UnaryOp, text: Text) -> Iterator[Change]:
    """`not` and `~` go, `-` becomes `+`, and the reverse."""
    start = text.start(node)
    if isinstance(node.op, ast.Not):
        found = re.compile(r"not\s*").match(text.source, start)
        assert found is not None
        yield start, found.end(), "", "not"
    elif isinstance(node.op, ast.Invert):
        yield start, start + 1, "", "not"
    elif not (isinstance(node.operand, ast.Constant) and node.operand.value == 0):
        yield start, start + 1, "+" if isinstance(node.op, ast.USub) else "-", "arithmetic"


def arithmetic(node: ast.BinOp, text: Text) -> Iterator[Change]:
    """`+` becomes `-`, `*` becomes `/`; not where an operand is a text, nor where the result is equal."""
    if isinstance(node.op, ast.Add | ast.Mod | ast.Mult) and any(map(_is_text, (node.left, node.right))):
        return
    neutral = NEUTRAL.get(type(node.op))
    if neutral is not None and isinstance(node.right, ast.Constant) and node.right.value == neutral:
        return
    token, after = ARITHMETIC[type(node.op)]
    yield *_token(text, node.left, node.right, re.escape(token)), after, "arithmetic"


def constant(node: ast.Constant, text: Text) -> Iterator[Change]:
    """Numbers grow by one, True and False change places, texts get an `XX` at both ends or another case."""
    value = node.value
    start, end = text.start(node), text.end(node)
    if isinstance(value, bool):
        yield start, end, str(not value), "constant"
    elif isinstance(value, int | float | complex):
        grown = value + (1j if isinstance(value, complex) else 1)
        if grown != value and math.isfinite(abs(grown)):
            yield start, end, repr(grown), "number"
    elif isinstance(value, str | bytes):
        for after in _texts(text.source[start:end], value):
            yield start, end, after, "string"


def _texts(before: str, value: str | bytes) -> Iterator[str]:
    found = LITERAL.fullmatch(before)
    body = found[3] if found else ""
    if found is None or re.search(rf"(?<!\\)(?:\\\\)*{found[2]}", body):  # several literals in a row
        yield repr("XX" + value + "XX" if isinstance(value, str) else b"XX" + value + b"XX")
        return
    prefix, quote = found[1], found[2]
    yield f"{prefix}{quote}XX{body}XX{quote}"
    name = value if isinstance(value, str) else ""
    if name.lower() in ENCODINGS:
        return
    for change in (str.upper, str.lower):
        pieces = (one[0] if one[0][0] == "\\" else change(one[0]) for one in PIECES.finditer(body))
        after = f"{prefix}{quote}{''.join(pieces)}{quote}"
        if after != before and ast.literal_eval(after) != value:
            yield after
            return


def formatted(node: ast.JoinedStr, text: Text) -> Iterator[Change]:
    """An `XX` at the start of an f-string that has text of its own."""
    if not any(isinstance(one, ast.Constant) for one in node.values):
        return
    start = text.start(node)
    found = OPENING.match(text.source, start)
    if found is not None:
        yield start, found.end(), found[0] + "XX", "string"


def call(node: ast.Call, text: Text) -> Iterator[Change]:
    """Arguments become None or go; methods and functions are exchanged for their counterparts."""
    function = node.func
    if isinstance(function, ast.Attribute):
        other = METHODS.get(function.attr)
        splits = function.attr in {"split", "rsplit"}
        if other and (not splits or len(node.args) == 2 or any(k.arg == "maxsplit" for k in node.keywords)):
            end = text.end(function)
            yield end - len(function.attr), end, other, "method"
    elif isinstance(function, ast.Name) and function.id in FUNCTIONS:
        yield text.start(function), text.end(function), FUNCTIONS[function.id], "function"
    if isinstance(function, ast.Name) and function.id in FUNCTIONS_OF_SHAPE:
        return
    arguments: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=text.start)
    for argument in arguments:
        yield from _argument_none(argument, text)
    if len(arguments) > 1:
        yield from _argument_removed(node, arguments, text)
    if isinstance(function, ast.Name) and function.id == "dict":
        for keyword in node.keywords:
            if keyword.arg is not None:
                start = text.start(keyword)
                yield start, start + len(keyword.arg), keyword.arg + "XX", "keyword"


def _argument_none(argument: ast.expr | ast.keyword, text: Text) -> Iterator[Change]:
    if isinstance(argument, ast.keyword):
        if argument.arg is None:
            return
        value = argument.value
    elif isinstance(argument, ast.Starred):
        return
    else:
        value = argument
    if isinstance(value, ast.Constant) and value.value is None:
        return
    start, end = text.start(value), text.end(value)
    # the parentheses of `f(x for x in y)` are the call's and the generator's
    generator = isinstance(value, ast.GeneratorExp) and text.source[start] == "("
    yield start, end, "(None)" if generator else "None", "argument"


def _argument_removed(
    node: ast.Call, arguments: Sequence[ast.expr | ast.keyword], text: Text
) -> Iterator[Change]:
    commas = [_token(text, one, other, ",")[0] for one, other in pairwise(arguments)]
    behind = text.end(node.func)
    opening = behind + text.without_comments(behind, text.start(arguments[0])).index("(")
    for number, argument in enumerate(arguments):
        value = argument.value if isinstance(argument, ast.keyword) else argument
        if isinstance(argument, ast.keyword) and isinstance(value, ast.Constant) and value.value is None:
            continue  # very likely the parameter's default
        if number < len(commas):
            start = commas[number - 1] + 1 if number else opening + 1
            end = commas[number] + 1
            blank = len(text.source[start:end]) - len(text.source[start:end].lstrip())
            start += blank
            while text.source[end] == " ":
                end += 1
        else:
            start, end = commas[-1], text.end(node) - 1
        yield start, end, "", "argument"


def lambda_(node: ast.Lambda, text: Text) -> Iterator[Change]:
    """The body becomes None."""
    none = isinstance(node.body, ast.Constant) and node.body.value is None
    yield text.start(node.body), text.end(node.body), "0" if none else "None", "lambda"


def ternary(node: ast.IfExp, text: Text) -> Iterator[Change]:
    """Always one of the two."""
    yield from forced(node.test, text)


def comprehension(node: ast.comprehension, text: Text) -> Iterator[Change]:
    """A filter lets everything or nothing pass."""
    for test in node.ifs:
        yield from forced(test, text)


def forced(test: ast.expr, text: Text) -> Iterator[Change]:
    """A condition that is always true or always false; not where it binds a variable."""
    if isinstance(test, ast.Constant) or any(isinstance(one, ast.NamedExpr) for one in ast.walk(test)):
        return
    for after in ("True", "False"):
        yield text.start(test), text.end(test), after, "condition"


def slice_(node: ast.Slice, text: Text) -> Iterator[Change]:
    """A slice without its lower or its upper bound."""
    zero = isinstance(node.lower, ast.Constant) and node.lower.value == 0
    for bound in (None if zero else node.lower, node.upper):
        if bound is not None:
            yield text.start(bound), text.end(bound), "", "slice"


def yield_(node: ast.Yield, text: Text) -> Iterator[Change]:
    """None is yielded."""
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield text.start(node.value), text.end(node.value), "None", "return"


def _token(text: Text, left: Placed, right: Placed, pattern: str) -> tuple[int, int]:
    """Where the token between two neighbours is. Only parentheses and comments can be there beside it."""
    start = text.end(left)
    found = re.search(pattern, text.without_comments(start, text.start(right)))
    assert found is not None, pattern
    return start + found.start(), start + found.end()


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )
