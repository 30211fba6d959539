"""What the sandbox costs a child: empty jobs in a confined warm process, without one, and a plain fork.

    python -m benchmarks.sandbox            the warm process imports pytest and the engine, about 40 MB

Prints one JSON object; times are in ms, in turn, so that a busy moment hits all alike.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pytest_moa.sandbox import probe
from pytest_moa.warm import WarmProcess

GOAL = 8.0


def preload(_: Any, serve: Callable[..., NoReturn]) -> None:
    """Import what a warm process of the plug-in's has at least."""
    import pytest

    serve(pytest.__version__)


def empty(_: Any, __: Any) -> None:
    """The job that does nothing."""


def forks(_: Any, count: int) -> list[float]:
    """Plain forks of a process with the same imports: nothing is confined, told or cleaned."""
    gc.freeze()
    took = []
    for _n in range(count):
        start = time.perf_counter()
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        took.append((time.perf_counter() - start) * 1000)
    return took


def started(confined: bool, folder: Path) -> tuple[WarmProcess, float]:
    process = WarmProcess(
        root=folder,
        preload="benchmarks.sandbox:preload",
        python_path=[str(Path(__file__).parents[1])],
        confined=confined,
    )
    start = time.perf_counter()
    process.start()
    return process, (time.perf_counter() - start) * 1000


def cpu(confined: bool, folder: Path, count: int) -> float:
    """CPU of a job in ms, of all processes but this one: what a busy machine does not change much."""
    used = []
    for jobs in (0, count):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process, _ = started(confined, folder)
        with process:
            for _n in range(jobs):
                process.call("benchmarks.sandbox:empty")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (used[1] - used[0]) * 1000 / count


def measure(count: int) -> dict[str, Any]:
    start = time.perf_counter()
    mechanism = probe()
    probing = (time.perf_counter() - start) * 1000
    with tempfile.TemporaryDirectory() as folder:
        (confined, confined_start), (open_, open_start) = (started(c, Path(folder)) for c in (True, False))
        calls: dict[str, list[float]] = {"confined": [], "not confined": [], "plain fork": []}
        with confined, open_:
            for _ in range(count // 20):
                for name, process in (("confined", confined), ("not confined", open_)):
                    for _n in range(20):
                        start = time.perf_counter()
                        process.call("benchmarks.sandbox:empty")
                        calls[name].append((time.perf_counter() - start) * 1000)
                calls["plain fork"] += open_.call("benchmarks.sandbox:forks", 20).value
        cpus = {
            n: round(cpu(c, Path(folder), count), 2) for n, c in (("confined", True), ("not confined", False))
        }
    medians = {name: round(statistics.median(took), 2) for name, took in calls.items()}
    return {
        "what": "wall time of an empty job in ms, from the call to its end",
        "mechanism": mechanism.name,
        "jobs": count,
        "median": medians,
        "p95": {name: round(sorted(took)[int(0.95 * len(took))], 2) for name, took in calls.items()},
        "cpu": cpus,
        "the sandbox itself": round(medians["confined"] - medians["not confined"], 2),
        "start": {
            "confined": round(confined_start),
            "not confined": round(open_start),
            "probe, once": round(probing),
        },
        "python": sys.version.split()[0],
        "goal": GOAL,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=400)
    print(json.dumps(measure(parser.parse_args().jobs), indent=2))


if __name__ == "__main__":
    main()
