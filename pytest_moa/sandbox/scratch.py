"""The folder that jobs may write to: laid out anew for each, and emptied whatever is in it."""

from __future__ import annotations

import os
import time
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


def empty(folder: Path, trash: Path) -> None:
    """Remove all that is in a folder, the folder itself stays. Nothing may still write there.

    Folders are moved to the trash one by one, so that neither their depth nor the length of their paths
    matters. What cannot be removed stays in the trash, which no job can reach.
    """
    pending = [folder]
    number = 0
    while pending:
        place = pending.pop()
        try:
            entries = list(place.iterdir())
        except PermissionError:
            continue
        for entry in entries:
            if entry.is_symlink() or not entry.is_dir():
                entry.unlink()
                continue
            number += 1
            top = trash / f"{os.getpid()}-{time.monotonic_ns()}-{number}"
            entry.chmod(0o700)
            entry.rename(top)
            pending.append(top)
        if place != folder:
            place.rmdir()
