"""A job of a warm process: Hypothesis' ghostwriter on one function."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

#: Examples that each property is tried on, always the same ones.
_SETTINGS = "@settings(derandomize=True, max_examples=40, deadline=None)"

#: Characters of a test module that somebody reads.
_LONGEST = 1200

#: Names of functions that undo each other.
_PAIRS = (
    ("encode", "decode"),
    ("dump", "load"),
    ("dumps", "loads"),
    ("serialize", "deserialize"),
    ("pack", "unpack"),
    ("escape", "unescape"),
    ("quote", "unquote"),
    ("compress", "decompress"),
    ("encrypt", "decrypt"),
    ("to", "from"),
)


def ghostwritten(_: Any, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield {"source": ...} with a test module for each property that the function seems to have."""
    from hypothesis.extra import ghostwriter

    module = sys.modules[args["module"]]
    function = getattr(module, args["qualname"], None)  # methods have no properties that it knows
    if not callable(function) or inspect.isclass(function):
        return
    for write in _writers(ghostwriter, module, function):
        try:
            source = write()
        except Exception:  # noqa: S112 - what it cannot write, nobody misses
            continue
        if "assert" in source and len(source) <= _LONGEST:
            yield {"source": _repeatable(source)}


def _writers(ghostwriter: Any, module: Any, function: Callable[..., Any]) -> Iterator[Callable[[], str]]:
    name = function.__name__
    for forth, back in _PAIRS:
        other = getattr(module, name.replace(forth, back, 1), None)
        if forth in name and callable(other) and other is not function:
            yield partial(ghostwriter.roundtrip, function, other)
    if _is_of_one_kind(function):
        yield partial(ghostwriter.idempotent, function)


def _is_of_one_kind(function: Callable[..., Any]) -> bool:
    """Whether it takes one argument, and gives the same type back."""
    try:
        signature = inspect.signature(function)
        hints = inspect.get_annotations(function, eval_str=True)
    except (NameError, TypeError, ValueError):
        return False
    names = list(signature.parameters)
    return len(names) == 1 and hints.get(names[0], 0) == hints.get("return", 1)


def _repeatable(source: str) -> str:
    """The module with settings that make every run the same, in short time.

    Texts are of printable ASCII: for all of Unicode a first run would compute tables for seconds.
    """
    source = re.sub(r"^@given\(", f"{_SETTINGS}\n@given(", source, flags=re.MULTILINE)
    source = source.replace("st.text()", "st.text(string.printable)")
    source = source.replace("from hypothesis import given", "from hypothesis import given, settings")
    return f"import string\n{source}"
