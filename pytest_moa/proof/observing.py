"""What can be observed while a program runs, noted so that two processes can compare it by digests.

Only to be used in a confined child, on its main thread. Standard library only.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import errno
import functools
import hashlib
import itertools
import linecache
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_moa.proof.texts import masked
from pytest_moa.search.observation import canonical, is_iterator, looked_at
from pytest_moa.values import quoted

#: Observations of one run that are kept; a loop has many.
MOST_FACTS = 80
#: Elements that an iterator is driven to.
MOST_DRIVEN = 50
#: Characters of a plain value from which on its parts are looked at as well, and most of those.
LONG, MOST_PARTS = 200, 24
#: Significant digits of floats that have to agree.
DIGITS = 9

#: Where something was seen: number of the statement, and which part of it.
Where = tuple[int, str]

#: Attributes that say where code is, and by their usual name how long something took.
_PLACES = (
    ".elapsed",
    ".lineno",
    ".filename",
    ".tb_lineno",
    ".__file__",
    ".pathname",
    ".process",
    ".thread",
    ".pid",
)
_PLAIN = frozenset({int, float, str, bytes, bool, type(None), tuple, frozenset, types.FunctionType, type})
_DRIVEN = f"list(islice({{}}, {MOST_DRIVEN}))"
_REFUSED = frozenset({errno.EPERM, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EAFNOSUPPORT})


@dataclass(slots=True)
class Raised:
    """An exception that ended a program. `line` is in the program, `told` says that its message is meant."""

    kind: str  #: "module.qualname"
    message: str
    line: int
    told: bool
    refused: bool = False  #: the sandbox said no, not the code


@dataclass(slots=True)
class Observer:
    """Notes what a program shows. Programs call `seen`, `argument` and `end`; each gives its value back."""

    facts: list[tuple[Where, str, Any]] = field(default_factory=list)  #: where, path, canonical
    values: dict[Where, Any] = field(default_factory=dict)
    raised: Raised | None = None
    timed_out: bool = False
    output: str = ""
    warned: tuple[str, ...] = ()
    keep_values: bool = False
    _given: dict[int, list[tuple[str, Any, Any]]] = field(default_factory=dict)
    _assigned: dict[int, Any] = field(default_factory=dict)

    def seen(self, at: int, value: Any, part: str = "value") -> Any:
        """Look at a value; coroutines and iterators that nobody keeps are driven."""
        prefix = "{}"
        looked_value = value
        if part in ("value", "left", "right") and len(self.facts) < MOST_FACTS:
            if isinstance(value, types.CoroutineType) and part == "value":
                prefix, looked_value = "asyncio.run({})", asyncio.run(value)
            if is_iterator(looked_value) and part == "value":
                prefix = _DRIVEN.replace("{}", prefix)
                looked_value = list(itertools.islice(looked_value, MOST_DRIVEN))
        self._look((at, part), looked_value, prefix)
        for name, given, before in self._given.pop(at, ()):
            if _digest_of(given) != before:
                self._look((at, name), given)
        return value

    def argument(self, at: int, index: int, value: Any) -> Any:
        """Remember a mutable argument of a call, to see what becomes of it."""
        self._given.setdefault(at, []).append((f"argument {index}", value, _digest_of(value)))
        return value

    def end(self, names: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
        """Look again at variables, for what has changed since they were bound."""
        for name in wanted:
            value = names.get(name)
            if name in names and type(value) not in _PLAIN and not is_iterator(value):
                if isinstance(value, types.ModuleType | types.CoroutineType):
                    continue
                if self._assigned.get(id(value)) != _digest_of(value):
                    self._look((-1, name), value)

    def failed(self, error: BaseException, filename: str) -> None:
        """Note the exception that ended the program whose code has that file name."""
        kind = type(error)
        try:
            message = str(error)
        except Exception:
            message = ""
        line, told = 0, False
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == filename:
                line = traceback.tb_lineno
            told = _is_raise(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
            traceback = traceback.tb_next
        refused = isinstance(error, OSError) and (
            error.errno in _REFUSED or type(error).__name__ in ("gaierror", "herror")
        )
        self.raised = Raised(f"{kind.__module__}.{kind.__qualname__}", message[:600], line, told, refused)

    def digest(self) -> str:
        """Sixteen hex digits over everything that was observed."""
        return _hashed(self.told())

    def told(self) -> str:
        """All observations as text that two processes can compare."""
        raised = self.raised
        parts = [f"{where}{path}={stable(seen)}" for where, path, seen in self.facts]
        if raised is not None:
            parts.append(f"raised {raised.kind} {masked(raised.message) if raised.told else ''}")
        parts += [f"out {masked(self.output)}", *self.warned, "late" if self.timed_out else ""]
        return "\n".join(parts)

    def listed(self) -> list[list[Any]]:
        """Facts as JSON: [statement, part, path, digest]."""
        return [[*where, path, _hashed(stable(seen))] for where, path, seen in self.facts]

    def _look(self, where: Where, value: Any, prefix: str = "{}") -> None:
        if len(self.facts) >= MOST_FACTS:
            return
        look = _safely(value)
        for path, seen in look.items():
            if _is_private(path, seen) or path.endswith(_PLACES):
                continue
            self.facts.append((where, path.replace("{}", prefix) if prefix != "{}" else path, seen))
        if self.keep_values and "{}" in look and prefix == "{}":
            self.facts += [(where, path, canonical(part, 0)) for path, part in parts(value)]
        if where[1] == "assigned" and type(value) not in _PLAIN:
            self._assigned[id(value)] = _digest_of(value)
        if self.keep_values:
            self.values[where] = value


def _is_private(path: str, seen: Any) -> bool:
    """Of a type's name that no caller can import."""
    if not path.startswith("type(") or not isinstance(seen, tuple):
        return False
    return any(part.startswith("_") or "<" in part for part in str(seen[-1]).split("."))


def _safely(value: Any) -> dict[str, Any]:
    try:
        look = looked_at(value)
    except Exception as error:
        return {"{}": ("unreadable", type(error).__name__)}
    for plain in (dict, list, set):
        path = f"{plain.__name__}({{}})"
        if isinstance(value, plain) and "{}" not in look and path not in look:
            with contextlib.suppress(Exception):
                look[path] = canonical(plain(value), 0)
    return look


def parts(value: Any) -> list[tuple[str, Any]]:
    """Paths into a plain value that is too long to be written as a whole, and what they lead to."""
    found: list[tuple[str, Any]] = []
    pending = [("{}", value)]
    while pending and len(found) < MOST_PARTS:
        path, whole = pending.pop(0)
        if path != "{}":
            found.append((path, whole))
        if len(repr(whole)) <= LONG:
            continue
        if isinstance(whole, dict):
            texts = {key: one for key, one in whole.items() if type(key) is str and not set(key) & set("{}")}
            pending += [(f"{path}[{quoted(key)}]", one) for key, one in texts.items()]
        elif isinstance(whole, list | tuple):
            pending += [(f"{path}[{index}]", one) for index, one in enumerate(whole)]
        elif isinstance(whole, str) and "\n" in whole.strip():
            lines = whole.splitlines()  # the last ones of a traceback, and the first of all else, say most
            pending += [(f"{path}.splitlines()[{index}]", lines[index]) for index in (-1, *range(len(lines)))]
    return found


def _digest_of(value: Any) -> str:
    try:
        return stable(canonical(value, 0))
    except Exception:
        return "\n".join(f"{path}={stable(seen)}" for path, seen in _safely(value).items())


def stable(seen: Any) -> str:
    """A canonical value as text, the same in every process; floats to `DIGITS`."""
    if isinstance(seen, tuple):
        return f"({','.join(map(stable, seen))})"
    if isinstance(seen, frozenset):
        return f"{{{','.join(sorted(map(stable, seen)))}}}"
    if isinstance(seen, float):
        if seen == seen and abs(seen) < 1e15 and seen == int(seen):
            return str(int(seen))
        return format(seen, f".{DIGITS}g")
    if isinstance(seen, bool):
        return str(int(seen))
    return masked(repr(seen)) if isinstance(seen, str) else repr(seen)


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


@functools.lru_cache(maxsize=2_000)
def _is_raise(filename: str, line: int) -> bool:
    """Whether a `raise` statement of a file holds that line: then its message is somebody's words."""
    return any(first <= line <= last for first, last in _raises(filename))


@functools.lru_cache(maxsize=500)
def _raises(filename: str) -> tuple[tuple[int, int], ...]:
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return ()
    return tuple(
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
    )
