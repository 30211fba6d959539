"""What a comparison says when it has measured: tables, plots, goals, and the peers that could not run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one measurement; the product is in the first row, or the rows are its own."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One mark of a plot. `x` is a name for bars, a number for lines; `low` and `high` are its spread."""

    series: str
    x: str | float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """`bars`: names down the side, one value each. `lines`: a line for each series."""

    name: str
    kind: Literal["bars", "lines"]
    title: str
    points: tuple[Point, ...]
    x: str
    y: str
    alt: str
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that is aimed at. `met` is None where it was not measured, and `measured` then says why."""

    what: str
    measured: str
    goal: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that could not be run here, and why."""

    peer: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of one side-by-side measurement."""

    title: str
    summary: str  #: one to three sentences: who wins what, where we lose
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    goals: tuple[Goal, ...] = ()
    absent: tuple[Absent, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def machine() -> str:
    """What the figures were measured on, in a line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing, in whatever unit they came in."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median, the smallest and the largest of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"
