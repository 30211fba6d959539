"""Changes of which it is known what is wrong in them, as git repositories: a folder of them, or made here.

A case is a folder ID with `repo`, a git repository that has the tags `base` and `head`, and `truth.json`:

    {"kind": "bug" or "clean", "description": in words what the bug is,
     "truth": [{"path": ..., "lines": [first, last] at head, "scope": function, "primary": true}, ...]}
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers import BUILD, sources
from review_bot.bench.cases import Case, CaseHunk, read_cases
from review_bot.bench.matching import NEAR, Said, accuses, claims

#: What cases are made of where no folder is given: pinned, from the package registry.
PACKAGE, VERSION = "toolz", "1.2.0"
PLANTED, CLEAN = 10, 5


@dataclass(frozen=True, slots=True)
class Change:
    """One case. `places` are path, first and last line at head of what is wrong; () where nothing is."""

    id: str
    repository: Path
    diff: str
    places: tuple[tuple[str, int, int], ...]
    defect: CaseHunk  #: what is known of it, for matching words

    @property
    def is_clean(self) -> bool:
        return not self.places

    def is_placed(self, finding: Said) -> bool:
        """Whether the finding is about the place of the defect, give or take three lines."""
        if finding.line is None or finding.side != "RIGHT":
            return False
        first = finding.line if finding.start_line is None else finding.start_line
        return any(
            finding.path == path and first <= end + NEAR and finding.line >= start - NEAR
            for path, start, end in self.places
        )

    def hits(self, findings: Sequence[Said]) -> tuple[bool, bool]:
        """Whether one is at the place, and whether one there claims such a defect as well."""
        near = [finding for finding in findings if accuses(finding) and self.is_placed(finding)]
        return bool(near), any(claims(finding, self.defect) for finding in near)


def read_changes(folder: Path) -> list[Change]:
    """The cases of a folder: small ones first, one clean among two with a defect."""
    found = [_read(file.parent) for file in folder.glob("*/truth.json")]
    found.sort(key=lambda change: (len(change.diff), change.id))
    clean = [change for change in found if change.is_clean]
    wrong = [change for change in found if not change.is_clean]
    return list(_mixed(wrong, clean))


def _mixed(wrong: list[Change], clean: list[Change]) -> Iterator[Change]:
    while wrong or clean:
        yield from (*wrong[:1], *clean[:1], *wrong[1:2])
        wrong, clean = wrong[2:], clean[1:]


def _read(folder: Path) -> Change:
    truth = json.loads((folder / "truth.json").read_text())
    repository = folder / "repo"
    diff = git(repository, "diff", "--no-ext-diff", "base", "head")
    spots = [spot for spot in truth["truth"] if spot.get("primary", True)] if truth["kind"] == "bug" else []
    changed = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    defect = CaseHunk(
        id=folder.name,
        kind="history" if spots else "clean",
        defect=truth["kind"] if spots else None,
        edit=truth.get("edit", ""),
        path=spots[0]["path"] if spots else "",
        function=spots[0].get("scope") or "" if spots else "",
        start=0,
        end=0,
        before="\n".join(line[1:] for line in changed if line.startswith("-")),
        after="\n".join(line[1:] for line in changed if line.startswith("+")),
        what=truth["description"],
    )
    places = tuple((spot["path"], *spot["lines"]) for spot in spots)
    return Change(folder.name, repository, diff, places, defect)


def made_cases() -> tuple[Path, str]:
    """A folder of cases made by `moa bench cases`, and what they are made of.

    Nobody has run the edits (`--no-witness`): edits that the product's own search had confirmed would be in
    favour of its proof. So some planted defects may show in no input at all.
    """
    folder = BUILD.absolute() / f"cases-{PACKAGE}-{VERSION}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        package = sources(PACKAGE, VERSION, folder) / PACKAGE
        file = folder / "moa-cases.json"
        counts = ["--planted", str(PLANTED), "--clean", str(CLEAN), "--no-witness"]
        command = [sys.executable, "-m", "moa_engine.cli", "bench", "cases", str(package), *counts]
        subprocess.run([*command, "--output", str(file)], check=True, capture_output=True)
        cases = read_cases(file)
        for case, hunk in cases.hunks:
            _write(folder / hunk.id, package.parent, replace(case, hunks=(hunk,)))
        (folder / "made").touch()
    return folder, f"{PACKAGE} {VERSION}"


def _write(folder: Path, root: Path, case: Case) -> None:
    (hunk,) = case.hunks
    repository = folder / "repo"
    shutil.copytree(root / PACKAGE, repository / PACKAGE)
    git(repository, "init", "--quiet", "--initial-branch=main")
    for tag in ("base", "head"):
        if tag == "head":
            file = repository / hunk.path
            file.write_text(hunk.edited(file.read_text()))
        git(repository, "add", "--all", "--force", ".")
        git(repository, "commit", "--quiet", "--message", case.title if tag == "head" else "The code")
        git(repository, "tag", tag)
    spot = {"path": hunk.path, "lines": case.places()[hunk.id], "scope": hunk.function, "primary": True}
    truth = {
        "kind": "clean" if hunk.kind == "clean" else "bug",
        "edit": hunk.edit,
        "description": hunk.what,
        "truth": [spot],
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


def git(repository: Path, *arguments: str) -> str:
    """What git says there, with nobody's settings."""
    who = [
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.invalid",
        "-c",
        "core.hooksPath=/dev/null",
    ]
    command = ["git", "-C", str(repository), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout
