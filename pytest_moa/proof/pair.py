"""Both versions, each live in a warm process of its own, and jobs that run on both at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from pytest_moa.proof.clock import Clock, TimeIsOver
from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended, WarmFailed, WarmProcess

_T = TypeVar("_T")

#: What a job that died did not tell of the program that it ran.
CRASHED = {"digest": "crashed", "late": False, "refused": False, "raised": "", "hits": [], "crashed": True}
#: The same for a program that no alarm could end.
STUCK = {**CRASHED, "digest": "late", "late": True, "crashed": False}
#: The same for one in which a job of ours has failed: it tells nothing about the program.
FAULT = {**CRASHED, "digest": "fault", "crashed": False, "fault": True}

#: Most deaths of jobs in one batch before the rest of it is given up.
MOST_DEATHS = 5
#: Seconds that processes have to end; those that have not go on ending without being waited for.
ENDING = 1.0
#: Seconds after a call's own limit by which its end is awaited, when the time is over.
GRACE = 0.5


@dataclass(frozen=True, slots=True)
class Tree:
    """One version: its folder, and what goes in front of `sys.path`."""

    root: Path
    python_path: tuple[Path, ...]


class Live:
    """One version's warm process, started when it is first used. No call outlasts the clock's phase."""

    def __init__(self, make: Callable[[], WarmProcess], clock: Clock | None = None) -> None:
        self._make = make
        self.clock = clock or Clock(math.inf)
        self.faults: list[str] = []  #: what jobs of ours raised
        self._process: WarmProcess | None = None
        self._lock = threading.Lock()
        self.report: Any = None
        self.failure = ""

    def start(self) -> Any:
        """What its preload reported; None if it failed, which `failure` explains."""
        with self._lock:
            if self._process is None and not self.failure:
                process = self._make()
                try:
                    self.report = process.start()
                    self._process = process
                except WarmFailed as error:
                    last = [line for line in error.output.strip().splitlines() if line.strip()]
                    self.failure = f"{error.message}: {last[-1]}" if last else error.message
                    process.close()
        return self.report

    def call(self, job: str, args: Any, limits: Limits, each: Callable[[Any], None] | None = None) -> Ended:
        """Run a job; a process that is gone is started again once. Raises TimeIsOver."""
        for attempt in range(2):
            self.start()
            process = self._process
            if process is None:
                raise WarmFailed(self.failure)
            wall = min(limits.wall, self.clock.left())
            try:
                ended = process.call(job, args, limits=replace(limits, wall=wall), each=each)
            except WarmFailed:
                with self._lock:
                    self._drop()
                if attempt:
                    raise
                continue
            if ended.status == "timed_out" and wall < limits.wall:
                raise TimeIsOver
            if ended.status == "raised":
                self.faults.append(f"{job} raised {ended.error.strip().splitlines()[-1:]}")
            return ended
        raise AssertionError

    def close(self) -> None:
        """End the process for good, also one that is just being started."""
        with self._lock:
            self.failure = self.failure or "it has been closed"
            self._drop()

    def _drop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


class Pair:
    """Base and head; a context manager. With one worker they run one after the other."""

    def __init__(self, base: Live, head: Live, workers: int = 2) -> None:
        self.base, self.head = base, head
        self._threads = ThreadPoolExecutor(min(2, workers))
        self.executions = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        close_all((self.base, self.head))

    def start(self) -> tuple[Any, Any]:
        """Both preloads' reports; None for one that failed."""
        return self.both(lambda live: live.start())

    def both(self, work: Callable[[Live], Any]) -> tuple[Any, Any]:
        """What `work` gives for each side, done at the same time."""
        started = [self._threads.submit(work, live) for live in (self.base, self.head)]
        first, second = (awaited(one, self.base.clock) for one in started)
        return first, second

    def run(
        self, job: str, programs: Sequence[Mapping[str, Any]], seconds: float, **args: Any
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Results of all programs on both sides, in their order."""
        self.executions += len(programs)
        return self.both(lambda live: batch(live, job, programs, seconds, args))


def awaited(started: Future[_T], clock: Clock) -> _T:
    """What a thread gives. Raises TimeIsOver, and leaves the thread alone, when that takes too long."""
    left = clock.until + GRACE - time.monotonic()
    done, _ = wait([started], None if left == math.inf else max(left, 0))
    if not done:
        raise TimeIsOver
    return started.result()


def close_all(lives: Iterable[Live]) -> None:
    """End processes, all at once; one that is just starting ends when it has started."""
    closing = [threading.Thread(target=live.close, daemon=True) for live in lives]
    until = time.monotonic() + ENDING
    for one in closing:
        one.start()
    for one in closing:
        one.join(max(0.0, until - time.monotonic()))


def batch(
    live: Live, job: str, programs: Sequence[Mapping[str, Any]], seconds: float, args: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Results of programs on one side. One that ends its process costs its chunk a second run.

    What a job of ours raises is a fault of ours, and no behaviour of the program.
    """
    results: list[dict[str, Any]] = []
    deaths, careful = 0, 0
    given_up = CRASHED
    while len(results) < len(programs):
        if deaths >= MOST_DEATHS:
            results += [dict(given_up)] * (len(programs) - len(results))
            break
        left = programs[len(results) :]
        now = left[:careful] if careful else left
        wall = min(60.0, 2 + seconds * (1.5 if len(now) == 1 else 6) + 0.003 * len(now))
        limits = Limits(wall=wall, cpu=wall, memory=1 << 30)
        got: list[dict[str, Any]] = []
        given = {**args, "programs": list(now), "seconds": seconds, **({"chunk": 1} if careful else {})}
        ended = live.call(job, given, limits, got.extend)
        results += got
        careful = max(0, careful - len(got)) if careful else 0
        if ended.status == "returned":
            continue
        deaths += 1
        given_up = FAULT if ended.status == "raised" else CRASHED
        if given.get("chunk") == 1 or len(now) == 1:
            results.append(dict({"timed_out": STUCK, "raised": FAULT}.get(ended.status, CRASHED)))
            careful = max(0, careful - 1)
        else:
            careful = 100
    return results[: len(programs)]
