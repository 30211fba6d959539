"""Whether the process that started a run is still alive."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path


def this_process() -> str:
    """A name for this process that no other will have: machine (hashed), id, and when it started."""
    return _name(os.getpid())


def is_alive(name: str) -> bool | None:
    """Whether the process of that name runs; None where that cannot be seen (another machine, Windows)."""
    machine, pid, _ = name.split(":")
    if machine != _machine() or os.name != "posix":  # on Windows, os.kill(pid, 0) would end the process
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and is somebody else's
    return _name(int(pid)) == name


def _name(pid: int) -> str:
    return f"{_machine()}:{pid}:{_start_time(pid)}"


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _start_time(pid: int) -> str:
    # proc(5): behind the command's name in brackets come the state and, as field 22, the start in
    # clock ticks since boot. Where there is no /proc the id alone has to do.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "ended" if state in "ZX" else fields[18]
