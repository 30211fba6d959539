"""Another day in this process, for finding tests that pass only today.

`time`'s functions, and `now`, `today` and `utcnow` of `datetime`'s classes, wherever a module holds
them under a name. What C code asks the kernel for stays as it is.
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

_NANO: Final = 1_000_000_000


class Shifted:
    """While it is entered, clocks are `seconds` ahead. `reads` counts how often one was read."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.reads = 0
        self._put: list[tuple[dict[str, Any], str, Any]] = []

    def __enter__(self) -> Shifted:
        replaced = self._clocks()
        for module in list(sys.modules.values()):
            names: dict[str, Any] = getattr(module, "__dict__", {})
            name = names.get("__name__", "")
            if not isinstance(name, str) or name.partition(".")[0] in _LEFT_ALONE:
                continue
            for key, value in list(names.items()):
                if (new := replaced.get(id(value))) is not None:
                    self._put.append((names, key, value))
                    names[key] = new
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for names, key, value in reversed(self._put):
            names[key] = value
        self._put.clear()

    def _clocks(self) -> Mapping[int, Any]:
        """What stands in for what, by the original's identity."""
        clocks: dict[int, Any] = {}
        for name in ("time", "monotonic"):
            clocks[id(getattr(time, name))] = self._ahead(getattr(time, name), self.seconds)
            whole = getattr(time, f"{name}_ns")
            clocks[id(whole)] = self._ahead(whole, int(self.seconds * _NANO))
        for name in ("localtime", "gmtime", "ctime"):
            clocks[id(getattr(time, name))] = self._of_now(getattr(time, name))
        clocks[id(time.strftime)] = self._strftime
        delta = datetime.timedelta(seconds=self.seconds)
        clocks[id(datetime.datetime)] = _later(datetime.datetime, ("now", "utcnow", "today"), delta, self)
        clocks[id(datetime.date)] = _later(datetime.date, ("today",), delta, self)
        return clocks

    def _ahead(self, clock: Callable[[], Any], by: float) -> Callable[[], Any]:
        def read() -> Any:
            self.reads += 1
            return clock() + by

        return read

    def _of_now(self, clock: Callable[[float], Any]) -> Callable[..., Any]:
        def read(seconds: float | None = None) -> Any:
            if seconds is None:
                self.reads += 1
                seconds = _time() + self.seconds
            return clock(seconds)

        return read

    def _strftime(self, pattern: str, moment: Any = None) -> str:
        if moment is None:
            self.reads += 1
            moment = _localtime(_time() + self.seconds)
        return _strftime(pattern, moment)


#: Modules that keep the real clocks: pytest's durations and time limits are not the test's business.
_LEFT_ALONE: Final = frozenset(
    {
        "_pytest",
        "pytest",
        "pytest_moa",
        "threading",
        "queue",
        "subprocess",
        "concurrent",
        "sched",
        "hypothesis",
    }
)

_time, _localtime, _strftime = time.time, time.localtime, time.strftime


def _later(kind: Any, names: tuple[str, ...], delta: datetime.timedelta, clock: Shifted) -> Any:
    """A class that is `kind` for `isinstance` and equality, and reads the clock that is ahead."""

    class Likewise(type(kind)):  # type: ignore[misc]
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, kind)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, kind)

    def shifted(name: str) -> classmethod[Any, Any, Any]:
        original = getattr(kind, name)

        def read(_: type, *args: Any, **keywords: Any) -> Any:
            clock.reads += 1
            return original(*args, **keywords) + delta

        return classmethod(read)

    body: dict[str, Any] = {name: shifted(name) for name in names}
    body["__new__"] = staticmethod(lambda _, *args, **keywords: kind(*args, **keywords))
    return Likewise(kind.__name__, (kind,), body)
