"""One warm process's confinement, and that of the jobs that it forks.

Layers: "namespaces", "landlock", "seccomp"; each works without the others. What each of them closes is in
docs/design/sandbox.md.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_moa.sandbox import kernel, landlock, namespaces, privileges, readable, rlimits, scratch, seccomp
from pytest_moa.sandbox.limits import Limits
from pytest_moa.sandbox.processes import Processes

#: How much more than one file a scratch folder may hold.
CAPACITY = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How to confine: by which layers, and what stays readable besides the interpreter and the system.

    `home` is the user's, whose hidden files are nobody's business.
    """

    layers: frozenset[str]
    root: Path
    readable: Sequence[Path]
    limits: Limits
    home: Path | None


class Confinement:
    """The confinement of a warm process. `box` is an empty folder that nobody else uses."""

    def __init__(self, plan: Plan, box: Path) -> None:
        self.plan = plan
        self.box = box
        self.job = box / "job"
        self._trash = box / "trash"
        self._statm: int | None = None
        self._inner: landlock.Ruleset | None = None
        self._namespaces = "namespaces" in plan.layers
        self._scopes = "landlock" in plan.layers and landlock.version() >= landlock.SCOPES
        self.processes: Processes

    def prepare(self) -> None:
        """Before the fork of the process that will be confined, in its parent.

        Raises:
            OSError: a layer does not work here.
        """
        self._user, self._group = privileges.user_and_group()
        if self._namespaces:
            namespaces.enter()
        elif self.plan.layers:
            os.chown(self.box, self._user, self._group)

    def enter(self) -> None:
        """Confine this process, before it runs anything of the user's.

        Raises:
            OSError: a layer does not work here.
        """
        layers = self.plan.layers
        if kernel.SUPPORTED:
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
            with suppress(OSError):  # when the machine's memory ends, it ends here
                Path("/proc/self/oom_score_adj").write_text("1000")
        shows_processes = True
        if self._namespaces:
            capacity = CAPACITY * self.plan.limits.file_bytes
            namespaces.own_tree(self.box, capacity, self._user, self._group)
            shows_processes = namespaces.own_processes()
            namespaces.loopback_up()
        with suppress(OSError):  # not Linux, or a container without: nothing is known of sizes
            self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        self.processes = Processes(
            self._user,
            namespace=self._namespaces,
            scopes=self._scopes,
            visible=self._namespaces and shows_processes,
        )
        if layers:
            privileges.drop(self._user, self._group)
        if kernel.SUPPORTED:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        for folder in (self.box / "warm", self.job):
            scratch.lay_out(folder)
        self._trash.mkdir()
        os.environ.update(scratch.variables(self.box / "warm"))
        if "landlock" in layers:
            self._landlock(with_proc=self._namespaces and shows_processes)
        if "seccomp" in layers:
            seccomp.restrict(own_processes=self._namespaces, own_mounts=self._namespaces)

    def _landlock(self, *, with_proc: bool) -> None:
        outer = landlock.Ruleset(files=landlock.EVERYTHING, network=not self._namespaces, scopes=True)
        for path, rights in readable.rules(self.plan.root, self.plan.readable, self.plan.home):
            outer.allow(path, rights)
        if with_proc:
            outer.allow(Path("/proc"), landlock.READ)
        self._inner = landlock.Ruleset(files=landlock.EVERYTHING & ~landlock.READ, network=False, scopes=True)
        outer.allow(self.box, landlock.EVERYTHING)
        for ruleset in (outer, self._inner):
            ruleset.allow(self.job, landlock.EVERYTHING)
            ruleset.allow(self.box / "shm", landlock.EVERYTHING)
            for device in readable.DEVICES:
                ruleset.allow(Path(device), landlock.OF_FILES)
        outer.restrict()

    def enter_job(self, limits: Limits) -> None:
        """Confine this process further: it is the child that runs one job."""
        os.setsid()
        if kernel.SUPPORTED:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        size = rlimits.Size.read(self._statm)
        if self._statm is not None:
            os.close(self._statm)
        self.processes.leave()
        os.environ.update(scratch.variables(self.job))
        tempfile.tempdir = None  # it has been looked up, perhaps, and must be again
        rlimits.apply(limits, size, self.processes.most(limits.processes))
        if self._inner is not None:
            self._inner.restrict()
        if "seccomp" in self.plan.layers and not self._namespaces and not self._scopes:
            seccomp.restrict_signals()

    def end_job(self, leader: int) -> int:
        """End a job with all that it has started, and empty its folder. Gives the leader's wait status."""
        status = self.processes.end(leader)
        scratch.clear(self.job, self._trash)
        if self._namespaces:
            scratch.empty(self.box / "shm", self._trash)
        return status
