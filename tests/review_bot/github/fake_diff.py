"""What a pull request changes, from a real repository, by git itself: none of our code is asked."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(slots=True)
class Hunk:
    """The lines that one hunk shows, context among them, of each side."""

    left: set[int] = field(default_factory=set)
    right: set[int] = field(default_factory=set)

    def shows(self, side: str, line: int) -> bool:
        return line in (self.left if side == "LEFT" else self.right)


@dataclass(slots=True)
class FileDiff:
    path: str
    previous: str | None
    status: str
    patch: str | None
    hunks: list[Hunk]
    additions: int = 0
    deletions: int = 0
    sha: str = ""

    def hunk(self, side: str, line: int) -> Hunk | None:
        return next((hunk for hunk in self.hunks if hunk.shows(side, line)), None)


def git(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    return git_bytes(folder, *arguments, codes=codes).decode(errors="replace")


def git_bytes(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> bytes:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=clean | hermetic, capture_output=True)
    assert done.returncode in codes, done.stderr.decode(errors="replace")
    return done.stdout


def commit(folder: Path, revision: str) -> str:
    """Its id, "" if there is none."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return git(folder, *asked, codes=(0, 1, 128)).strip()


@cache
def merge_base(folder: Path, one: str, other: str) -> str:
    return git(folder, "merge-base", one, other, codes=(0, 1)).strip()


@cache
def text(folder: Path, old: str, new: str) -> str:
    return git(folder, "-c", "core.quotePath=off", "diff", "-M", "--no-color", "--no-ext-diff", old, new)


@cache
def commits(folder: Path, base: str, head: str) -> frozenset[str]:
    return frozenset(git(folder, "rev-list", f"{base}..{head}").split())


@cache
def files(folder: Path, old: str, new: str) -> list[FileDiff]:
    """The files that changed, in git's order, which is GitHub's."""
    raw = git(folder, "diff", "-M", "--raw", "--no-abbrev", "-z", old, new).split("\0")[:-1]
    parts = re.split(r"(?m)^diff --git .*\n", text(folder, old, new))[1:]
    found: list[FileDiff] = []
    while raw:
        kind, path, previous = raw.pop(0).split(), raw.pop(0), None
        if kind[4][0] in "RC":
            path, previous = raw.pop(0), path
        found.append(_file(path, previous, _STATUS[kind[4][0]], kind[3], parts[len(found)]))
    return found


def _file(path: str, previous: str | None, status: str, sha: str, part: str) -> FileDiff:
    start = re.search(r"(?m)^@@ ", part)
    patch = part[start.start() :].removesuffix("\n") if start else None
    file = FileDiff(path, previous, status, patch, [], sha=sha)
    left = right = 0
    # Only a line feed ends a line of a patch: `splitlines` would also split at form feeds.
    for line in (patch or "").split("\n"):
        if head := _HUNK.match(line):
            left, right = int(head[1]), int(head[3])
            file.hunks.append(Hunk())
        elif line.startswith("\\"):
            continue
        if head or not line:
            continue
        if line[0] in " -":
            file.hunks[-1].left.add(left)
            left += 1
        if line[0] in " +":
            file.hunks[-1].right.add(right)
            right += 1
        file.additions += line[0] == "+"
        file.deletions += line[0] == "-"
    # Large patches are left out: over 3,000 lines or 100 KB (github/docs#9078).
    if patch and (patch.count("\n") > 3_000 or len(patch) > 100_000):
        file.patch = None
    return file


@cache
def moved(folder: Path, old: str, new: str, path: str, line: int) -> int | None:
    """Where a line of a file went between two commits; None if it was changed or deleted."""
    if old == new:
        return line
    out = git(folder, "diff", "-U0", "-M", "--no-color", old, new, "--", path)
    shift = 0
    for head in _HUNK.finditer(out):
        before, count = int(head[1]), int(head[2] or 1)
        after = int(head[4] or 1)
        if not count:  # lines were added after `before`
            before += 1
        if line < before:
            break
        if line < before + count:
            return None
        shift += after - count
    exists = line + shift <= git(folder, "show", f"{new}:{path}", codes=(0, 128)).count("\n") + 1
    return line + shift if exists else None
