"""A job's processes: what they use together, and ending every one of them."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

#: Rounds of ending those that are there, where they can go on forking between two rounds.
MOST_ROUNDS = 2000


class Processes:
    """The processes below this one, in its `namespace`, in its Landlock scope, or just in its care.

    `user` is whom they will run as; `visible` says that /proc shows these processes and no others.
    """

    def __init__(self, user: int, *, namespace: bool, scopes: bool, visible: bool) -> None:
        self._namespace = namespace
        self._scopes = scopes
        self._visible = visible
        # In a namespace only the warm process itself counts, and whoever is just coming or going.
        self._others = 2 if namespace else _tasks(user)
        self._children: int | None = None
        if not namespace and not scopes:
            with suppress(OSError):  # not Linux
                self._children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)

    def leave(self) -> None:
        """In a child: it has no part in this."""
        if self._children is not None:
            os.close(self._children)

    def end(self, leader: int) -> int:
        """End a job's leader and all others. Gives the leader's wait status."""
        with suppress(ProcessLookupError):
            if self._namespace or self._scopes:
                # All that can be signalled from here but this process itself: in a namespace of which it
                # is the first process, or in a Landlock domain from which signals do not get out. The
                # kernel does that in one go, so that nobody gets away by forking.
                self._check()
                os.kill(-1, signal.SIGKILL)
            else:
                self._kill(leader)
        status = os.waitpid(leader, 0)[1]
        if self._children is not None:
            self._end_orphans()
        with suppress(ChildProcessError):
            while self._namespace or self._scopes:
                os.waitpid(-1, 0)
        return status

    def _check(self) -> None:
        """Make sure that "all that can be signalled" are jobs.

        Raises:
            RuntimeError: others could be reached; nothing was signalled.
        """
        if self._namespace:
            if os.getpid() != 1:
                raise RuntimeError("not the first process of a namespace")
            return
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            return
        raise RuntimeError("signals get out of the sandbox")

    def _kill(self, leader: int) -> None:
        try:
            os.killpg(leader, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(leader, signal.SIGKILL)  # it has not come to its own group yet

    def _end_orphans(self) -> None:
        """End those whose parents are gone, which makes their children orphans, and so on."""
        assert self._children is not None
        for _ in range(MOST_ROUNDS):
            there = [int(one) for one in os.pread(self._children, 1 << 16, 0).split()]
            if not there:
                return
            for one in there:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            for one in there:
                with suppress(ChildProcessError):
                    os.waitpid(one, 0)

    def most(self, more: int) -> int | None:
        """The greatest number that the kernel should allow this user if jobs may have so many.

        None if it cannot count them: it does not count root's. Nor can we others' without a /proc.
        """
        return None if os.getuid() == 0 or not self._others else self._others + more

    def used(self) -> tuple[int, int]:
        """How many processes jobs have, and bytes that they hold beyond what each had from this one."""
        if not self._visible:
            return 0, 0
        own, page = _resident("self"), resource.getpagesize()
        others = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208
        return len(others), sum(max(0, _resident(name) - own) for name in others) * page


def _tasks(user: int) -> int:
    """How many tasks the user has now."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if folder.stat().st_uid == user:
                count += len(list((folder / "task").iterdir()))
    return count


def _resident(process: str) -> int:
    """Pages of a process in memory."""
    try:
        return int(Path(f"/proc/{process}/statm").read_bytes().split()[1])
    except OSError:  # it has just ended
        return 0
