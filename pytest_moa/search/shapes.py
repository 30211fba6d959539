"""What values a parameter takes, as a small tree: from annotations, defaults, names and uses."""

# ruff: noqa: S102, S307, S110, S112 - annotations are code, and may be anything

from __future__ import annotations

import ast
import collections.abc as abc
import datetime
import decimal
import enum
import fractions
import inspect
import io
import os
import pathlib
import re
import types
import typing
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_moa.search.clues import Clues, Use, documented_kinds

#: Deeper annotations are "any".
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """`kind` is "int", "str", "list", "dict", "callable", "object", ...; `inner` its elements' shapes.

    `values` are the possible values of a "literal", the class of an "object" and of a "class", or
    how many arguments a "callable" gets; what a "callable" gives is its `inner`.
    """

    kind: str
    inner: tuple[Shape, ...] = ()
    values: tuple[Any, ...] = ()


ANY = Shape("any")
TEXT, NUMBER, TRUTH = Shape("str"), Shape("int"), Shape("bool")

_PLAIN: Mapping[Any, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    complex: "float",
    str: "str",
    bytes: "bytes",
    bytearray: "bytes",
    memoryview: "bytes",
    type(None): "none",
    None: "none",
    typing.SupportsInt: "int",
    typing.SupportsFloat: "float",
    typing.SupportsIndex: "int",
    typing.SupportsAbs: "float",
    typing.SupportsRound: "float",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "timedelta",
    datetime.tzinfo: "timezone",
    datetime.timezone: "timezone",
    decimal.Decimal: "decimal",
    fractions.Fraction: "fraction",
    uuid.UUID: "uuid",
    pathlib.Path: "path",
    pathlib.PurePath: "path",
    os.PathLike: "path",
    re.Pattern: "pattern",
    re.Match: "match",
    io.StringIO: "textfile",
    typing.TextIO: "textfile",
    typing.IO: "textfile",
    io.BytesIO: "bytesfile",
    typing.BinaryIO: "bytesfile",
    range: "range",
    types.FunctionType: "callable",
    BaseException: "exception",
    Exception: "exception",
    abc.Hashable: "any",
}
_SEQUENCES = {list, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection, abc.Reversible, deque}
_SETS = {set, frozenset, abc.Set, abc.MutableSet}
_MAPPINGS = {dict, abc.Mapping, abc.MutableMapping, OrderedDict, defaultdict, Counter, types.MappingProxyType}
_ITERATORS = {abc.Iterator, abc.Generator, abc.KeysView, abc.ValuesView}


def of_annotation(annotation: Any, depth: int = 0) -> Shape:
    """The shape of a resolved annotation; "any" for what is not understood."""
    if depth > DEEPEST or annotation in (Any, object, inspect.Parameter.empty):
        return ANY
    try:
        if annotation in _PLAIN:
            return Shape(_PLAIN[annotation])
    except TypeError:
        return ANY
    origin, given = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is not None and origin in _PLAIN:  # `None` is there too, as an annotation
        return Shape(_PLAIN[origin])
    inner = tuple(
        of_annotation(one, depth + 1) for one in given if one is not Ellipsis and not isinstance(one, list)
    )
    if origin is typing.Literal:
        return Shape("literal", values=given)
    if origin in (typing.Union, types.UnionType):
        return Shape("union", inner)
    if origin in (typing.Annotated, typing.Final, typing.ClassVar) or str(origin).endswith(
        ("Required", "ReadOnly")
    ):
        return inner[0]
    base = origin or annotation
    if base in _SEQUENCES:
        return Shape("list", inner[:1])
    if base in _ITERATORS:
        return Shape("list", inner[:1])
    if base in _SETS:
        return Shape("set", inner[:1])
    if base in _MAPPINGS:
        return Shape("dict", inner if len(inner) == 2 else ())
    if base is tuple:
        return Shape("tuple" if Ellipsis not in given and given else "tuple*", inner)
    if base is abc.Callable:
        return Shape("callable", values=(len(given[0]) if given and isinstance(given[0], list) else -1,))
    if base is type:
        return Shape("class", values=given[:1])
    if isinstance(annotation, typing.TypeVar):
        if annotation.__constraints__:
            return Shape("union", tuple(of_annotation(one, depth + 1) for one in annotation.__constraints__))
        return of_annotation(annotation.__bound__, depth + 1) if annotation.__bound__ else ANY
    if hasattr(annotation, "__supertype__"):
        return of_annotation(annotation.__supertype__, depth + 1)
    if hasattr(annotation, "__value__"):
        return of_annotation(annotation.__value__, depth + 1)
    if isinstance(base, type):
        return (
            Shape("literal", values=_members(base))
            if issubclass(base, enum.Enum)
            else Shape("object", inner, (base,))
        )
    return ANY


def _members(kind: type[enum.Enum]) -> tuple[Any, ...]:
    return tuple(kind)[:8]


def of_value(value: Any, depth: int = 0) -> Shape:
    """The shape of a value, such as a default or an argument that was recorded."""
    kind = type(value)
    if kind in _PLAIN:
        return Shape(_PLAIN[kind])
    if isinstance(value, enum.Enum):
        return Shape("literal", values=_members(kind))
    first = (
        next(iter(value), None) if isinstance(value, (list, tuple, set, frozenset, dict)) and value else None
    )
    inside = (of_value(first, depth + 1),) if first is not None and depth < DEEPEST else ()
    if isinstance(value, dict):
        return Shape("dict", (*inside, of_value(value[first], depth + 1)) if inside else ())
    if isinstance(value, (list, tuple)):
        return Shape("tuple*" if isinstance(value, tuple) else "list", inside)
    if isinstance(value, (set, frozenset)):
        return Shape("set", inside)
    if isinstance(value, type):
        return Shape("class", values=(value,))
    return Shape("callable", values=(-1,)) if callable(value) else Shape("object", values=(kind,))


_STR_METHODS = set(dir(str)) - set(dir(bytes)) | {"encode", "format", "casefold"}
_BOTH_METHODS = (set(dir(str)) & set(dir(bytes))) - set(dir(object)) - set(dir(list)) - set(dir(tuple))
_METHODS: tuple[tuple[frozenset[str], Shape], ...] = (
    (frozenset(_STR_METHODS | _BOTH_METHODS) - {"__len__", "__contains__", "__iter__", "__getitem__"}, TEXT),
    (frozenset({"items", "keys", "values", "get", "setdefault", "popitem"}), Shape("dict")),
    (frozenset({"append", "extend", "insert", "sort", "reverse"}), Shape("list")),
    (frozenset({"add", "discard", "union", "difference", "intersection", "issubset"}), Shape("set")),
    (frozenset({"decode", "hex"}), Shape("bytes")),
    (frozenset({"read", "readline", "readlines", "write"}), Shape("textfile")),
    (frozenset({"total_seconds", "days", "microseconds"}), Shape("timedelta")),
    (frozenset({"year", "month", "day", "strftime", "isoformat"}), Shape("datetime")),
    (frozenset({"hour", "minute", "tzinfo", "astimezone", "timestamp"}), Shape("datetime")),
    (frozenset({"numerator", "denominator", "is_integer", "bit_length"}), NUMBER),
    (frozenset({"group", "groups", "groupdict", "span"}), Shape("match")),
    (frozenset({"wait", "wait_for", "notify", "notify_all"}), Shape("condition")),
    (frozenset({"acquire", "release", "locked"}), Shape("context")),
    (frozenset({"sub", "fullmatch", "search", "findall", "finditer", "pattern"}), Shape("pattern")),
)
_PASSED: Mapping[str, Shape] = {
    **dict.fromkeys(("int", "abs", "round", "chr", "divmod", "range", "pow", "bin", "oct"), NUMBER),
    **dict.fromkeys(
        ("float", "math.isfinite", "math.isnan", "math.floor", "math.ceil", "math.log10"), Shape("float")
    ),
    **dict.fromkeys(("ord", "unicodedata.normalize", "re.compile", "re.escape", "json.loads"), TEXT),
    **dict.fromkeys(
        ("sum", "max", "min", "sorted", "enumerate", "zip", "list", "tuple", "iter", "any", "all"),
        Shape("list"),
    ),
    **dict.fromkeys(("len", "set", "frozenset", "reversed", "itertools.chain", "reduce"), Shape("list")),
    "dict": Shape("dict"),
    "callable": Shape("callable", values=(-1,)),
}
#: Callables that get a callable at one position and anything at others.
_PASSED_AT: Mapping[tuple[str, int], Shape] = dict.fromkeys(
    (
        *((name, 0) for name in ("MethodType", "types.MethodType", "partial", "functools.partial")),
        *((name, 0) for name in ("wraps", "functools.wraps", "map", "filter")),
        *((name, 1) for name in ("update_wrapper", "functools.update_wrapper")),
    ),
    Shape("callable", values=(-1,)),
)
_NAMES: tuple[tuple[str, Shape], ...] = (
    (
        r"(text|string|str|s|name|word|sentence|phrase|line|data|path|url|prefix|suffix|sep|separator|title|fmt|format|msg|message|char|html|source|encoding|label|content|token|pattern|key_?name|delimiter)$",
        TEXT,
    ),
    (
        r"(n|k|i|j|x|y|count|num|number|size|length|width|height|limit|index|idx|max|min|step|start|stop|end|depth|digits|maxsize|total|offset|seconds|age|year|month|day|value|precision|amount|max_.*|min_.*|n_.*|num_.*|.*_count|.*_size|.*_length|.*_age)$",
        NUMBER,
    ),
    (
        r"(items|iterable|it|seq|sequence|values|lst|list|elements|args|iterables|lines|words|numbers|keys|rows|names|.*_list|tokens|parts)$",
        Shape("list"),
    ),
    (
        r"(d|dct|dict|mapping|kwargs|options|config|context|params|headers|attrs|env|.*_map|.*_dict)$",
        Shape("dict"),
    ),
    (
        r"(f|fn|func|function|callback|predicate|pred|method|key|getter|callable|factory|transform|mapper|action|handler)$",
        Shape("callable", values=(-1,)),
    ),
    (
        r"(is_.*|has_.*|use_.*|allow_.*|strict|reverse|flag|verbose|ignore_.*|force|enabled|.*_first|.*case)$",
        TRUTH,
    ),
)


def of_use(name: str, use: Use, resolve: Mapping[str, Any], depth: int = 0) -> list[Shape]:
    """Shapes that a body's uses of a parameter suggest, the most certain first."""
    found: list[Shape] = []
    for kind in use.kinds:
        try:
            found.append(of_annotation(eval(kind, dict(resolve))))
        except Exception:
            continue
    if use.called >= 0:
        gives = of_use("", use.result, resolve, depth + 1)[:1] if use.result and depth < DEEPEST else ()
        found.append(Shape("callable", tuple(gives), (use.called,)))
    names = use.attributes - {"__class__", "__len__", "__contains__", "__name__", "__dict__"}
    hits = [(len(methods & names), shape) for methods, shape in _METHODS if methods & names]
    found.extend(shape for _, shape in sorted(hits, key=lambda hit: -hit[0])[:2])
    if use.entered:
        found.append(Shape("context"))
    if use.stored:
        found.append(Shape("dict"))
    if names and not hits and use.called < 0 and not use.entered and not use.stored:
        found.append(Shape("namespace", values=tuple(sorted(names))))
    found.extend(_PASSED[callee] for callee, position, _ in use.passed if callee in _PASSED and position >= 0)
    found.extend(_PASSED_AT[callee, at] for callee, at, _ in use.passed if (callee, at) in _PASSED_AT)
    found.extend(of_value(value) for value in use.compared if value is not None)
    if use.arithmetic:
        found.append(NUMBER)
    if use.iterated or (use.element is not None and depth < DEEPEST):
        inner: tuple[Shape, ...] = ()
        if use.element is not None and use.element.keys and set(use.element.keys) == {None}:
            inner = (Shape("tuple", (ANY,) * len(use.element.keys)),)
        elif use.element is not None:
            inner = tuple(of_use("", use.element, resolve, depth + 1)[:1])
        found.append(Shape("list", inner))
    if use.indexed or use.keys:
        found.append(
            Shape("dict", values=tuple(use.keys))
            if any(isinstance(key, str) for key in use.keys)
            else Shape("list")
        )
    if not found and name:
        found.extend(shape for pattern, shape in _NAMES if re.match(pattern, name.lower()))
    return list(dict.fromkeys(found))


def annotations_of(
    function: Any, clues: Clues | None, resolve: Mapping[str, Any], tree: ast.Module
) -> dict[str, Any]:
    """Resolved annotations by parameter; what cannot be resolved is left out."""
    try:
        return typing.get_type_hints(function, localns=None, include_extras=False)
    except Exception:
        pass
    known: dict[str, Any] = {**vars(typing), **vars(abc), **_type_checking_names(tree, resolve), **resolve}
    hints: dict[str, Any] = {}
    if clues is None:
        return hints
    arguments = clues.node.args
    for one in [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]:
        if one is None or one.annotation is None:
            continue
        source = (
            one.annotation.value if isinstance(one.annotation, ast.Constant) else ast.unparse(one.annotation)
        )
        try:
            hints[one.arg] = eval(str(source), known)
        except Exception:
            continue
    return hints


def _type_checking_names(tree: ast.Module, resolve: Mapping[str, Any]) -> dict[str, Any]:
    """Names that exist for type checkers only: imports and aliases under `if TYPE_CHECKING`."""
    names: dict[str, Any] = {**vars(typing), **dict(resolve)}
    for node in tree.body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            continue
        for statement in node.body:
            alias = isinstance(statement, (ast.Assign, ast.AnnAssign, ast.ImportFrom, ast.Import))
            if not alias or (isinstance(statement, ast.ImportFrom) and statement.level):
                continue
            try:
                exec(compile(ast.Module([statement], []), "<types>", "exec"), names)
            except Exception:
                continue
    return names


def documented(docstring: str | None) -> dict[str, list[Shape]]:
    """Shapes that a docstring names, by parameter."""
    kinds = documented_kinds(docstring or "")
    plain = {"None": "none", "tuple": "tuple*"}
    return {name: [Shape(plain.get(kind, kind)) for kind in found] for name, found in kinds.items()}
