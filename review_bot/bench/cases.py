"""A case set: diffs of which it is known what is wrong in them. A JSON file that can be committed.

A case is a change of a few files with several hunks; a hunk is planted (a defect was put there), from
history (a bug fix was taken back) or clean. The hunk is what members are judged by.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from moa_engine.errors import ConfigError
from pytest_moa.code.text import lines_of

FORMAT: Final = "moa-cases-1"

Kind = Literal["planted", "history", "clean"]


@dataclass(frozen=True, slots=True)
class CaseHunk:
    """One hunk: lines `start` to `end` of the file at base, counted from 1, become `after`.

    A hunk that only adds lines has `end` one below `start`. `unsure` says why nobody is judged by the
    hunk although it is shown, for example since the defect changes nothing; "" where it counts.
    """

    id: str
    kind: Kind
    defect: str | None  #: the kind of defect; None for a clean edit
    edit: str  #: the kind of edit: the defect's again, or of the clean one
    path: str
    function: str
    start: int
    end: int
    before: str
    after: str
    what: str  #: for people: what was done
    unsure: str = ""
    witness: str = ""  #: an input on which the defect shows, and what is seen then

    def edited(self, base: str) -> str:
        """The text of its file with this hunk alone."""
        lines = lines_of(base)
        lines[self.start - 1 : self.end] = [self.after]
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class Case:
    """One diff. `files` has the digests of the texts at base, by path."""

    id: str
    title: str  #: of the commit; the same kind of words whatever is in it
    files: Mapping[str, str]
    hunks: tuple[CaseHunk, ...]

    def head(self, path: str, base: str) -> str:
        """The text of a file with the case's edits."""
        lines = lines_of(base)
        for hunk in sorted(self._in(path), key=lambda hunk: -hunk.start):
            lines[hunk.start - 1 : hunk.end] = [hunk.after]
        return "".join(lines)

    def places(self) -> dict[str, tuple[int, int]]:
        """First and last line of each hunk at head, by id; of one that only removes, the lines around."""
        found = {}
        moved: defaultdict[str, int] = defaultdict(int)
        for hunk in sorted(self.hunks, key=lambda hunk: hunk.start):
            removed, added = hunk.end - hunk.start + 1, len(lines_of(hunk.after))
            first = hunk.start + moved[hunk.path]
            found[hunk.id] = (first, first + added - 1) if added else (max(1, first - 1), first)
            moved[hunk.path] += added - removed
        return found

    def _in(self, path: str) -> list[CaseHunk]:
        return [hunk for hunk in self.hunks if hunk.path == path]


@dataclass(frozen=True)
class CaseSet:
    """All cases, and the texts of the files that they change, by digest."""

    source: str  #: what the code is, for people: a package and its version, a repository and its commit
    seed: int
    cases: tuple[Case, ...]
    texts: Mapping[str, str] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is asked; what is known about it may grow."""
        bare = [
            replace(case, hunks=tuple(replace(hunk, unsure="", witness="") for hunk in case.hunks))
            for case in self.cases
        ]
        text = json.dumps([*map(asdict, bare), dict(self.texts)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def hunks(self) -> list[tuple[Case, CaseHunk]]:
        """Every hunk with its case, in order."""
        return [(case, hunk) for case in self.cases for hunk in case.hunks]

    def count(self, kind: Kind) -> int:
        """Hunks of one kind that count."""
        return sum(hunk.kind == kind and not hunk.unsure for _, hunk in self.hunks)

    def to_json(self) -> dict[str, Any]:
        """What the file holds."""
        return {
            "format": FORMAT,
            "source": self.source,
            "seed": self.seed,
            "cases": [asdict(case) for case in self.cases],
            "texts": dict(self.texts),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CaseSet:
        """What `to_json` gave.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is no case set.
        """
        found = cls(data["source"], data["seed"], tuple(map(_case, data["cases"])), data["texts"])
        _check(found)
        return found

    def alone(self, case: Case) -> CaseSet:
        """One of the cases, with the texts that it needs."""
        texts = {digest: self.texts[digest] for digest in sorted(set(case.files.values()))}
        return CaseSet(self.source, self.seed, (case,), texts)

    def write(self, file: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            ConfigError: it cannot be written.
        """
        write_json(file, self.to_json())


def digest_of(text: str) -> str:
    """The name of a text in a case set."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_json(file: Path, data: Any) -> None:
    """Write a JSON file for people and git, whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    beside = file.with_name(f"{file.name}.part")
    try:
        beside.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
        beside.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def read_cases(file: Path) -> CaseSet:
    """The case set in a file.

    Raises:
        ConfigError: there is no such file, or it is no case set.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise ConfigError(f"{file}: its format is {data['format']!r}, not {FORMAT!r}")
        found = CaseSet.from_json(data)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", hint="make it with: moa bench cases --output FILE"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is no case set of `moa bench cases`: {error!r}") from error
    return found


def _case(data: Mapping[str, Any]) -> Case:
    hunks = tuple(CaseHunk(**hunk) for hunk in data["hunks"])
    return Case(data["id"], data["title"], data["files"], hunks)


def _check(cases: CaseSet) -> None:
    """Refuse a file that somebody edited by half: every hunk must fit the text that it changes.

    Raises:
        ValueError: one does not.
    """
    for case in cases.cases:
        for hunk in case.hunks:
            lines = lines_of(cases.texts[case.files[hunk.path]])
            if "".join(lines[hunk.start - 1 : hunk.end]) != hunk.before:
                raise ValueError(f"hunk {hunk.id} does not fit {hunk.path}")


def grouped(
    hunks: Sequence[CaseHunk], files: Mapping[str, str], *, per_case: int, apart: int
) -> tuple[Case, ...]:
    """The hunks as cases of up to `per_case`, in their order: those of one file are `apart` lines away."""
    waiting = list(hunks)
    cases: list[Case] = []
    while waiting:
        taken: list[CaseHunk] = []
        for hunk in waiting:
            near = any(
                other.path == hunk.path and hunk.start - other.end < apart and other.start - hunk.end < apart
                for other in taken
            )
            if not near and len(taken) < per_case:
                taken.append(hunk)
        waiting = [hunk for hunk in waiting if hunk not in taken]
        paths = sorted({hunk.path for hunk in taken})
        names = ", ".join(Path(path).stem for path in paths)
        taken.sort(key=lambda hunk: (hunk.path, hunk.start))
        id = f"case-{len(cases) + 1:02d}"
        cases.append(Case(id, f"Work on {names}", {path: files[path] for path in paths}, tuple(taken)))
    return tuple(cases)
