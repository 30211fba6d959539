"""Python values as source that a person would have written.

`source_of` is used inside warm processes: standard library only.
"""

# ruff: noqa: S102, S307 - reads back what it wrote

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import math
import pathlib
import re
import sys
import unicodedata
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

#: Sources longer than this are not worth reading.
LONGEST = 400
#: Nested deeper than this, a value has no source.
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Expression:
    """Source of one expression, with the import statements that it needs."""

    source: str
    imports: frozenset[str] = frozenset()

    def namespace(self) -> dict[str, Any]:
        """The names that the imports bring. Raises ImportError."""
        return dict(_imported(self.imports))


class _Unwritable(Exception):
    """A part of the value has no source."""


_ANONYMOUS: Mapping[str, Any] = MappingProxyType({})


def source_of(value: Any, module_names: Mapping[str, Any] = _ANONYMOUS) -> Expression | None:
    """The value as short source, or None where there is none that gives an equal value back.

    `module_names` are names that need no import. Whatever is not built from builtin literals is read
    back and compared before it is trusted; NaN counts as equal to itself, exceptions are equal when
    their types and arguments are.
    """
    writer = _Writer(module_names)
    try:
        source = writer.write(value, 0)
    except _Unwritable:
        return None
    except Exception:  # a hostile __eq__, __class__ or property of the user's class
        return None
    if len(source) > LONGEST:
        return None
    expression = Expression(source, frozenset(writer.imports))
    if writer.plain:
        return expression
    try:
        names = {**module_names, **expression.namespace()}
        again = eval(source, names)
        return expression if same(value, again) else None
    except Exception:
        return None


def same(left: Any, right: Any) -> bool:
    """Whether two values are of one type and equal; NaN equals NaN, exceptions by type and arguments."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (left == right and math.copysign(1, left) == math.copysign(1, right)) or (
            left != left and right != right
        )
    if isinstance(left, BaseException):
        return same(left.args, right.args)
    if type(left) in (list, tuple, deque):
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) in (dict, OrderedDict, defaultdict, Counter):
        return len(left) == len(right) and all(key in right and same(left[key], right[key]) for key in left)
    try:
        if left == right:
            return True
    except Exception:
        return False
    if dataclasses.is_dataclass(left) and not isinstance(left, type):
        names = [field.name for field in dataclasses.fields(left)]
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    return False


def quoted(text: str) -> str:
    """A string literal in double quotes, unless that needs more backslashes; what nobody sees, escaped."""
    written = repr(text)
    written = written if written.isascii() else _visible(written)
    return _double(written, text.count('"'), text.count("'"))


def _visible(written: str) -> str:
    """A literal with its marks escaped, but for those that stand on a letter of a script that needs them."""
    found: list[str] = []
    before = ""
    for char in written:
        if unicodedata.category(char)[0] == "M":
            latin = "LATIN" in unicodedata.name(before, "LATIN") if before else True
            if latin or "VARIATION SELECTOR" in unicodedata.name(char, ""):
                found.append(char.encode("unicode_escape").decode())
                continue
        else:
            before = char if char.isalpha() else ""
        found.append(char)
    return "".join(found)


def _double(written: str, double: int, single: int) -> str:
    opening = written.index("'") if "'" in written else -1
    if opening < 0 or not written.endswith("'") or written[0] == '"' or double > single:
        return written
    prefix, body = written[:opening], written[opening + 1 : -1]
    return f'{prefix}"{body.replace(chr(92) + chr(39), chr(39)).replace(chr(34), chr(92) + chr(34))}"'


@functools.lru_cache(maxsize=512)
def _imported(imports: frozenset[str]) -> Mapping[str, Any]:
    names: dict[str, Any] = {}
    for statement in sorted(imports):
        exec(statement, names)
    names.pop("__builtins__", None)
    return names


class _Writer:
    """Writes one value; gathers its imports."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names
        self.imports: set[str] = set()
        self.plain = True

    def write(self, value: Any, depth: int) -> str:
        kind = type(value)
        if value is None or value is Ellipsis or kind is bool:
            return "..." if value is Ellipsis else repr(value)
        if depth > DEEPEST:
            raise _Unwritable
        writer = _WRITERS.get(kind)
        if writer is not None:
            return writer(self, value, depth)
        self.plain = False
        for base, of_base in _BASES:
            if isinstance(value, base):
                return of_base(self, value, depth)
        if hasattr(kind, "__attrs_attrs__") or dataclasses.is_dataclass(kind):
            return self._record(value, depth)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return self._call(kind, [(name, getattr(value, name)) for name in kind._fields], depth)
        if callable(value):
            return self.named(value)
        raise _Unwritable

    def _record(self, value: Any, depth: int) -> str:
        kind = type(value)
        if dataclasses.is_dataclass(kind):
            fields = [(one.name, one.name) for one in dataclasses.fields(kind) if one.init]
        else:
            attributes: Iterable[Any] = kind.__attrs_attrs__
            fields = [
                (getattr(one, "alias", None) or one.name.lstrip("_"), one.name)
                for one in attributes
                if one.init
            ]
        return self._call(kind, [(argument, getattr(value, name)) for argument, name in fields], depth)

    def _call(self, kind: Any, arguments: list[tuple[str, Any]], depth: int) -> str:
        given = ", ".join(f"{name}={self.write(value, depth + 1)}" for name, value in arguments)
        return f"{self.named(kind)}({given})"

    def sequence(self, values: Iterable[Any], depth: int) -> str:
        return ", ".join(self.write(value, depth + 1) for value in values)

    def named(self, value: Any) -> str:
        """A class or function by its importable name."""
        for name in (getattr(value, "__name__", None),):
            if isinstance(name, str) and self.names.get(name) is value:
                return name
        module, qualname = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        owner = getattr(value, "__objclass__", None)  # methods of builtin types: str.upper
        if module is None and isinstance(owner, type):
            module, qualname = owner.__module__, f"{owner.__name__}.{value.__name__}"
        if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
            raise _Unwritable
        module = _PUBLIC.get((module, qualname), module)
        found: Any = sys.modules.get(module) or importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        if found is not value:
            raise _Unwritable
        if module != "builtins":
            self.imports.add(f"from {module} import {qualname.split('.')[0]}")
        return qualname

    def from_module(self, module: str, name: str) -> str:
        self.plain = False
        if self.names.get(name) is not getattr(importlib.import_module(module), name):
            self.imports.add(f"from {module} import {name}")
        return name


_PUBLIC = {("posixpath", "join"): "os.path", ("_operator", "add"): "operator"}


def _float(_writer: _Writer, value: float, _depth: int) -> str:
    if value != value or value in (math.inf, -math.inf):
        return f'float("{value}")'
    return repr(value)


def _list(writer: _Writer, value: list[Any], depth: int) -> str:
    return f"[{writer.sequence(value, depth)}]"


def _tuple(writer: _Writer, value: tuple[Any, ...], depth: int) -> str:
    return f"({writer.sequence(value, depth)}{',' if len(value) == 1 else ''})"


def _dict(writer: _Writer, value: Mapping[Any, Any], depth: int) -> str:
    items = (f"{writer.write(key, depth + 1)}: {writer.write(one, depth + 1)}" for key, one in value.items())
    return "{" + ", ".join(items) + "}"


def _set(writer: _Writer, value: set[Any], depth: int) -> str:
    return "{" + ", ".join(_ordered(writer, value, depth)) + "}" if value else "set()"


def _frozenset(writer: _Writer, value: frozenset[Any], depth: int) -> str:
    return "frozenset({" + ", ".join(_ordered(writer, value, depth)) + "})" if value else "frozenset()"


def _ordered(writer: _Writer, value: Iterable[Any], depth: int) -> list[str]:
    values = list(value)
    try:
        return [writer.write(one, depth + 1) for one in sorted(values)]
    except TypeError:
        return sorted(writer.write(one, depth + 1) for one in values)


def _range(_writer: _Writer, value: range, _depth: int) -> str:
    parts = [value.start, value.stop, value.step]
    return f"range({', '.join(map(str, parts[(parts[0] == 0 and parts[2] == 1) : 3 - (parts[2] == 1)]))})"


def _slice(writer: _Writer, value: slice, depth: int) -> str:
    return f"slice({writer.sequence([value.start, value.stop, value.step], depth)})"


def _pattern(writer: _Writer, value: re.Pattern[Any], depth: int) -> str:
    writer.plain = False
    writer.imports.add("import re")
    written = writer.write(value.pattern, depth + 1)
    if isinstance(value.pattern, str) and "\\" in value.pattern and '"' not in value.pattern:
        raw = f'r"{value.pattern}"'
        written = raw if value.pattern.isprintable() and not value.pattern.endswith("\\") else written
    flags = value.flags & ~(re.UNICODE if isinstance(value.pattern, str) else 0)
    names = [f"re.{flag.name}" for flag in re.RegexFlag if flags & flag and flag.name]
    return f"re.compile({', '.join([written, ' | '.join(names)] if names else [written])})"


def _moment(writer: _Writer, value: Any, depth: int) -> str:
    name = writer.from_module("datetime", type(value).__name__)
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(value.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        parts = {"days": value.days, "hours": hours, "minutes": minutes, "seconds": seconds}
        parts["microseconds"] = value.microseconds
        return f"{name}({', '.join(f'{unit}={count}' for unit, count in parts.items() if count) or 0})"
    written = re.sub(r"^datetime\.", "", repr(value))
    if getattr(value, "tzinfo", None) is not None:
        zone = writer.write(value.tzinfo, depth + 1)
        written = re.sub(r"tzinfo=.*?(?=(, fold=\d)?\)$)", f"tzinfo={zone}", written)
    return written


def _timezone(writer: _Writer, value: datetime.timezone, depth: int) -> str:
    name = writer.from_module("datetime", "timezone")
    if value is datetime.UTC:
        return f"{name}.utc"
    return f"{name}({writer.write(value.utcoffset(None), depth + 1)})"


def _by_text(module: str, text: Callable[[Any], str] = str) -> Callable[[_Writer, Any, int], str]:
    def write(writer: _Writer, value: Any, _depth: int) -> str:
        return f"{writer.from_module(module, type(value).__name__)}({quoted(text(value))})"

    return write


def _fraction(writer: _Writer, value: fractions.Fraction, _depth: int) -> str:
    return f"{writer.from_module('fractions', 'Fraction')}({value.numerator}, {value.denominator})"


def _path(writer: _Writer, value: pathlib.PurePath, _depth: int) -> str:
    name = "Path" if isinstance(value, pathlib.Path) else type(value).__name__
    return f"{writer.from_module('pathlib', name)}({quoted(str(value))})"


def _wrapped(module: str, inner: Callable[[Any], Any]) -> Callable[[_Writer, Any, int], str]:
    def write(writer: _Writer, value: Any, depth: int) -> str:
        name = writer.from_module(module, type(value).__name__)
        return f"{name}({writer.write(inner(value), depth + 1)})"

    return write


def _defaultdict(writer: _Writer, value: defaultdict[Any, Any], depth: int) -> str:
    name = writer.from_module("collections", "defaultdict")
    return f"{name}({writer.write(value.default_factory, depth + 1)}, {_dict(writer, value, depth)})"


def _enum(writer: _Writer, value: enum.Enum, _depth: int) -> str:
    if value.name is None or "|" in value.name:
        raise _Unwritable
    return f"{writer.named(type(value))}.{value.name}"


def _exception(writer: _Writer, value: BaseException, depth: int) -> str:
    return f"{writer.named(type(value))}({writer.sequence(value.args, depth)})"


def _named(writer: _Writer, value: Any, _depth: int) -> str:
    return writer.named(value)


_WRITERS: dict[type, Callable[[_Writer, Any, int], str]] = {
    int: lambda _writer, value, _depth: repr(value),
    float: _float,
    complex: lambda _writer, value, _depth: repr(value),
    str: lambda _writer, value, _depth: quoted(value),
    bytes: lambda _writer, value, _depth: _double(repr(value), value.count(b'"'), value.count(b"'")),
    bytearray: lambda _writer, value, _depth: (
        f"bytearray({_double(repr(bytes(value)), value.count(34), value.count(39))})"
    ),
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    range: _range,
    slice: _slice,
    re.Pattern: _pattern,
    datetime.datetime: _moment,
    datetime.date: _moment,
    datetime.time: _moment,
    datetime.timedelta: _moment,
    datetime.timezone: _timezone,
    decimal.Decimal: _by_text("decimal"),
    uuid.UUID: _by_text("uuid"),
    fractions.Fraction: _fraction,
    deque: _wrapped("collections", list),
    OrderedDict: _wrapped("collections", dict),
    Counter: _wrapped("collections", dict),
    MappingProxyType: _wrapped("types", dict),
    defaultdict: _defaultdict,
    type: _named,
}

_BASES: tuple[tuple[type, Callable[[_Writer, Any, int], str]], ...] = (
    (enum.Enum, _enum),
    (pathlib.PurePath, _path),
    (BaseException, _exception),
    (type, _named),
)


def is_module(value: Any) -> bool:
    """Whether the value is a module, which never is a value of a test."""
    return isinstance(value, ModuleType)
