"""A git repository, read and never written: where git's processes start and its complaints are translated."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError

if TYPE_CHECKING:
    from git import Git

#: `git rev-parse --end-of-options` works from here on.
_OLDEST_GIT = (2, 30)

#: What holds for every git command: no user's setting and no variable may change what it prints.
_OPTIONS = (
    "core.quotePath=off",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.safecrlf=false",
    "diff.suppressBlankEmpty=false",
    "advice.addEmbeddedRepo=false",
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # never refresh the user's index on disk
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_DIFF_OPTS": "",  # would override -U
}


class GitFailed(ConfigError):
    """A git command failed. The message has git's own words."""


@dataclass(frozen=True)
class Repository:
    """An open repository. `worktree` is None for a bare one.

    `environment` is added to that of every command, which runs in `folder`.
    """

    git_dir: Path
    worktree: Path | None
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """What the repository is called in messages; `folder` may be a scratch one."""
        return self.worktree or self.git_dir

    def run(self, *arguments: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> bytes:
        """What a git command prints.

        Raises:
            GitFailed: its exit code is not one of `codes`, or git refuses this repository.
        """
        process = self._start(arguments)
        out, complaint = process.communicate(stdin)
        if process.returncode not in codes:
            command = next(part for part in arguments if not part.startswith("-") and "=" not in part)
            raise _failed(command, complaint.decode(errors="replace").strip(), self.place)
        return bytes(out)

    def blobs(self, names: Iterable[bytes]) -> Generator[bytes | None]:
        """The contents of objects, in order, all from one process; None where there is no such object.

        A name is an id or what `git rev-parse` knows; one with a line feed is no name.
        """
        process = self._start(("cat-file", "--batch"))
        try:
            for name in names:
                with contextlib.suppress(BrokenPipeError):  # it died; its last words are read below
                    process.stdin.write(name.replace(b"\n", b"?") + b"\n")
                    process.stdin.flush()
                header = process.stdout.readline().split()
                if not header:
                    complaint = process.stderr.read().decode(errors="replace").strip()
                    raise _failed("cat-file", complaint, self.place)
                if len(header) == 3 and header[2].isdigit():
                    data = process.stdout.read(int(header[2]) + 1)[:-1]
                    yield data if header[1] == b"blob" else None
                else:
                    yield None
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate()

    def sizes(self, ids: Iterable[str]) -> dict[str, int]:
        """Sizes in bytes of the blobs that exist here, by id as given."""
        wanted = list(ids)
        request = "".join(f"{id}\n" for id in wanted).encode()
        answers = self.run("cat-file", "--batch-check=%(objecttype) %(objectsize)", stdin=request)
        found = zip(wanted, answers.decode(errors="replace").split("\n"), strict=False)
        return {id: int(answer[5:]) for id, answer in found if answer.startswith("blob ")}

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names.

        Raises:
            ConfigError: there is none; the hint has names that are close.
        """
        found = self.find(revision + "^{commit}")
        if found:
            return found
        if self.shallow():
            raise ConfigError(
                f"{revision!r} is not in this clone, which has only the newest commits",
                hint="Fetch the rest: `git fetch --unshallow` (actions/checkout: `fetch-depth: 0`).",
            )
        raise ConfigError(f"{revision!r} is not a revision of {self.place}", hint=self._near(revision))

    def find(self, revision: str) -> str:
        """The id of the object that a revision names, "" if there is none."""
        if "\0" in revision or revision.startswith("^"):  # ^A means what A does not reach
            return ""
        out = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", revision, codes=(0, 1, 128))
        return out.decode().strip()

    def shallow(self) -> bool:
        """Whether the clone's history is cut off."""
        return self.run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def tree(self, commit: str) -> str:
        """The id of a commit's tree; of the tree without files for "".

        Raises:
            ConfigError: it is missing.
        """
        if not commit:
            return self.empty_tree()
        if found := self.find(f"{commit}^{{tree}}"):
            return found
        hint = "The repository is damaged: `git fsck` says more."
        raise ConfigError(f"the files of commit {commit[:10]} are missing in {self.place}", hint=hint)

    def empty_tree(self) -> str:
        """The id of the tree without files."""
        return self.run("hash-object", "-t", "tree", "--stdin").decode().strip()

    def with_environment(self, more: Mapping[str, str], folder: Path | None = None) -> Repository:
        """The same repository for commands that see more environment variables, or run elsewhere."""
        return Repository(self.git_dir, self.worktree, folder or self.folder, {**self.environment, **more})

    def _start(self, arguments: Iterable[str]) -> Git.AutoInterrupt:
        from git import Git

        git = Git(self.folder)
        git.update_environment(**{**_ENVIRONMENT, **self.environment})
        options = [part for option in _OPTIONS for part in ("-c", option)]
        command = [str(Git.GIT_PYTHON_GIT_EXECUTABLE), *options, *arguments]
        return git.execute(command, istream=PIPE, as_process=True)

    def _near(self, revision: str) -> str:
        refs = self.run("for-each-ref", "--format=%(refname:short)").decode(errors="replace").split("\n")
        near = difflib.get_close_matches(revision.split("~")[0].split("^")[0], filter(None, refs), n=3)
        return f"Did you mean {' or '.join(near)}?" if near else "`git log --oneline` lists the commits."


def open_repository(path: Path) -> Repository:
    """The repository in or above a folder.

    Raises:
        ConfigError: there is none, git is missing or too old, or git refuses it (safe.directory).
    """
    try:
        from git import Repo
        from git.exc import InvalidGitRepositoryError, NoSuchPathError
    except ImportError as error:
        raise ConfigError("git cannot be started", hint="Install git and put it on PATH.") from error
    try:
        with Repo(path, search_parent_directories=True, expand_vars=False) as found:
            version = found.git.version_info
            git_dir, worktree = Path(found.git_dir).absolute(), found.working_tree_dir
            inherited = dict(found.git.environment())
    except NoSuchPathError as error:
        raise ConfigError(f"{path} does not exist", hint="Give a folder of a git repository.") from error
    except InvalidGitRepositoryError as error:
        raise ConfigError(
            f"{path} is not in a git repository",
            hint="Go into one, or review a patch file with --patch FILE.",
        ) from error
    if version[:2] < _OLDEST_GIT:
        have, need = ".".join(map(str, version)), ".".join(map(str, _OLDEST_GIT))
        raise ConfigError(f"git {have} is too old", hint=f"Install git {need} or newer.")
    top = None if worktree is None else Path(os.fspath(worktree)).absolute()
    repository = Repository(git_dir, top, top or git_dir, inherited)
    repository.run("rev-parse", "--git-dir")  # asks git itself whether it trusts this repository
    return repository


def inside_repository(path: Path) -> bool:
    """Whether a folder looks like part of a repository; costs no import of GitPython."""
    return any((folder / ".git").exists() for folder in (path.absolute(), *path.absolute().parents))


def _failed(command: str, complaint: str, folder: Path) -> GitFailed:
    if "dubious ownership" in complaint or "safe.directory" in complaint:
        return GitFailed(
            f"git refuses to read {folder}, because it belongs to another user",
            hint=f"If you trust it: git config --global --add safe.directory {folder}",
        )
    words = [line for line in complaint.split("\n") if line.startswith(("fatal:", "error:"))] or [complaint]
    return GitFailed(f"git {command} failed in {folder}: {words[0].partition(': ')[2] or words[0]}")
