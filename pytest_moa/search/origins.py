"""Where something came from: an exception out of a wrong call or a `raise`, a class out of a module."""

from __future__ import annotations

import functools
import linecache
import types
from collections.abc import Collection, Mapping
from typing import Any


def left_here(error: BaseException, ours: Collection[str]) -> bool:
    """Whether an exception came through code of other files than ours."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename not in ours:
            return True
        traceback = traceback.tb_next
    return False


def deliberate(error: BaseException) -> bool:
    """Whether a `raise` statement raised it: what builtins say changes from one Python to another."""
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    line = linecache.getline(frame.f_code.co_filename, traceback.tb_lineno)
    source = line.strip()
    return source.startswith(("raise", "assert ")) or _inside_raise(
        frame.f_code.co_filename, traceback.tb_lineno
    )


@functools.lru_cache(maxsize=5_000)
def _inside_raise(filename: str, line: int) -> bool:
    """Whether the statement that ends or goes on in that line is a `raise`."""
    for earlier in range(line - 1, max(0, line - 6), -1):
        source = linecache.getline(filename, earlier).strip()
        if source.startswith("raise"):
            return True
        if not source.endswith(("(", ",", "\\")):
            return False
    return False


def is_defined_in(kind: type, names: Mapping[str, Any]) -> bool:
    """Whether a class was made in the module with these names, whatever its `__module__` says.

    Packages let classes say that they come from where they are to be imported from.
    """
    if kind.__module__ == names.get("__name__"):
        return True
    functions = (one for one in vars(kind).values() if isinstance(one, types.FunctionType))
    return any(one.__globals__ is names for one in functions)
