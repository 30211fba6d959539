"""The project's linter on tests as they will stand in their files."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_moa.candidate import Candidate
from pytest_moa.placing.formatting import lints_by_settings, ruff, run
from pytest_moa.placing.placing import Change, Placing
from pytest_moa.placing.source_file import NotPlaced, parsed
from pytest_moa.placing.where import place_of
from pytest_moa.target import Target

#: Rules that no choice of tests would keep, as every test breaks them: annotations, copyright, documentation,
#: packages, numbers, `assert`.
_OF_EVERY_TEST = ("ANN", "CPY", "D1", "INP", "PLR2004", "S101")

#: For projects without settings, besides the defaults of the ruff that is here: those of other versions,
#: and the order of imports.
_USUAL = ("E4", "E7", "E9", "F", "I")


@dataclass(frozen=True, slots=True)
class Linted:
    """What came of a check, by candidate id: why a test does not pass, and what safe fixes made of others."""

    complaints: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, Candidate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a line breaks; `safe` if a fix that keeps the meaning is known."""

    line: int
    says: str
    safe: bool


@dataclass(frozen=True)
class Linter:
    """Checks tests in the files that they would be placed into.

    `targets` are by "module:qualname"; `reaching` counts tests by `Target.name` and file.
    """

    placing: Placing
    targets: Mapping[str, Target]
    reaching: Mapping[str, Mapping[str, int]]

    def linted(self, candidates: Iterable[Candidate]) -> Linted:
        """Which tests do not pass, and why. One run of ruff a file, and one more where it fixed some."""
        candidates = list(candidates)
        found = self._violations_of(candidates)
        fixed: dict[str, Candidate] = {}
        for one in candidates:
            if any(violation.safe for violation in found.get(one.id, ())):
                made = self._fixed(one)
                if made.source != one.source:
                    fixed[one.id] = made
        again = self._violations_of(fixed.values())
        left = {**found, **{name: again.get(made.id, []) for name, made in fixed.items()}}
        complaints = {
            name: "; ".join(dict.fromkeys(one.says for one in violations))
            for name, violations in left.items()
            if violations
        }
        return Linted(complaints, {name: made for name, made in fixed.items() if name not in complaints})

    def _violations_of(self, candidates: Iterable[Candidate]) -> dict[str, list[Violation]]:
        changes: dict[str, Change] = {}
        for candidate in candidates:
            path = self._path(candidate)
            if path:
                try:
                    changes[path] = self.placing.change(path, [candidate], changes.get(path))
                except NotPlaced:
                    continue  # who places it will say why
        found: dict[str, list[Violation]] = {}
        for path, change in changes.items():
            text = change.after.decode(errors="replace")
            violations = violations_in(self.placing.root, path, text)
            tree = parsed(text)
            for name, source in change.added.items():
                spans = _spans(tree, source)
                for one in violations:
                    if any(first <= one.line <= last for first, last in spans):
                        found.setdefault(name, []).append(one)
        return found

    def _path(self, candidate: Candidate) -> str:
        target = self.targets.get(candidate.target)
        if target is None:
            return ""
        return place_of(self.placing.tree, target, candidate, self.reaching.get(target.name, {})).path

    def _fixed(self, candidate: Candidate) -> Candidate:
        """The test after safe fixes; as it is where they would change more than its body."""
        command = _check(self.placing.root, self._path(candidate))
        _, out, _ = run([*command, "--fix-only", "-"], candidate.source + "\n", self.placing.root)
        try:
            body = parsed(out).body
        except (SyntaxError, ValueError):
            return candidate
        same = len(body) == 1 and getattr(body[0], "name", "") == candidate.name
        return replace(candidate, source=out.strip("\n")) if same else candidate


def violations_in(root: Path, path: str, text: str) -> list[Violation]:
    """What ruff has against a file with this text, by the project's rules, else by the usual ones."""
    _, out, _ = run([*_check(root, path), "--output-format", "json", "-"], text, root)
    try:
        data: Any = json.loads(out or "[]")
    except ValueError:
        return []  # settings that ruff cannot read: it tells the user, too
    return [
        Violation(
            one["location"]["row"],
            f"{one['code']} {one['message']}",
            (one["fix"] or {}).get("applicability") == "safe",
        )
        for one in data
        if not (one["code"] or "").startswith(_OF_EVERY_TEST)
    ]


def _check(root: Path, path: str) -> list[str]:
    command = [*ruff(), "check", "--no-cache", "--quiet", "--force-exclude", "--stdin-filename", path]
    if lints_by_settings(root / path):
        return command
    return [*command, "--isolated", "--extend-select", ",".join(_USUAL)]


def _spans(tree: ast.Module, source: str) -> list[tuple[int, int]]:
    """First and last lines of a test and its helpers in the file."""
    names = {getattr(node, "name", "") for node in parsed(source).body} - {""}
    return [
        (
            min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]),
            node.end_lineno or 0,
        )
        for node in tree.body
        if getattr(node, "name", "") in names
    ]
