"""Time and chance: recognise what depends on them, and hold them still where a module asks for them.

A program may begin with "world" steps such as `monkeypatch.setattr("time.time", lambda: 1700000000)`.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from pytest_moa.search.program import Argument, Program, Step
from pytest_moa.values import Expression

#: The moment at which a held clock stands: 2023-11-14 22:13:20 UTC.
MOMENT = 1_700_000_000
_SHIFT = 1_234_567.25
_CLOCKS = ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns")
_NANOSECONDS = 1_000_000_000


class Clocks:
    """The clocks that a module reads, found among its names and those of the modules beside it."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        package = module.__name__.partition(".")[0]
        beside = [one for name, one in list(sys.modules.items()) if name.partition(".")[0] == package]
        self._copies: list[tuple[ModuleType, str, Any]] = []
        self.read: list[str] = []
        for one in [module, *beside]:
            if not isinstance(one, ModuleType):
                continue
            for name, value in list(vars(one).items()):
                if value is time and "time.time" not in self.read:
                    self.read.append("time.time")
                for clock in _CLOCKS:
                    if value is getattr(time, clock):
                        self._copies.append((one, name, value))
                        self.read.append(f"{one.__name__}.{name}")
        self.read = list(dict.fromkeys(self.read))

    @contextmanager
    def shifted(self) -> Iterator[None]:
        """While entered, clocks are two weeks ahead and chance begins elsewhere."""
        kept = {name: getattr(time, name) for name in _CLOCKS}
        state = random.getstate()
        try:
            for name, clock in kept.items():
                setattr(time, name, _ahead(name, clock))
            for module, name, value in self._copies:
                setattr(module, name, _ahead(value.__name__, value))
            random.seed(987_654_321)
            yield
        finally:
            for name, clock in kept.items():
                setattr(time, name, clock)
            for module, name, value in self._copies:
                setattr(module, name, value)
            random.setstate(state)

    def held(self, program: Program) -> Program | None:
        """The program under a clock that stands still and seeded chance; None if it has that already."""
        if any(step.role == "world" for step in program.steps):
            return None
        steps = [still(name, MOMENT) for name in self.read]
        if "random" in sys.modules and any(value is random for value in vars(self.module).values()):
            seed = Argument("", Expression("1"))
            steps.append(Step("random.seed", (seed,), role="world", imports=frozenset({"import random"})))
        return Program(program.target, (*steps, *program.steps)) if steps else None


def still(name: str, moment: float) -> Step:
    """A step that stops a clock at a moment (seconds)."""
    form = f'monkeypatch.setattr("{name}", lambda: {{0}})'
    value = moment if not name.endswith("_ns") else int(moment) * _NANOSECONDS
    return Step("", (Argument("", Expression(str(value))),), form=form, role="world")


def _ahead(name: str, clock: Any) -> Any:
    shift: Any = int(_SHIFT) * _NANOSECONDS if name.endswith("_ns") else _SHIFT
    return lambda: clock() + shift
