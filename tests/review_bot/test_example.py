"""The change in `examples/`, as `make demo` makes and reviews it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.review_bot.commands import Review, as_json, command, environment
from tests.review_bot.gitrepo import GitRepo

ROOT = Path(__file__).parents[2]
MAKE, README = ROOT / "examples" / "make_repository.py", ROOT / "README.md"


def make(folder: Path, **more: str) -> None:
    subprocess.run([sys.executable, str(MAKE), str(folder)], env=os.environ | more, check=True)


def test_several_kinds_of_defect_are_attributed(review: Review, tmp_path: Path) -> None:
    make(tmp_path / "parcels")
    data = as_json(review("HEAD~1", "--repo", str(tmp_path / "parcels"), "--format", "json"))
    assert data["status"] == "complete"
    assert {name for finding in data["findings"] for name in finding["raised_by"]} == {
        "ruff",
        "griffe",
        "ty",
        "secrets",
    }


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    make(tmp_path / "parcels")
    done = subprocess.run(
        command("review", "HEAD~1", "--repo", str(tmp_path / "parcels")),
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert same_every_time(without_proof(transcript())) == same_every_time(done.stdout)


def test_the_readme_shows_a_witness_that_holds(tmp_path: Path) -> None:
    make(tmp_path / "parcels")
    [finding] = [one for one in blocks(transcript()) if "average([])" in one and "raised by proof" in one]
    assert "ZeroDivisionError" in finding
    test = textwrap.dedent(finding.partition("fails after it:\n")[2].partition("  raised by")[0])
    assert "assert average([]) == 0" in test
    for revision, code in (("main~1", 0), ("main", 1)):
        subprocess.run(["git", "-C", str(tmp_path / "parcels"), "checkout", "-q", revision], check=True)
        (tmp_path / "test_witness.py").write_text(test)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:moa",
                "-p",
                "no:cacheprovider",
                "test_witness.py",
            ],
            cwd=tmp_path,
            env=environment(tmp_path, PYTHONPATH=str(tmp_path / "parcels" / "src")),
            capture_output=True,
        )
        assert done.returncode == code, done.stdout


def transcript() -> str:
    return README.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]


def blocks(printed: str) -> list[str]:
    """A review in pieces: its head, each finding, what the change does, notes, the last lines."""
    starts = r"(?m)^(?=(?:critical|major|minor|nit)\[|What this change does|note: |\d+ members: )"
    return re.split(starts, printed)


def without_proof(printed: str) -> str:
    """A review as it is when nothing is run: a search does not find the same on every machine."""
    kept = [one for one in blocks(printed) if "raised by proof" not in one and "What this change" not in one]
    confirmed = sum("  raised by " in one for one in kept)
    return re.sub(r"\d+(?= confirmed)|(?<=Confirmed \()\d+", str(confirmed), "".join(kept))


def same_every_time(printed: str) -> list[str]:
    """The lines of a review; the last one, which may wrap elsewhere, without seconds and run."""
    body, _, closing = printed.rstrip().rpartition("\n\n")
    return [*body.splitlines(), re.sub(r"[0-9.]+ s; run \S+$", "", " ".join(closing.split()))]


def test_nobodys_git_settings_get_in_the_way(repo: GitRepo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    hook = home / "hooks" / "pre-commit"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    settings = f"[core]\nhooksPath = {hook.parent}\n[commit]\ngpgsign = true\n[gpg]\nprogram = false\n"
    (home / ".gitconfig").write_text(settings)
    before, elsewhere = repo.head(), repo.folder / ".git"  # as in a hook of another repository
    git = {"GIT_DIR": str(elsewhere), "GIT_INDEX_FILE": str(elsewhere / "index")}
    make(tmp_path / "parcels", HOME=str(home), XDG_CONFIG_HOME=str(home), **git)
    made = ["git", "-C", str(tmp_path / "parcels"), "rev-list", "--count", "HEAD"]
    assert subprocess.run(made, capture_output=True, check=True).stdout == b"2\n"
    assert (repo.head(), repo.git("status", "--porcelain")) == (before, b"")
