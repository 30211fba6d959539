"""Reading and writing the user's test files, and every reason not to."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path, PurePosixPath

from pytest_moa.placing.source_file import NotPlaced

#: In a vim swap file: where it says that the buffer has unsaved changes, and how.
_VIM_DIRTY_AT, _VIM_DIRTY = 1007, b"U"


def digest(data: bytes | None) -> str:
    """SHA-256 of a file's content, "" for a file that does not exist."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def read(root: Path, path: str) -> bytes | None:
    """A file's content, None if there is none.

    Raises:
        NotPlaced: the path leads out of the root, is no Python file, or cannot be read.
    """
    try:
        return _inside(root, path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPlaced(f"{path} cannot be read: {error.strerror or error}") from error


def write(root: Path, path: str, data: bytes, *, expected: str) -> None:
    """Replace a file as a whole, or make it. `expected` is the digest of what it replaces.

    Raises:
        NotPlaced: it has changed since, has unsaved changes in an editor, or cannot be written.
    """
    place = _inside(root, path)
    before = read(root, path)
    if digest(before) != expected:
        raise NotPlaced(
            f"{path} has changed since this was suggested",
            hint="`pytest --moa-review` shows what would be written now; `pytest --moa` suggests anew.",
        )
    if editor := _unsaved_in(place):
        raise NotPlaced(f"{path} has unsaved changes in {editor}", hint="Save or discard them first.")
    mode = stat.S_IMODE(place.stat().st_mode) if before is not None else None
    if mode is not None and not mode & stat.S_IWUSR:
        raise NotPlaced(f"{path} is read-only")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.stat().st_mode & stat.S_IWUSR:
            raise NotPlaced(f"the folder of {path} is read-only")
        _replace(place, data, mode)
    except OSError as error:
        raise NotPlaced(f"{path} cannot be written: {error.strerror or error}") from error


def _replace(place: Path, data: bytes, mode: int | None) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is None:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        Path(name).chmod(mode)
        Path(name).replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _inside(root: Path, path: str) -> Path:
    """The file itself, links followed. What a report or cache says is not trusted."""
    pure = PurePosixPath(path)
    place = (root / pure).resolve()
    inside = place.is_relative_to(root.resolve()) and not pure.is_absolute()
    if not inside or any(part.startswith(".") for part in pure.parts):
        raise NotPlaced(f"{path} is not a place for tests of {root}")
    if place.suffix != ".py" or place.is_dir():
        raise NotPlaced(f"{path} is no Python file")
    return place


def _unsaved_in(place: Path) -> str:
    """The editor that has changes of this file in memory, as far as editors leave signs of it."""
    if (place.parent / f".#{place.name}").is_symlink():
        return "Emacs"
    with contextlib.suppress(OSError), (place.parent / f".{place.name}.swp").open("rb") as swap:
        swap.seek(_VIM_DIRTY_AT)
        if swap.read(1) == _VIM_DIRTY:
            return "Vim"
    return ""
