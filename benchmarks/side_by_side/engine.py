"""The engine beside other ways to make the calls of a committee, on a loopback endpoint.

Each system makes the same committee run: six proposers, six who see their answers, one aggregator. Peers
have the committee written around them as one would (engine_driver.py); optillm brings its own of three
calls. Each runs in an environment and a process of its own and does, in turn with the others: one run in
a fresh process, one run in a process that is warm, and many calls at once without latency, for their CPU.
Then all make many runs at the same time, as they mostly wait: with latencies that scatter, with calls that
are stuck, and with calls that fail, once with each one's defaults and once with all its means.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.loopback import endpoint
from benchmarks.side_by_side.comparison import Absent, Comparison
from benchmarks.side_by_side.engine_systems import Kind, Process, Stopped, installed
from benchmarks.side_by_side.engine_tables import Measured, goals, plots, summary, tables

FIXED, LOGNORMAL, STUCK = "fixed:0.2", "lognormal:0.2:0.8", "fixed:0.2+stuck:0.05:5"
FAULTS = ("--latency", "fixed:0.02", "--fault-rate", "0.3")
ATTEMPT_SECONDS = 2.0  # with faults: a call may hang, and nobody's default of 600 s can be waited for
RUN_SECONDS = 30.0  # with faults: a run that takes longer has no result


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--starts", type=int, default=3, help="fresh processes of each system")
    parser.add_argument("--rounds", type=int, default=8, help="single runs of each system")
    parser.add_argument("--cpu-rounds", type=int, default=3, help="rounds of many calls at once")
    parser.add_argument("--seconds", type=float, default=25, help="in which the runs of a latency begin")


def measure(options: argparse.Namespace) -> Comparison:
    found, absent = installed()
    measured = {name: Measured() for name in found}
    with ExitStack() as stack:
        systems = _Systems(absent)
        _starts(systems, found, options.starts, measured)
        for name in [name for name in found if name not in systems.gone]:
            systems.live[name] = stack.enter_context(Process(*found[name]))
        _single_runs(systems, options.rounds, measured)
        _cpu(systems, options.cpu_rounds, measured)
        for field, latency in (("lognormal", LOGNORMAL), ("stuck", STUCK)):
            _many_runs(systems, field, latency, options.seconds, measured)
        for resilient in (False, True):
            _faults(systems, resilient, options.seconds, measured)
        measured = {name: measured[name] for name in systems.live}
    return Comparison(
        title="The engine, side by side",
        summary=summary(measured),
        tables=tables(measured),
        plots=plots(measured),
        goals=goals(measured),
        absent=tuple(absent),
        versions={package: version for one in measured.values() for package, version in one.versions.items()},
    )


class _Systems:
    """The processes that still answer. One that stops is named as absent, and the rest goes on."""

    def __init__(self, absent: list[Absent]) -> None:
        self.live: dict[str, Process] = {}
        self.absent = absent

    @property
    def gone(self) -> set[str]:
        return {one.peer for one in self.absent}

    def drop(self, name: str, error: Stopped) -> None:
        self.live.pop(name, None)
        self.absent.append(Absent(name, str(error)))

    def in_turn(self, do: str, **arguments: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ask one after the other."""
        for name, process in list(self.live.items()):
            try:
                yield name, process.ask(do, **arguments)
            except Stopped as error:
                self.drop(name, error)

    def together(
        self, do: str, within: float, arguments: Callable[[Kind], dict[str, Any]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ask all that have a part in it at the same time."""
        end = time.monotonic() + within
        asked = {name: process for name, process in self.live.items() if process.kind.at_once}
        for name, process in asked.items():
            try:
                process.send(do, **arguments(process.kind))
            except Stopped as error:
                self.drop(name, error)
        for name, process in asked.items():
            if name in self.gone:
                continue
            try:
                yield name, process.answer(max(end - time.monotonic(), 1))
            except Stopped as error:
                self.drop(name, error)

    def open(self, url: str, **arguments: Any) -> None:
        for _ in self.in_turn("open", url=url, **arguments):
            pass


def _rounds(rounds: int, seconds: float) -> Iterator[int]:
    """The numbers of so many rounds, fewer on a machine that does not get them done in time: at least two."""
    end = time.monotonic() + seconds
    for number in range(rounds):
        if number >= 2 and time.monotonic() > end:
            return
        yield number


def _starts(systems: _Systems, found: Any, starts: int, measured: dict[str, Measured]) -> None:
    """One run in a fresh process, and what that process took in all."""
    with endpoint("--latency", FIXED) as url:
        for number in _rounds(starts, 55):
            for name, (kind, python) in found.items():
                if name in systems.gone:
                    continue
                began = time.perf_counter()
                try:
                    with Process(kind, python) as process:
                        process.ask("open", url=url)
                        run = process.ask("run", question=f"start {number}")
                except Stopped as error:
                    systems.drop(name, error)
                    continue
                one = measured[name]
                one.start_seconds.append(time.perf_counter() - began)
                one.start_cpu.append(run["cpu"])
                one.start_mb.append(run["peak_mb"])
                one.import_cpu.append(process.ready["import_cpu"])
                one.versions = process.ready.get("versions", {})


def _single_runs(systems: _Systems, rounds: int, measured: dict[str, Measured]) -> None:
    """One run at a time, in processes that are warm."""
    with endpoint("--latency", FIXED) as url:
        systems.open(url)
        for number in _rounds(rounds + 1, 75):
            for name, run in systems.in_turn("run", question=f"round {number}"):
                if number:  # the first is for imports and connections
                    measured[name].single.append(run["seconds"])


def _cpu(systems: _Systems, rounds: int, measured: dict[str, Measured]) -> None:
    with endpoint() as url:
        systems.open(url)
        for number in _rounds(rounds, 80):
            for name, process in list(systems.live.items()):
                try:
                    round_ = process.ask("cpu", calls=process.kind.cpu_calls, label=f"round-{number}")
                except Stopped as error:
                    systems.drop(name, error)
                    continue
                measured[name].cpu_us.append(round_["us"])
                measured[name].cpu_calls = process.kind.cpu_calls
                measured[name].cpu_mb = round_["peak_mb"]


def _many_runs(
    systems: _Systems, field: str, latency: str, seconds: float, measured: dict[str, Measured]
) -> None:
    with endpoint("--latency", latency) as url:
        systems.open(url)

        def arguments(kind: Kind) -> dict[str, Any]:
            return {"runs": kind.runs, "at_once": kind.at_once, "longest": 60, "until": seconds}

        for name, runs in systems.together("runs", seconds + 90, arguments):
            setattr(measured[name], field, runs["seconds"])
        for name, end in systems.in_turn("close"):
            if (calls := end.get("calls")) is not None:
                measured[name].calls[field] = calls


def _faults(systems: _Systems, resilient: bool, seconds: float, measured: dict[str, Measured]) -> None:
    with endpoint(*FAULTS) as url:
        systems.open(url, timeout=ATTEMPT_SECONDS, resilient=resilient)

        def arguments(kind: Kind) -> dict[str, Any]:
            return {"runs": kind.runs, "at_once": kind.at_once, "longest": RUN_SECONDS, "until": seconds}

        for name, runs in systems.together("runs", seconds + 150, arguments):
            measured[name].faults[resilient] = (runs["valid"], runs["seconds"])
        for name, end in systems.in_turn("close"):
            measured[name].verified.append(end.get("verified"))
