"""A change: what differs between base and head, as data. `read_change` makes one from git or a patch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Side = Literal["LEFT", "RIGHT"]
Source = Literal["commits", "index", "worktree", "patch"]
Status = Literal["added", "deleted", "modified", "renamed", "copied", "mode"]

#: Some hunks of a change: their places in their file, by its path. A file without hunks has ().
Asked = Mapping[str, Sequence[int]]


class DiffLine(NamedTuple):
    """One line of a hunk. A number is None on the side where the line does not exist."""

    mark: str  #: " ", "+" or "-"
    old: int | None
    new: int | None
    text: str  #: without mark and line end


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk. `body` holds the marked lines as in the patch, each ended by a newline."""

    old_start: int
    old_length: int
    new_start: int
    new_length: int
    heading: str  #: what git prints after the second @@
    body: str

    def lines(self) -> Iterator[DiffLine]:
        """The hunk's lines with their numbers on both sides ("\\ No newline" lines left out)."""
        old, new = self.old_start, self.new_start
        for line in self.body.split("\n")[:-1]:
            mark, text = line[:1], line[1:]
            if mark == "+":
                yield DiffLine("+", None, new, text)
                new += 1
            elif mark == "-":
                yield DiffLine("-", old, None, text)
                old += 1
            elif mark != "\\":
                yield DiffLine(" ", old, new, text)
                old, new = old + 1, new + 1


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file of a change. `old_path` differs from `path` for renames and copies.

    `base_text` and `head_text` are the whole file at each side: None where it does not exist there,
    is binary or a symbolic link, or is not known (a bare patch). Line ends are as in the file; lines
    that are not UTF-8 are read as Latin-1.
    """

    path: str
    status: Status
    hunks: tuple[Hunk, ...] = ()
    old_path: str | None = None
    old_mode: str | None = None  #: octal, as git prints it
    new_mode: str | None = None
    base_text: str | None = None
    head_text: str | None = None

    def added_lines(self) -> set[int]:
        """Numbers, at head, of the lines that the change added."""
        return {line.new for hunk in self.hunks for line in hunk.lines() if line.mark == "+" and line.new}


@dataclass(frozen=True, slots=True)
class NotReviewed:
    """A file that no reviewer looks at, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """A guideline file of the project, as it stands at the base revision."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change to review.

    `base` and `head` are commit ids; "" where that side is no commit (the index, the working tree, a
    bare patch) or does not exist (before the first commit). The trees are what was compared, "" where
    they are not known. `title` and `description` come from the commits' messages; `notes` are sentences
    for people about how the change was read.
    """

    base: str
    head: str
    files: tuple[ChangedFile, ...]
    not_reviewed: tuple[NotReviewed, ...] = ()
    guidelines: tuple[Guideline, ...] = ()
    title: str = ""
    description: str = ""
    source: Source = "commits"
    base_tree: str = ""
    head_tree: str = ""
    notes: tuple[str, ...] = ()

    def file(self, path: str) -> ChangedFile | None:
        """The changed file with this path at head (or at base, when it was deleted)."""
        return next((file for file in self.files if file.path == path), None)

    def python_paths(self) -> list[str]:
        """The changed Python files, as they are called at either side."""
        paths = [path for file in self.files for path in (file.old_path, file.path) if path]
        return [path for path in dict.fromkeys(paths) if path.endswith(".py")]


def narrowed(change: Change, asked: Asked) -> Change:
    """The change with those hunks only, and only their files; the texts of these stay whole."""
    files = (
        dataclasses.replace(file, hunks=tuple(file.hunks[index] for index in asked[file.path]))
        for file in change.files
        if file.path in asked
    )
    return dataclasses.replace(change, files=tuple(files))


@dataclass(frozen=True, slots=True)
class Trees:
    """Python sources of both sides on disk, for tools that need whole trees; made in a scratch folder.

    None where a side is not known (a bare patch); `extra["why"]` then says why.
    """

    base: str | None
    head: str | None
    extra: Mapping[str, str] = field(default_factory=dict)


def change_to_json(change: Change) -> dict[str, Any]:
    """The whole change as JSON, for the record; `change_from_json` reads it."""
    return dataclasses.asdict(change)


def change_from_json(data: Mapping[str, Any]) -> Change:
    """The change that `change_to_json` wrote."""
    files = (
        ChangedFile(**{**file, "hunks": tuple(Hunk(**hunk) for hunk in file["hunks"])})
        for file in data["files"]
    )
    return Change(
        **{
            **data,
            "files": tuple(files),
            "not_reviewed": tuple(NotReviewed(**entry) for entry in data["not_reviewed"]),
            "guidelines": tuple(Guideline(**entry) for entry in data["guidelines"]),
            "notes": tuple(data["notes"]),
        }
    )


def digest(change: Change) -> str:
    """SHA-256 over everything that reviewers could see: texts, guidelines, messages and both whole trees.

    The commits' ids are left out where the trees are known: the same trees are the same change.
    """
    seen = change_to_json(change)
    for hidden in ("notes", *(("base", "head") if change.base_tree else ())):
        del seen[hidden]
    text = json.dumps(seen, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
