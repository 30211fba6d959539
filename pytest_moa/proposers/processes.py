"""Warm processes that have imported a target's module, and the threads that wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_moa.project import Project, SourceModule
from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended, WarmFailed, WarmProcess

_IMPORTED = "pytest_moa.search.preload:imported"


class Processes:
    """Lends one process per module and call; keeps idle ones. May be used from any thread.

    `workers` is how many threads call processes at once (`in_turn`).
    """

    def __init__(
        self, project: Project, modules: Mapping[str, SourceModule], *, workers: int, confined: bool
    ) -> None:
        self.project = project
        self.modules = dict(modules)
        self.confined = confined
        self._threads = ThreadPoolExecutor(workers, "moa-proposer")
        self._lock = threading.Lock()
        self._idle: dict[str, list[WarmProcess]] = {}
        self._all: list[WarmProcess] = []
        self._closed = False

    async def in_turn(self, work: Callable[[], None]) -> None:
        """Do something that calls processes, as soon as a worker is free."""
        await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def call(
        self, module: str, job: str, args: Any, *, limits: Limits, each: Callable[[Any], None] | None = None
    ) -> Ended:
        """Run a job in a process that has imported the module.

        Raises:
            WarmFailed: the module cannot be imported, or everything has been closed.
        """
        with self._lent(module) as process:
            return process.call(job, args, limits=limits, each=each)

    def close(self) -> None:
        """End all processes, also those that are at work: their calls fail."""
        with self._lock:
            self._closed = True
            processes, self._all = self._all, []
            self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.close()

    @contextmanager
    def _lent(self, module: str) -> Iterator[WarmProcess]:
        with self._lock:
            if self._closed:
                raise WarmFailed("the run is over")
            idle = self._idle.setdefault(module, [])
            process = idle.pop() if idle else None
        if process is None:
            process = self._started(module)
        yield process
        with self._lock:
            self._idle.setdefault(module, []).append(process)

    def _started(self, module: str) -> WarmProcess:
        source = self.modules[module]
        roots: list[Path] = list(dict.fromkeys([*self.project.python_path, source.import_root]))
        process = WarmProcess(
            root=self.project.root,
            preload=_IMPORTED,
            preload_args={"module": module, "path": str(source.path)},
            python_path=[str(path) for path in roots],
            readable=[*roots, *self.project.installed_path],
            confined=self.confined,
        )
        with self._lock:
            if self._closed:
                raise WarmFailed("the run is over")
            self._all.append(process)
        process.start()
        return process
