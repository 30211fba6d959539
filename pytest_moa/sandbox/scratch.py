"""The folder that jobs may write to: laid out anew for each, and emptied whatever is in it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

#: Where a job finds its home and its temporary files, by the variables that say so.
PLACES = {"HOME": "home", "TMPDIR": "tmp"}


def lay_out(folder: Path) -> None:
    """Make the places of one job."""
    for name in PLACES.values():
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def variables(folder: Path) -> dict[str, str]:
    """The environment that leads there."""
    return {variable: str(folder / name) for variable, name in PLACES.items()}


def clear(folder: Path, trash: Path) -> None:
    """Make the places as they were laid out. Nothing may still write there.

    Raises:
        OSError: a place cannot be made again.
    """
    kept = set(PLACES.values())
    for entry in list(os.scandir(folder)):
        if entry.name in kept and entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)  # noqa: PTH101 - this is done after every job
            empty(Path(entry.path), trash)
        else:
            _remove(Path(entry.path), trash)
    if len(list(os.scandir(folder))) < len(kept):
        lay_out(folder)


def empty(folder: Path, trash: Path) -> None:
    """Remove all that is in a folder; the folder itself stays."""
    with suppress(PermissionError), os.scandir(folder) as entries:
        for entry in list(entries):
            _remove(Path(entry.path), trash)


def _remove(path: Path, trash: Path) -> None:
    """Remove a file, or a folder with all that is in it.

    Folders are moved to the trash one by one, so that neither their depth nor the length of their paths
    matters. What cannot be removed stays in the trash, which no job can reach.
    """
    pending = [(path, False)]
    while pending:
        found, emptied = pending.pop()
        with suppress(PermissionError):
            if emptied:
                found.rmdir()
            elif found.is_symlink() or not found.is_dir():
                found.unlink()
            else:
                found.chmod(0o700)
                moved = found.rename(trash / f"{time.monotonic_ns()}-{len(pending)}")
                pending.append((moved, True))
                pending += [(inside, False) for inside in moved.iterdir()]
