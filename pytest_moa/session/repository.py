"""What of the user's Python files changed since a commit, staged, unstaged and untracked included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError
from pytest_moa.branches import DEFAULT_BRANCHES

if TYPE_CHECKING:
    from git import Repo


class NoRepository(ConfigError):
    """The project is in no git repository that can be read."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A Python file of the working tree. `old` is its text at the base, None for a new one."""

    path: Path
    old: bytes | None


@dataclass(frozen=True, slots=True)
class Changes:
    """All changed Python files below the root. `gone` are texts of deleted ones: code may have moved."""

    base: str  #: how the base is called, for people
    files: tuple[ChangedFile, ...]
    gone: tuple[bytes, ...] = ()


def changes(root: Path, base: str | None) -> Changes:
    """What changed below `root` since the merge base with the default branch, or with `base`.

    On the default branch itself, and where there is none, that is what is not committed.

    Raises:
        NoRepository: there is no repository, or git cannot read it.
        ConfigError: there is no such revision.
    """
    with _opened(root) as repository:
        top = Path(os.fspath(repository.working_tree_dir or root)).resolve()
        below = root.resolve().relative_to(top).as_posix()
        name, commit = _base(repository, base)
        old_paths = _changed_since(repository, commit, below) if commit else {}
        listed = [] if commit else _listed(repository, below, "--cached")
        for path in (*_listed(repository, below, "--others", "--exclude-standard"), *listed):
            old_paths.setdefault(path, None)
        files, gone = [], []
        for path, old_path in sorted(old_paths.items()):
            old = _blob(repository, commit, old_path) if old_path else None
            if (top / path).is_file():
                files.append(ChangedFile(top / path, old))
            elif old is not None:
                gone.append(old)
        return Changes(name, tuple(files), tuple(gone))


@contextmanager
def _opened(root: Path) -> Iterator[Repo]:
    try:
        from git import Repo
        from git.exc import GitCommandError, InvalidGitRepositoryError, NoSuchPathError
    except ImportError as error:
        raise NoRepository("git cannot be started", hint="Install git and put it on PATH.") from error
    try:
        with Repo(root, search_parent_directories=True, expand_vars=False) as repository:
            if repository.working_tree_dir is None:
                raise NoRepository(f"the repository of {root} has no working tree")
            # never refresh the user's index, never ask anybody anything
            repository.git.update_environment(
                GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", GIT_LITERAL_PATHSPECS="1"
            )
            yield repository
    except (InvalidGitRepositoryError, NoSuchPathError) as error:
        raise NoRepository(
            f"{root} is not in a git repository, so nobody knows what changed",
            hint="Name the targets with --moa-target PATH, or take them all with --moa-all.",
        ) from error
    except GitCommandError as error:
        complaint = str(error.stderr).strip().strip("'").removeprefix("stderr: '").strip()
        raise NoRepository(
            f"git cannot read the repository of {root}: {complaint.splitlines()[0]}"
        ) from error


def _base(repository: Repo, base: str | None) -> tuple[str, str]:
    """The base's name and commit; "" for a repository without any commit."""
    head = _commit(repository, "HEAD")
    if base is not None:
        wanted = _commit(repository, base)
        if not wanted:
            raise ConfigError(f"--moa-base: {base!r} is no revision of this repository")
        return base, _merge_base(repository, wanted, head) or wanted
    if not head:
        return "nothing", ""
    remote = repository.git.symbolic_ref(
        "--quiet", "--short", "refs/remotes/origin/HEAD", with_exceptions=False
    )
    for name in (str(remote), *DEFAULT_BRANCHES):
        if (commit := name and _commit(repository, name)) and (
            found := _merge_base(repository, commit, head)
        ):
            return name, found
    return "HEAD", head


def _commit(repository: Repo, revision: str) -> str:
    """A revision's commit, "" if there is none."""
    if "\0" in revision:
        return ""
    name = f"{revision}^{{commit}}"
    found = repository.git.rev_parse("--verify", "--quiet", "--end-of-options", name, with_exceptions=False)
    return str(found).strip()


def _merge_base(repository: Repo, one: str, other: str) -> str:
    found = str(repository.git.merge_base(one, other, with_exceptions=False)) if other else ""
    return found.splitlines()[0] if found else ""


def _changed_since(repository: Repo, commit: str, below: str) -> dict[str, str | None]:
    """Paths of the working tree, and of deleted files, with their path at the commit (None: new)."""
    options = (
        "--name-status",
        "-z",
        "--find-renames",
        "--no-ext-diff",
        "--ignore-submodules",
        "--no-relative",
    )
    out = _output(repository, "diff", *options, commit, "--", below)
    fields = iter(out.split("\0"))
    found: dict[str, str | None] = {}
    for status in fields:
        if not status:
            break
        old = next(fields)
        path = next(fields) if status[0] in "RC" else old
        if path.endswith(".py"):
            found[path] = None if status[0] == "A" else old
    return found


def _listed(repository: Repo, below: str, *options: str) -> list[str]:
    out = _output(repository, "ls-files", "-z", "--full-name", *options, "--", below)
    return [path for path in out.split("\0") if path.endswith(".py")]


def _blob(repository: Repo, commit: str, path: str) -> bytes:
    options = {"stdout_as_string": False, "strip_newline_in_stdout": False}
    return bytes(repository.git.cat_file("blob", f"{commit}:{path}", **options))


def _output(repository: Repo, *command: str) -> str:
    """What git prints, as it is: paths may be no UTF-8."""
    out = repository.git.execute(["git", *command], stdout_as_string=False, strip_newline_in_stdout=False)
    return os.fsdecode(bytes(out))
