"""The folder that jobs may write to: laid out anew for each, and emptied whatever is in it."""

from __future__ import annotations

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


def empty(folder: Path) -> None:
    """Remove all that is in a folder, the folder itself stays. Nothing may still write there.

    Folders are brought to the top one by one, so that neither their depth nor the length of their paths
    matters.
    """
    pending = [folder]
    number = 0
    while pending:
        place = pending.pop()
        for found in list(place.iterdir()):
            if found.is_symlink() or not found.is_dir():
                found.unlink()
                continue
            found.chmod(0o700)
            top = found
            if place != folder:
                number += 1
                top = folder / f"\x01{number}"
                found.rename(top)
            pending.append(top)
        if place != folder:
            place.rmdir()
