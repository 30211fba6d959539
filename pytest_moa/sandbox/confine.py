"""One process's confinement, and that of the jobs that it forks."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_moa.sandbox import limits as rlimits
from pytest_moa.sandbox import scratch
from pytest_moa.sandbox.limits import Limits, Size


@dataclass(frozen=True, slots=True)
class Plan:
    """How to confine: by which layers, and what stays readable besides the interpreter and the system."""

    layers: frozenset[str]
    root: Path
    readable: Sequence[Path]
    limits: Limits


class Confinement:
    """The confinement of a warm process. `box` is an empty folder that nobody else uses."""

    def __init__(self, plan: Plan, box: Path) -> None:
        self.plan = plan
        self.job = box / "job"
        self.warm = box / "warm"
        self._statm: int | None = None

    def enter(self) -> None:
        """Confine this process, before it runs anything of the user's."""
        scratch.lay_out(self.warm)
        scratch.lay_out(self.job)
        os.environ.update(scratch.variables(self.warm))
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        except OSError:  # not Linux: nothing is known of the size
            self._statm = None

    def enter_job(self, limits: Limits) -> None:
        """Confine this process further: it is the child that runs one job."""
        os.setsid()
        size = Size.read(self._statm)
        if self._statm is not None:
            os.close(self._statm)
        os.environ.update(scratch.variables(self.job))
        tempfile.tempdir = None  # it has been looked up, perhaps, and must be again
        rlimits.apply(limits, size, None)

    def end_job(self, leader: int) -> int:
        """End a job with all that it has started, and empty its folder. Gives the leader's wait status."""
        try:
            os.killpg(leader, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(leader, signal.SIGKILL)  # it has not come to its own group yet
        status = os.waitpid(leader, 0)[1]
        scratch.empty(self.job)
        scratch.lay_out(self.job)
        return status
