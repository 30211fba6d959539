"""From a definition in the source to the function object that runs: through decorators and descriptors."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from pytest_moa.code.definitions import Definition

#: How many wrappers lie on one function at most.
DEEPEST = 8


def live_function(module: ModuleType, definition: Definition) -> FunctionType | None:
    """The plain function that this definition made, whatever is wrapped around it; None if it is gone.

    Found by its name and first line, so it may run other code meanwhile (probes, a mutant).
    """
    for start in _named(module, definition.qualname):
        for function in _functions_behind(start):
            if _made_by(function, definition, module):
                return function
    return next(
        (one for one in functions_of(module) if _made_by(one, definition, module)),
        None,
    )


def functions_of(module: ModuleType) -> list[FunctionType]:
    """Every function object that was defined in the module, also those that only others still hold.

    Looks at every object of the process: some milliseconds.
    """
    with _unfrozen():
        return [one for one in gc.get_referrers(vars(module)) if isinstance(one, FunctionType)]


def modules() -> list[ModuleType]:
    """Every module of the process, also those that `sys.modules` has lost: one of several `conftest`."""
    with _unfrozen():
        return [one for one in gc.get_objects() if isinstance(one, ModuleType)]


@contextmanager
def _unfrozen() -> Iterator[None]:
    """The garbage collector does not look at what is frozen."""
    frozen = gc.get_freeze_count()
    if frozen:
        gc.unfreeze()
    try:
        yield
    finally:
        if frozen:
            gc.freeze()


def caches_of(module: ModuleType) -> list[Any]:
    """The `lru_cache` wrappers among a module's functions and its classes' methods."""
    found: dict[int, Any] = {}
    owners: list[Any] = [module]
    seen: set[int] = set()
    while owners:
        owner = owners.pop()
        seen.add(id(owner))
        for value in list(vars(owner).values()):
            if isinstance(value, type) and value.__module__ == module.__name__ and id(value) not in seen:
                owners.append(value)
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            if isinstance(value, functools._lru_cache_wrapper):
                found[id(value)] = value
    return list(found.values())


def _made_by(function: FunctionType, definition: Definition, module: ModuleType) -> bool:
    code = function.__code__
    return (
        code.co_firstlineno == definition.first_line
        and code.co_name == definition.name
        and function.__globals__ is vars(module)
    )


def _named(module: ModuleType, qualname: str) -> Iterator[Any]:
    """What the module has under that name, and under its mangled form in classes."""
    value: Any = module
    *classes, last = qualname.split(".")
    for name in classes:
        value = vars(value).get(name)
        if not isinstance(value, type):
            return
    for name in (last, f"_{classes[-1].lstrip('_')}{last}" if classes else ""):
        if name in vars(value):
            yield vars(value)[name]


def _functions_behind(value: Any) -> Iterator[FunctionType]:
    layer, seen = [value], {id(value)}
    for _ in range(DEEPEST):
        yield from (one for one in layer if isinstance(one, FunctionType))
        inner = {id(found): found for one in layer for found in _inside(one)}
        layer = [found for name, found in inner.items() if name not in seen]
        seen.update(inner)


def _inside(value: Any) -> Iterator[Any]:
    """What a decorator may have kept of the function it got. No code of the user runs here."""
    if isinstance(value, FunctionType):
        if (wrapped := value.__dict__.get("__wrapped__")) is not None:
            yield wrapped
        for cell in value.__closure__ or ():
            yield from _content(cell)
    elif isinstance(value, staticmethod | classmethod | MethodType):
        yield value.__func__
    elif isinstance(value, property):
        yield from (one for one in (value.fget, value.fset, value.fdel) if one is not None)
    elif isinstance(value, functools.partial | functools.partialmethod | functools.cached_property):
        yield value.func
    elif isinstance(value, functools._lru_cache_wrapper):
        yield value.__wrapped__
    elif not isinstance(value, type | ModuleType):
        try:
            kept = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        yield from (one for one in list(kept.values()) if callable(one) and not isinstance(one, type))


def _content(cell: CellType) -> Iterator[Any]:
    try:
        content = cell.cell_contents
    except ValueError:  # empty
        return
    if callable(content) and not isinstance(content, type):
        yield content
