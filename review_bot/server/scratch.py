"""Where reviews have their temporary files: one folder for each process of the server, gone when that is.

A process that was killed cleans nothing up. The lock that it held on its folder is gone, though, so the
next one to start knows.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path


class Scratch:
    """This process's folder, below one that processes may share."""

    def __init__(self, shared: Path) -> None:
        shared.mkdir(parents=True, exist_ok=True)
        for folder in shared.iterdir():
            if (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
        lock = None
        while lock is None:  # another process that starts may just be looking at it
            self.folder = Path(tempfile.mkdtemp(dir=shared))
            lock = _locked(self.folder)
        self._lock = lock

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _locked(folder: Path) -> int | None:
    """The folder's lock, taken; None when another process has it, or it is no folder of ours."""
    try:
        lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
