"""What a caller can observe of a value, as paths that a test can assert.

A path is a template such as "{}", "{}.size", "len({})" or "{}[0].name". `looked_at` gives each path a
*canonical* form that compares as the assertion would (`==`; `is` for None and booleans), so that two
versions of a function differ exactly where an assertion on a path tells them apart.
"""

# ruff: noqa: S307 - paths are expressions

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import re
import traceback
import types
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: A path's canonical value; hashable.
Canonical = Any
Look = dict[str, Canonical]

#: Attributes of an object that are looked at, elements of a sequence, and how deep.
MOST_ATTRIBUTES, MOST_ELEMENTS, DEEPEST = 10, 6, 3
#: Longer collections and texts are compared by their beginning and size only.
LONGEST = 2_000

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{5,}")
_VALUES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    uuid.UUID,
    pathlib.PurePath,
    enum.Enum,
    re.Pattern,
    range,
)
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)

#: Where code stands and how it is written, which no caller minds.
_CODE = (
    types.TracebackType,
    types.FrameType,
    types.CodeType,
    traceback.FrameSummary,
    traceback.StackSummary,
    traceback.TracebackException,
)

#: Parts of classes: what `functools.wraps` copies from a class is no data of an object.
_PARTS = (types.GetSetDescriptorType, types.MemberDescriptorType, types.MethodDescriptorType, classmethod)

#: What a path has that must not be asserted.
UNSTABLE = ("unstable",)


class _Opaque(Exception):
    """Not a plain value."""


def looked_at(value: Any, depth: int = 0) -> Look:
    """All paths of a value with their canonical forms; the fewer, the larger `depth` is."""
    look: Look = {}
    _look(value, "{}", look, depth)
    return look


def value_at(path: str, value: Any) -> Any:
    """What a path leads to."""
    return eval(path.format("_"), {"_": value})


def _look(value: Any, path: str, look: Look, depth: int) -> None:
    if value is None or value is True or value is False:
        look[path] = ("is", value)
        return
    try:
        look[path] = canonical(value, 0)
    except _Opaque:
        pass
    else:
        return
    if isinstance(value, _CODE):
        return
    if isinstance(value, (list, tuple)) and depth < DEEPEST:
        look[f"len({path})"] = len(value)
        for index, one in enumerate(value[:MOST_ELEMENTS]):
            _look(one, f"{path}[{index}]", look, depth + 1)
        return
    if type(value) is dict and depth < DEEPEST and all(type(key) is str for key in value):
        look[f"sorted({path})"] = ("list", *sorted(value))
        for key in list(value)[:MOST_ELEMENTS]:
            _look(
                value[key], f'{path}["{key}"]' if key.isidentifier() else f"{path}[{key!r}]", look, depth + 1
            )
        return
    _look_at_object(value, path, look, depth)


def _look_at_object(value: Any, path: str, look: Look, depth: int) -> None:
    kind = type(value)
    look[f"type({path})"] = ("name", kind.__module__, kind.__qualname__)
    if depth >= DEEPEST or isinstance(value, types.ModuleType):
        return
    if kind.__module__.startswith(
        "_pytest."
    ):  # the test's tools; of what `pytest.raises` gives, the exception
        if kind.__name__ == "ExceptionInfo":
            _look(value.value, f"{path}.value", look, depth + 1)
        return
    if isinstance(value, BaseException):
        look[f"str({path})"] = canonical(str(value), 0)
        return
    if "__wrapped__" in getattr(value, "__dict__", ()) and type(getattr(value, "__name__", None)) is str:
        look[f"{path}.__name__"] = value.__name__  # what decorators are to keep
    for name in public_attributes(value):
        try:
            seen = getattr(value, name)
        except Exception as error:
            look[f"{path}.{name}"] = ("raises", type(error).__name__)
            continue
        if not callable(seen) or isinstance(seen, type):
            _look(seen, f"{path}.{name}", look, depth + 1)
    for wrapper, wanted in _WRAPPERS:
        if not wanted(kind):
            continue
        try:
            seen = _CALLS[wrapper](value)
            look[wrapper.replace("{}", path)] = canonical(seen, 0)
        except _Opaque:
            continue
        except Exception as error:
            look[wrapper.replace("{}", path)] = ("raises", type(error).__name__)


def _defines(name: str) -> Callable[[type], bool]:
    def defined(kind: type) -> bool:
        return getattr(kind, name, None) is not None and getattr(kind, name) is not getattr(
            object, name, None
        )

    return defined


def _iterable(kind: type) -> bool:
    return _defines("__iter__")(kind) and not hasattr(kind, "__next__") and not issubclass(kind, Mapping)


def _sized(kind: type) -> bool:
    return _defines("__len__")(kind)


_WRAPPERS: tuple[tuple[str, Callable[[type], bool]], ...] = (
    ("len({})", _sized),
    ("dict({})", lambda kind: issubclass(kind, Mapping)),
    ("list({})", lambda kind: _iterable(kind) and _sized(kind)),
    ("str({})", _defines("__str__")),
    ("repr({})", lambda kind: _defines("__repr__")(kind) and not dataclasses.is_dataclass(kind)),
    ("bool({})", _defines("__bool__")),
)
_CALLS: dict[str, Callable[[Any], Any]] = {
    "len({})": len,
    "dict({})": dict,
    "list({})": list,
    "str({})": str,
    "repr({})": repr,
    "bool({})": bool,
}


def public_attributes(value: object) -> list[str]:
    """Names of an object's public data: what it holds, its slots and its properties."""
    held = getattr(value, "__dict__", {})
    own = [
        name
        for name, one in held.items()
        if type(name) is str and name[:1] != "_" and type(one) not in _PARTS
    ]
    kind: Any = type(value)
    return list(dict.fromkeys([*own, *_attributes_of(kind)]))[:MOST_ATTRIBUTES]


@functools.lru_cache(maxsize=2_000)
def _attributes_of(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for one in kind.__mro__[:-1]:
        slots = one.__dict__.get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
        names.extend(name for name, value in vars(one).items() if isinstance(value, property))
    return tuple(name for name in names if not name.startswith("_"))


def canonical(value: Any, depth: int) -> Canonical:
    """A hashable that is equal where `==` would be. Raises _Opaque for what no literal equals."""
    exact = _EXACT.get(type(value))
    if exact is not None:
        return exact(value, depth)
    if isinstance(value, enum.Enum):
        return ("enum", type(value).__qualname__, value.name)
    if isinstance(value, tuple) and hasattr(type(value), "_fields") and depth == 0:
        return ("tuple", type(value).__name__, *(canonical(one, depth + 1) for one in value))
    for base, of_base in _BASES:
        if isinstance(value, base):
            return of_base(value, depth)
    if isinstance(value, _VALUES):
        return ("value", type(value).__name__, value if isinstance(value, range) else repr(value))
    if isinstance(value, _NAMED):
        if "<" in value.__qualname__:
            raise _Opaque
        return ("name", value.__module__, value.__qualname__)
    kind = type(value)
    if dataclasses.is_dataclass(kind) and _compares(kind):
        fields = [field.name for field in dataclasses.fields(kind) if field.compare]
        return ("record", kind.__name__, *(canonical(getattr(value, name), depth + 1) for name in fields))
    if hasattr(kind, "__attrs_attrs__") and _compares(kind):
        names = [field.name for field in kind.__attrs_attrs__ if field.eq]
        return ("record", kind.__name__, *(canonical(getattr(value, name), depth + 1) for name in names))
    raise _Opaque


def _itself(value: Any, _depth: int) -> Canonical:
    return value


def _of_float(value: float, _depth: int) -> Canonical:
    return ("nan",) if value != value else value


def _of_text(value: str, _depth: int) -> Canonical:
    if "0x" in value and _ADDRESS.search(value):
        return UNSTABLE
    return str.__str__(value)[:LONGEST]


def _of_bytes(value: bytes, _depth: int) -> Canonical:
    return bytes(value[:LONGEST])


def _of_list(value: Any, depth: int) -> Canonical:
    if depth > 8:
        raise _Opaque
    return ("list", len(value), *[canonical(one, depth + 1) for one in list(value)[:LONGEST]])


def _of_tuple(value: tuple[Any, ...], depth: int) -> Canonical:
    if depth > 8:
        raise _Opaque
    return ("tuple", len(value), *[canonical(one, depth + 1) for one in value[:LONGEST]])


def _of_dict(value: dict[Any, Any], depth: int) -> Canonical:
    if depth > 8:
        raise _Opaque
    items = list(value.items())[:LONGEST]
    return (
        "dict",
        len(value),
        frozenset([(canonical(key, 8), canonical(one, depth + 1)) for key, one in items]),
    )


def _of_set(value: Any, _depth: int) -> Canonical:
    return ("set", frozenset([canonical(one, 8) for one in value]))


_EXACT: dict[type, Callable[[Any, int], Canonical]] = {
    str: _of_text,
    int: _itself,
    bool: _itself,
    type(None): _itself,
    float: _of_float,
    bytes: _of_bytes,
    list: _of_list,
    tuple: _of_tuple,
    dict: _of_dict,
    set: _of_set,
    frozenset: _of_set,
}
_BASES: tuple[tuple[Any, Callable[[Any, int], Canonical]], ...] = (
    (str, _of_text),
    (float, _of_float),
    ((int, complex), _itself),
    ((bytes, bytearray), _of_bytes),
    ((list, deque), _of_list),
    (tuple, _of_tuple),
    (dict, _of_dict),
    ((set, frozenset), _of_set),
)


def _compares(kind: type) -> bool:
    return "__eq__" in {name for one in kind.__mro__[:-1] for name in vars(one)}


def is_iterator(value: Any) -> bool:
    """Whether a value is looked at by driving it: a generator, a map, a file is not."""
    return isinstance(value, Iterator) and not hasattr(value, "read")
