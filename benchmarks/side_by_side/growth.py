"""What `review-bot review` costs as its work grows: changed lines, members, layers, findings.

Each point is the whole command in a process of its own: wall and CPU seconds with its children, and the peak
memory of the largest process. Members are at an endpoint on loopback that answers at once, so that what is
measured is the product and not a model. Nothing may grow faster than n log n: the slopes show it.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.review import measured, repository, review_bot
from benchmarks.side_by_side.agreeing_members import committee, finding, found_in, quotes
from benchmarks.side_by_side.comparison import Cell, Comparison, Goal, Plot, Point, Spread, Table

FORMATS = ("json", "sarif", "rdjson", "markdown", "html", "text")

#: What a slope may be above that of n log n between the same two sizes: two runs are never quite alike.
LEEWAY = 0.05

PROPOSERS = 3

OFFLINE = "offline, tools on"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size of the work cost, in every round."""

    size: int
    wall: Spread
    cpu: Spread
    peak_mb: Spread


PLOTS: tuple[tuple[str, str, Callable[[Cost], Spread]], ...] = (
    ("cpu", "CPU seconds", lambda cost: cost.cpu),
    ("memory", "Peak memory (MB)", lambda cost: cost.peak_mb),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One way in which the work grows: `run(size)` measures the command once."""

    name: str
    unit: str
    sizes: tuple[int, ...]
    seconds: float  #: after these no further round begins
    run: Callable[[int], dict[str, Any]]


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", help="some of the series, by a part of their names")


def measure(options: argparse.Namespace) -> Comparison:
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch))
        series = [
            Series(
                "offline, tools on",
                "changed lines",
                (10, 100, 1_000, 10_000, 50_000, 100_000),
                100,
                bench.offline,
            ),
            Series(
                "three members", "changed lines", (10, 100, 1_000, 10_000, 100_000), 60, bench.with_members
            ),
            Series("three layers", "members", (1, 2, 4, 8, 12), 35, bench.members),
            Series("six members", "layers", (1, 2, 3, 5), 35, bench.layers),
            Series("all formats", "findings", (10, 100, 1_000, 10_000), 60, bench.findings),
        ]
        if options.only:
            series = [one for one in series if any(part in f"{one.name} {one.unit}" for part in options.only)]
        costs = [(one, swept(one)) for one in series]
    return compared(costs)


class Bench:
    """The repositories, made when first needed, and the ways to measure a review of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def repository(self, lines: int) -> Path:
        path = self.folder / f"lines-{lines}"
        if not path.exists():
            each = min(lines, 1_000)
            repository(path, lines // each, each)
        return path

    def review(self, lines: int, *more: str) -> dict[str, Any]:
        (self.folder / "record.sqlite").unlink(missing_ok=True)
        command = review_bot("review", "HEAD~1", "--repo", str(self.repository(lines)), "--quiet", *more)
        run = measured(command, self.folder)
        if run["exit"]:
            raise RuntimeError(f"exit code {run['exit']} of {command}")
        return run

    def offline(self, lines: int) -> dict[str, Any]:
        return self.review(lines, "--format", "json")

    def with_members(self, lines: int) -> dict[str, Any]:
        """One finding of each member in 100 lines, in as many requests as the change needs."""
        return self.by_members(lines, PROPOSERS, 2, lambda number: number % 25 == 0)

    def members(self, count: int) -> dict[str, Any]:
        return self.by_members(5_000, count, 3, lambda number: number % 25 == 0)

    def layers(self, count: int) -> dict[str, Any]:
        return self.by_members(5_000, 6, count, lambda number: number % 25 == 0)

    def by_members(
        self, lines: int, members: int, layers: int, chosen: Callable[[int], bool]
    ) -> dict[str, Any]:
        with committee(self.folder, members, layers, lambda _, text: found_in(text, chosen)) as config:
            return self.review(lines, "--format", "json", "--config", str(config))

    def findings(self, count: int) -> dict[str, Any]:
        """Three members state a third each; two of them the same third. All formats are written."""
        places = [
            (f"module_{file}.py", quote)
            for number in range(250)
            for file in range(20)
            for quote in quotes(number)
        ]
        each = count // PROPOSERS + 1
        said = {
            f"m{number}": [finding(path, quote) for path, quote in places[first : first + each]]
            for number, first in ((1, 0), (2, 0), (3, each))
        }
        outputs = [
            part for name in FORMATS for part in ("--format", name, "--output", str(self.folder / name))
        ]
        with committee(self.folder, PROPOSERS, 3, lambda name, _: said[name], 4_000_000) as config:
            return self.review(20_000, *outputs, "--config", str(config))


def swept(series: Series) -> list[Cost]:
    """Each size up to three times, one round after the other, until the time of the series is over."""
    rounds: list[list[dict[str, Any]]] = []
    deadline = time.monotonic() + series.seconds
    took = 0.0
    while not rounds or (len(rounds) < 3 and time.monotonic() + took < deadline):
        began = time.monotonic()
        rounds.append([series.run(size) for size in series.sizes])
        took = time.monotonic() - began
    return [
        Cost(size, *(Spread.of([run[name] for run in runs]) for name in ("wall_s", "cpu_s", "peak_mb")))
        for size, runs in zip(series.sizes, zip(*rounds, strict=True), strict=True)
    ]


def slope(costs: Sequence[Cost], of: Callable[[Cost], float]) -> tuple[float, float]:
    """The slope at the large end in a log-log plot, and that of n log n between the same two sizes.

    It is taken over the last decade of sizes, or the last doubling where there is no decade.
    """
    last = costs[-1]
    far = [cost for cost in costs if cost.size * 10 <= last.size and cost.size > 1]
    first = (far or [cost for cost in costs if cost.size * 2 <= last.size])[-1]
    span = math.log(last.size / first.size)
    most = math.log(last.size * math.log(last.size) / (first.size * math.log(first.size))) / span
    return math.log(of(last) / of(first)) / span, most


def compared(measured: Sequence[tuple[Series, Sequence[Cost]]]) -> Comparison:
    rows: list[tuple[Cell, ...]] = []
    slopes: list[tuple[Cell, ...]] = []
    goals: list[Goal] = []
    worst = 0.0
    for series, costs in measured:
        rows += [
            (series.name, series.unit, cost.size, str(cost.wall), str(cost.cpu), round(cost.peak_mb.median))
            for cost in costs
        ]
        cpu, most = slope(costs, lambda cost: cost.cpu.median)
        wall, _ = slope(costs, lambda cost: cost.wall.median)
        memory, _ = slope(costs, lambda cost: cost.peak_mb.median)
        slopes.append(
            (series.name, series.unit, round(cpu, 2), round(wall, 2), round(memory, 2), round(most, 2))
        )
        worst = max(worst, cpu - most)
        goals.append(
            Goal(
                f"{series.unit} ({series.name}): slope of CPU and of memory, over n log n",
                f"{cpu:.2f} and {memory:.2f}",
                f"at most {most + LEEWAY:.2f}",
                max(cpu, memory) <= most + LEEWAY,
            )
        )
        for cost in costs:
            if (series.name, cost.size) == (OFFLINE, 50_000):
                peak = cost.peak_mb.high
                goals.append(
                    Goal("offline review of 50,000 changed lines", f"{peak:.0f} MB", "400 MB", peak <= 400)
                )
    return Comparison(
        title="Cost of growth",
        summary=(
            "`review-bot review` on changes, committees and findings of growing size. "
            + (
                "Nothing grows faster than n log n."
                if worst <= LEEWAY
                else "Something grows faster than n log n: see the slopes."
            )
        ),
        tables=(
            Table(
                "Slopes at the large end (1 is linear): last decade of sizes, or last doubling",
                ("what", "of", "CPU", "wall", "memory", "n log n there"),
                tuple(slopes),
                note="What a start costs in any case is part of each figure and makes slopes flatter.",
            ),
            Table(
                "One command: median (smallest to largest)",
                ("what", "of", "size", "wall s", "CPU s", "peak MB"),
                tuple(rows),
                note="Members raise one finding in 100 lines each, and one more in each later layer. The "
                "findings are three members', two of whom say the same; every format is written.",
            ),
        ),
        plots=tuple(
            Plot(
                name=name,
                kind="lines",
                title=f"{what} by size of the work",
                points=tuple(
                    Point(f"{series.unit}, {series.name}", float(cost.size), one.median, one.low, one.high)
                    for series, costs in measured
                    for cost in costs
                    for one in (of(cost),)
                ),
                x="changed lines, members, layers, findings",
                y=what,
                alt=f"{what} of a review by changed lines, members, layers and findings, on logarithmic axes",
                log_x=True,
                log_y=True,
            )
            for name, what, of in PLOTS
        ),
        goals=tuple(goals),
        versions={"pytest-moa": version("pytest-moa")},
    )
