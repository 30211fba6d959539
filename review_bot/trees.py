"""Both sides of a change on disk, for tools that need whole trees such as type checkers, and to run them.

Written from git's objects into a scratch folder: the user's checkout is neither used nor touched, and
no attribute, filter or hook of the repository has a say. Symbolic links are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from moa_engine.errors import ConfigError
from review_bot.change import Change, Trees
from review_bot.repository import Repository, open_repository
from review_bot.snapshot import UNTRACKED, take_snapshot

#: Names and endings of what Python tools read.
_NAMES = frozenset(
    {"pyproject.toml", "setup.cfg", "setup.py", "py.typed", "ruff.toml", ".ruff.toml", "ty.toml", "mypy.ini"}
)
_ENDINGS = (b".py", b".pyi")

#: Whether a file, by its path in the tree, is written.
Wanted = Callable[[bytes], bool]

#: Above these nothing is written: reading them would take longer than the review.
MOST_FILES = 30_000
MOST_BYTES = 300_000_000

_LONGEST_NAME = 255


def materialise(repository: Path | None, change: Change, folder: Path, *, everything: bool = False) -> Trees:
    """Write both sides into `folder`/base and `folder`/head: Python and its settings, or `everything`.

    A patch has trees only if it fits HEAD. A side that is not known is None, and `extra["why"]` says why.

    Raises:
        ConfigError: git refuses the repository, or its objects cannot be read.
    """
    if repository is None or not change.base_tree:
        return Trees(None, None, {"why": "the patch does not belong to a known revision"})
    try:
        why = _materialise(open_repository(repository), change, folder, _any if everything else _is_wanted)
    except OSError as error:  # a full disk, names that this file system does not have
        why = f"the files cannot be written: {error.strerror or error}"
    return Trees(None, None, {"why": why}) if why else Trees(str(folder / "base"), str(folder / "head"))


def _materialise(repository: Repository, change: Change, folder: Path, wanted: Wanted) -> str:
    """Write both sides; "" when that worked, else why not."""
    with _readable(repository, change) as (view, head_tree):
        if view is None:
            return "the files were changed while they were reviewed"
        sides = {"base": _listed(view, change.base_tree, wanted), "head": _listed(view, head_tree, wanted)}
        if sum(map(len, sides.values())) > MOST_FILES:
            return f"the repository has more than {MOST_FILES:,} files"
        if not _write(view, sides, folder):
            return f"the repository has more than {MOST_BYTES // 1_000_000} MB of files"
    if change.source == "patch":
        _overlay(change, folder / "head", wanted)
    return ""


@contextmanager
def _readable(repository: Repository, change: Change) -> Iterator[tuple[Repository | None, str]]:
    """A repository that has the objects of both sides, and the tree of head."""
    if change.source == "patch":
        yield repository, change.base_tree
    elif change.source == "commits":
        yield repository, change.head_tree
    else:
        left_out = {entry.path for entry in change.not_reviewed if entry.why.startswith(UNTRACKED)}
        with take_snapshot(
            repository, change.source, lambda path, _size: "as before" if path in left_out else None
        ) as snapshot:
            yield (snapshot.repository if snapshot.tree == change.head_tree else None), snapshot.tree


def _listed(repository: Repository, tree: str, wanted: Wanted) -> dict[bytes, bytes]:
    """Ids of the wanted files of a tree by path."""
    found = {}
    for entry in repository.run("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, id = about.split(b" ")
        if kind == b"blob" and mode != b"120000" and wanted(path) and _is_safe(path):
            found[path] = id
    return found


def _is_wanted(path: bytes) -> bool:
    return path.endswith(_ENDINGS) or os.fsdecode(path.rpartition(b"/")[2]) in _NAMES


def _any(_: bytes) -> bool:
    return True


def _is_safe(path: bytes) -> bool:
    parts = path.split(b"/")
    return all(part not in (b"", b".", b"..") and len(part) <= _LONGEST_NAME for part in parts)


def _write(repository: Repository, sides: Mapping[str, Mapping[bytes, bytes]], folder: Path) -> bool:
    """Write each object to all of its places; False when there is too much of them."""
    places: dict[bytes, list[Path]] = {}
    for side, files in sides.items():
        (folder / side).mkdir(parents=True, exist_ok=True)
        for path, id in files.items():
            places.setdefault(id, []).append(folder / side / os.fsdecode(path))
    left = MOST_BYTES
    with closing(repository.blobs(places)) as blobs:
        for targets, data in zip(places.values(), blobs, strict=True):
            if data is None:
                raise ConfigError(f"an object of {repository.folder} is missing", hint="Try `git fsck`.")
            left -= len(data) * len(targets)
            if left < 0:
                return False
            for target in targets:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    return True


def _overlay(change: Change, head: Path, wanted: Wanted) -> None:
    """Turn a copy of base into head with the files that the patch changes."""
    for file in change.files:
        for path in (file.old_path if file.status == "renamed" else None, file.path):
            if path and wanted(os.fsencode(path)):
                (head / path).unlink(missing_ok=True)
        if file.head_text is not None and wanted(os.fsencode(file.path)):
            (head / file.path).parent.mkdir(parents=True, exist_ok=True)
            (head / file.path).write_bytes(file.head_text.encode())
