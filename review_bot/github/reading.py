"""From a pull request to a `Change`: git's objects first, then GitHub's diff, then its list of files.

Nothing is ever checked out, and nothing is written into a checkout that the job has. The three commits that
count (the base branch's tip, the merge base, the head) are used where the checkout has them, or fetched into
a scratch repository, which goes when the review is done. Settings and guidelines are the base's: a pull
request changes neither for itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError, MoaError
from review_bot.change import Change, Guideline, NotReviewed
from review_bot.github.client import Client, Refused
from review_bot.github.model import ChangedFile, PullRequest, TooLarge
from review_bot.patch import decode
from review_bot.read_change import read_change
from review_bot.skipped import SkipRules

if TYPE_CHECKING:
    from review_bot.repository import Repository

#: Where a project's settings are, at the top of its base revision.
SETTINGS = ("pyproject.toml", "moa.toml")

#: Characters of a pull request's text that reviewers may be shown.
_LONGEST_DESCRIPTION = 8_000

#: A transfer that is slower than 1 kB/s for a minute has died.
_FETCH = (
    *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60", "-c", "credential.helper="),
    *("-c", "protocol.version=2", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
    *("--no-recurse-submodules", "--no-auto-gc", "--depth=1"),
)


@dataclass(frozen=True, slots=True)
class Commits:
    """What of a pull request can be read. `folder` has its commits; None where GitHub has to be asked."""

    client: Client
    pull: PullRequest
    scratch: Path
    merge_base: str
    folder: Path | None
    why: str = ""  #: why there is no `folder`

    def settings(self) -> Path:
        """A folder with the base revision's settings, and nothing else in it or above it that counts."""
        folder = self.scratch / "settings"
        (folder / ".git").mkdir(parents=True, exist_ok=True)  # the search for settings ends here
        for name in SETTINGS:
            if (content := self._at_base(name)) is not None:
                (folder / name).write_bytes(content)
        return folder

    def change(self, rules: SkipRules, guidelines: Sequence[str]) -> Change:
        """The change that the pull request asks for.

        Raises:
            ConfigError: GitHub's diff cannot be read.
            GithubError: GitHub cannot be asked.
        """
        if self.folder is not None:
            sides = f"{self.merge_base}..{self.pull.head_sha}"
            change = read_change(self.folder, range=sides, rules=rules, guidelines=guidelines)
        else:
            change = self._by_api(rules, guidelines)
        return replace(change, title=self.pull.title, description=self.pull.body[:_LONGEST_DESCRIPTION])

    def _by_api(self, rules: SkipRules, guidelines: Sequence[str]) -> Change:
        diff = self.client.diff_text(self.pull.number)
        listed: tuple[ChangedFile, ...] = ()
        if isinstance(diff, TooLarge):
            listed = self.client.files(self.pull.number)
            diff = "".join(map(as_patch, listed))
        change = Change("", "", (), source="patch")
        if diff.strip():
            stdin = BytesIO(diff.encode("utf-8", "surrogateescape"))
            change = read_change(Path(self.scratch.anchor), patch="-", stdin=stdin, rules=rules)
        hidden = tuple(
            NotReviewed(file.path, "GitHub shows no diff of it: it is binary, or too large")
            for file in listed
            if file.patch is None and file.additions + file.deletions
        )
        known = {entry.path for entry in (*hidden, *change.not_reviewed)}
        return replace(
            change,
            base=self.merge_base or self.pull.base_sha,
            head=self.pull.head_sha,
            files=tuple(file for file in change.files if file.path not in known),
            not_reviewed=(*change.not_reviewed, *hidden),
            guidelines=self._guidelines(guidelines),
            notes=(*change.notes, f"the change was read from GitHub's interface: {self.why}"),
        )

    def _guidelines(self, configured: Sequence[str]) -> tuple[Guideline, ...]:
        from review_bot.guidelines import LONGEST, TOP

        found = []
        for path in dict.fromkeys((*configured, *TOP)):
            text = decode(self._at_base(path) or b"").strip()[:LONGEST]
            if text:
                found.append(Guideline(path, text))
        return tuple(found)

    def _at_base(self, path: str) -> bytes | None:
        """A file at the tip of the base branch."""
        if self.folder is None:
            return self.client.contents(path, self.pull.base_sha)
        from review_bot.repository import open_repository

        name = f"{self.pull.base_sha}:{path}".encode()
        return next(iter(open_repository(self.folder).blobs([name])))


@contextmanager
def commits_of(client: Client, pull: PullRequest, checkout: Path | None) -> Iterator[Commits]:
    """The pull request's commits, from the checkout, by git, or not at all; for as long as it is open.

    Raises:
        GithubError: GitHub cannot be asked.
    """
    with tempfile.TemporaryDirectory(prefix="review-bot-") as folder:
        scratch = Path(folder)
        if checkout is not None and (base := _merge_base(checkout, pull)):
            yield Commits(client, pull, scratch, base, checkout)
            return
        base, why = "", ""
        try:
            base = client.compare(pull.base_sha, pull.head_sha).merge_base
            fetched = _fetched(client, pull, base, scratch / "objects.git")
        except Refused as error:
            fetched, why = None, f"it does not compare the two commits ({error.message})"
        except MoaError as error:
            if not isinstance(error, ConfigError):
                raise
            fetched, why = None, error.message
        yield Commits(client, pull, scratch, base, fetched, why)


def _merge_base(checkout: Path, pull: PullRequest) -> str:
    """The merge base, if this is a repository that has all of it; "" if not."""
    from review_bot.repository import inside_repository, open_repository

    try:
        if not inside_repository(checkout):
            return ""
        repository = open_repository(checkout)
        if repository.shallow() or not all(
            repository.find(f"{commit}^{{tree}}") for commit in (pull.base_sha, pull.head_sha)
        ):
            return ""
        found = repository.run("merge-base", pull.base_sha, pull.head_sha, codes=(0, 1)).decode()
        return found.strip().split("\n")[0]
    except ConfigError:
        return ""


def _fetched(client: Client, pull: PullRequest, merge_base: str, folder: Path) -> Path:
    """A bare repository with the three commits.

    Raises:
        ConfigError: git is missing, or did not get them.
    """
    repository = _empty(folder)
    wanted = dict.fromkeys((pull.base_sha, merge_base, pull.head_sha))
    environment = client.git_environment()
    repository.with_environment(environment).run(*_FETCH, client.clone_url(), *wanted)
    for commit in wanted:
        repository.commit(commit)
    return folder


def _empty(folder: Path) -> Repository:
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError as error:
        raise ConfigError("git cannot be started", hint="Install git and put it on PATH.") from error
    from review_bot.repository import open_repository

    try:
        Repo.init(folder, bare=True, template="", allow_unsafe_options=True).close()  # no hooks
    except GitError as error:
        raise ConfigError(f"git made no repository: {error}") from error
    return open_repository(folder)


def as_patch(file: ChangedFile) -> str:
    """One file of GitHub's list as a part of a patch; the list has hunks and nothing around them."""
    old, new = _quoted(f"a/{file.previous_path or file.path}"), _quoted(f"b/{file.path}")
    lines = [f"diff --git {old} {new}"]
    if file.status == "added":
        lines.append("new file mode 100644")
        old = "/dev/null"
    elif file.status == "removed":
        lines.append("deleted file mode 100644")
        new = "/dev/null"
    elif file.status in ("renamed", "copied") and file.previous_path:
        verb = "rename" if file.status == "renamed" else "copy"
        lines += [f"{verb} from {_quoted(file.previous_path)}", f"{verb} to {_quoted(file.path)}"]
    if file.patch:
        lines += [f"--- {old}", f"+++ {new}", file.patch.removesuffix("\n")]
    return "\n".join(lines) + "\n"


def _quoted(path: str) -> str:
    """A path as git prints it: in quotes where it has something to escape."""
    raw = path.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in raw):
        return path
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in raw) + '"'
