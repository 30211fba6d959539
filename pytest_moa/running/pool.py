"""Several warm processes that work off jobs, each with a thread that waits for it.

Callbacks run in the thread that called `Pool.run`. An interrupt there ends the processes at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended, WarmFailed, WarmProcess

#: Seconds between two looks at whether to stop.
_LOOK: Final = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """One call. `each` gets the values that it yields, `done` how it ended."""

    name: str  #: "module:function"
    args: Any
    done: Callable[[Ended], None]
    each: Callable[[Any], None] | None = None
    limits: Limits | None = None


class Pool:
    """Warm processes that `make` makes; each is started when there is work for it."""

    def __init__(self, make: Callable[[], WarmProcess], workers: int) -> None:
        self._make = make
        self._processes: list[WarmProcess | None] = [None] * max(workers, 1)
        self._stopping = False

    def start(self) -> Any:
        """Start the first process; what its preload reports.

        Raises:
            WarmFailed: it does not start.
        """
        process = self._make()
        report = process.start()
        self._processes[0] = process
        return report

    def run(self, jobs: Iterable[Job], stop: Callable[[], bool] = lambda: False) -> bool:
        """Run all jobs; False if `stop` said so before all were done.

        Raises:
            WarmFailed: a process does not start. One that ends later fails its job, and is replaced.
        """
        waiting = deque(jobs)
        events: SimpleQueue[tuple[Callable[[Any], object], Any]] = SimpleQueue()
        self._stopping = False
        threads = [
            threading.Thread(target=self._work, args=(slot, waiting, events), daemon=True)
            for slot in range(min(len(waiting), len(self._processes)))
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._stopping and any(thread.is_alive() for thread in threads):
                self._dispatch(events)
                if stop():
                    self._stopping = True
            finished = not self._stopping
        except BaseException:
            self._stopping = True
            raise
        finally:
            if self._stopping:
                waiting.clear()
                self.close()
            for thread in threads:
                thread.join()
        with contextlib.suppress(Empty):
            while True:
                callback, value = events.get_nowait()
                callback(value)
        return finished

    def close(self) -> None:
        """End all processes."""
        for slot, process in enumerate(self._processes):
            if process is not None:
                process.close()
            self._processes[slot] = None

    def _dispatch(self, events: SimpleQueue[tuple[Callable[[Any], object], Any]]) -> None:
        with contextlib.suppress(Empty):
            callback, value = events.get(timeout=_LOOK)
            callback(value)

    def _work(
        self, slot: int, waiting: deque[Job], events: SimpleQueue[tuple[Callable[[Any], object], Any]]
    ) -> None:
        try:
            while not self._stopping:
                try:
                    job = waiting.popleft()
                except IndexError:
                    return
                process = self._processes[slot]
                if process is None:
                    process = self._make()
                    self._processes[slot] = process
                    process.start()
                events.put((job.done, self._called(slot, process, job, events)))
        except BaseException as error:
            if not self._stopping:
                events.put((_raise, error))

    def _called(
        self,
        slot: int,
        process: WarmProcess,
        job: Job,
        events: SimpleQueue[tuple[Callable[[Any], object], Any]],
    ) -> Ended:
        values: list[Any] = []

        def each(value: Any) -> None:
            values.append(value)
            if job.each is not None:
                events.put((job.each, value))

        try:
            return process.call(job.name, job.args, limits=job.limits, each=each)
        except WarmFailed as error:
            if self._stopping:
                raise
            self._processes[slot] = None
            return Ended("crashed", values, str(error), error.output)


def _raise(error: BaseException) -> None:
    raise error
