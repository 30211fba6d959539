"""Suggestions on their way into the user's files: planned, shown, written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_moa.candidate import Candidate
from pytest_moa.placing import writing
from pytest_moa.placing.edit import Surroundings, edited
from pytest_moa.placing.formatting import style_of
from pytest_moa.placing.packages import Packages
from pytest_moa.placing.source_file import SourceFile
from pytest_moa.placing.test_files import TestTree
from pytest_moa.placing.where import place_of
from pytest_moa.suggestions import Suggestion
from pytest_moa.target import Target


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after. `added` is the source of each test as it will stand there, by id."""

    path: str
    before: bytes | None
    after: bytes
    added: Mapping[str, str]
    present: tuple[str, ...] = ()  #: ids of tests that are in the file already
    notes: tuple[str, ...] = ()

    def diff(self, folder: str = "") -> str:
        """As a unified diff, readable whatever the encoding; `folder` is what the root is called there."""
        before, after = (_lines(side) for side in (self.before or b"", self.after))
        old = "/dev/null" if self.before is None else f"a/{folder}{self.path}"
        lines = difflib.unified_diff(before, after, old, f"b/{folder}{self.path}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        )


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="replace").splitlines(keepends=True)


@dataclass(frozen=True)
class Placing:
    """Places tests into the test files of one project."""

    tree: TestTree
    python_path: tuple[Path, ...] = ()  #: where tests import from, besides the root and `src`

    @property
    def root(self) -> Path:
        """The project's root."""
        return self.tree.root

    def placed(self, suggestion: Suggestion, target: Target, reaching: Mapping[str, int]) -> Suggestion:
        """The suggestion with the file it goes into and the source as it will be written.

        Raises:
            NotPlaced: it fits nowhere.
        """
        place = place_of(self.tree, target, suggestion.candidate, reaching)
        change = self.change(place.path, [suggestion.candidate])
        return replace(
            suggestion,
            file=place.path,
            file_digest=writing.digest(change.before),
            creates=place.creates,
            source=change.added.get(suggestion.id, suggestion.candidate.source),
        )

    def change(self, path: str, candidates: Sequence[Candidate], onto: Change | None = None) -> Change:
        """What adding these tests does to a file, on top of another change of it. Nothing is written.

        Raises:
            NotPlaced: one of them cannot be put there, or the file cannot be edited.
        """
        before = writing.read(self.root, path) if onto is None else onto.before
        file = SourceFile.of(path, (before or b"") if onto is None else onto.after)
        packages = Packages((*self.python_path, self.root, self.root / "src"))
        around = Surroundings(style_of(self.root, file), self.tree.inherited_fixtures(path), packages)
        edit = edited(file, candidates, around)
        change = Change(path, before, file.encoded(edit.text), edit.added, edit.present, edit.notes)
        if onto is None:
            return change
        return replace(
            change,
            added={**onto.added, **edit.added},
            present=(*onto.present, *edit.present),
            notes=tuple(dict.fromkeys((*onto.notes, *edit.notes))),
        )

    def write(self, change: Change) -> None:
        """Write a change.

        Raises:
            NotPlaced: the file has changed meanwhile, or cannot be written.
        """
        if change.added:
            writing.write(self.root, change.path, change.after, expected=writing.digest(change.before))
