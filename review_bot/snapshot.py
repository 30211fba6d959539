"""The index and the working tree as tree objects, so that every change is read as tree against tree.

The objects go into a scratch folder beside the repository's own (GIT_ALTERNATE_OBJECT_DIRECTORIES,
https://git-scm.com/docs/git#_the_git_repository): nothing is written into the user's repository.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moa_engine.errors import ConfigError
from review_bot.change import NotReviewed
from review_bot.patch import decode
from review_bot.repository import Repository

State = Literal["index", "worktree"]

#: Why an untracked file is left out starts so.
UNTRACKED = "untracked, "

#: Gets the path and the size in bytes of an untracked file, or a folder of them (path/, 0), and says why
#: it is left out; None to take it.
Unwanted = Callable[[str, int], str | None]


@dataclass(frozen=True)
class Snapshot:
    """A tree, and the repository in which it can be read while the snapshot is open."""

    repository: Repository
    tree: str
    left_out: tuple[NotReviewed, ...]


@contextmanager
def take_snapshot(
    repository: Repository, state: State, unwanted: Unwanted = lambda _path, _size: None
) -> Iterator[Snapshot]:
    """The index, or the working tree with its untracked files that no .gitignore names.

    Paths with unresolved conflicts stay as they are in our side of the merge, and are listed.

    Raises:
        ConfigError: a bare repository has neither.
    """
    if repository.worktree is None:
        name = "index to review" if state == "index" else "working tree"
        raise ConfigError(f"{repository.git_dir} is a bare repository: it has no {name}")
    with tempfile.TemporaryDirectory(prefix="review-bot-") as scratch:
        beside = repository.with_environment(_beside(repository, Path(scratch)))
        conflicts = _conflicts(beside)
        left_out = _add_working_tree(beside, unwanted) if state == "worktree" else []
        left_out += [NotReviewed(decode(path), "unresolved merge conflict") for path in conflicts]
        if conflicts:
            beside.run("update-index", "-z", "--index-info", stdin=_our_side(conflicts))
        tree = beside.run("write-tree").decode().strip()
        yield Snapshot(beside, tree, tuple(left_out))


def _beside(repository: Repository, scratch: Path) -> dict[str, str]:
    """Variables that send what git writes into the scratch folder."""
    paths = repository.run("rev-parse", "--git-path", "index", "--git-path", "objects").decode()
    index, objects = (repository.folder / path for path in paths.split("\n")[:2])
    if index.exists():
        shutil.copy2(index, scratch / "index")  # with its time: git trusts sizes of files that are older
    (scratch / "objects").mkdir()
    quoted = '"' + str(objects).replace("\\", "\\\\").replace('"', '\\"') + '"'
    known = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
    return {
        "GIT_INDEX_FILE": str(scratch / "index"),
        "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(filter(None, (quoted, known))),
    }


def _conflicts(repository: Repository) -> dict[bytes, dict[bytes, bytes]]:
    """Unmerged paths with "mode id" by stage (1 base, 2 ours, 3 theirs)."""
    found: dict[bytes, dict[bytes, bytes]] = {}
    for entry in repository.run("ls-files", "--unmerged", "-z").split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, id, stage = about.split(b" ")
        found.setdefault(path, {})[stage] = mode + b" " + id
    return found


def _our_side(conflicts: Mapping[bytes, Mapping[bytes, bytes]]) -> bytes:
    """Input of `update-index --index-info` that puts our side back for each path, or removes it."""
    lines = []
    for path, stages in conflicts.items():
        zero = b"0" * len(next(iter(stages.values())).split(b" ")[1])
        lines.append(b"0 " + zero + b"\t" + path)
        if b"2" in stages:
            lines.append(stages[b"2"] + b"\t" + path)
    return b"".join(line + b"\0" for line in lines)


def _add_working_tree(repository: Repository, unwanted: Unwanted) -> list[NotReviewed]:
    # Exit code 1: some files could not be read. They are named, the others are added.
    repository.run("add", "--update", "--ignore-errors", codes=(0, 1))
    unread = repository.run("diff-files", "--name-only", "--ignore-submodules", "-z").split(b"\0")[:-1]
    left_out = [NotReviewed(decode(path), "git could not read it in the working tree") for path in unread]
    others = ("ls-files", "--others", "--exclude-standard", "-z")
    folders = []  # whole folders, such as node_modules, are listed as one
    for path in repository.run(*others, "--directory").split(b"\0")[:-1]:
        if path.endswith(b"/") and (why := unwanted(decode(path), 0)):
            folders.append(path)
            left_out.append(NotReviewed(decode(path), UNTRACKED + why))
    wanted = []
    for path in repository.run(*others).split(b"\0")[:-1]:
        if path.startswith(tuple(folders)):
            continue
        if why := _why_not(repository.folder / os.fsdecode(path), decode(path), unwanted):
            left_out.append(NotReviewed(decode(path), why))
        else:
            wanted.append(path)
    if wanted:
        listed = b"".join(path + b"\0" for path in wanted)
        repository.run("update-index", "--add", "--remove", "-z", "--stdin", stdin=listed)
    return left_out


def _why_not(place: Path, path: str, unwanted: Unwanted) -> str | None:
    if path.endswith("/"):
        return f"{UNTRACKED}a git repository of its own"
    if not place.is_symlink() and not os.access(place, os.R_OK):
        return f"{UNTRACKED}cannot be read"
    why = unwanted(path, place.lstat().st_size)
    return why and UNTRACKED + why
