"""Guidelines of the project, as they stand in one revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.guidelines import LONGEST, LONGEST_IN_ALL, read_guidelines
from review_bot.repository import open_repository
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo(tmp_path / "repo")


def read(
    repo: GitRepo, changed: list[str], configured: list[str] | None = None
) -> tuple[dict[str, str], list[str]]:
    opened = open_repository(repo.folder)
    found, notes = read_guidelines(opened, opened.find("HEAD^{tree}"), changed, configured or [])
    return {one.path: one.text for one in found}, notes


def test_the_configured_ones_first_then_those_of_the_top_then_nested_ones(repo: GitRepo) -> None:
    repo.commit(
        {
            "AGENTS.md": "agents\r\n",
            "CLAUDE.md": "claude\n",
            ".github/copilot-instructions.md": "copilot\n",
            "src/AGENTS.md": "src\n",
            "src/deep/CLAUDE.md": "deep\n",
            "other/AGENTS.md": "other\n",
            "docs/café.md": "house\n",
        }
    )
    found, notes = read(repo, ["src/deep/a.py", "x.py"], ["docs/café.md"])
    assert found == {
        "docs/café.md": "house",
        "AGENTS.md": "agents",
        "CLAUDE.md": "claude",
        ".github/copilot-instructions.md": "copilot",
        "src/AGENTS.md": "src",
        "src/deep/CLAUDE.md": "deep",
    }
    assert notes == []


def test_links_are_not_followed_and_repetitions_left_out(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    repo.write({"CLAUDE.md": "same\n", ".github/copilot-instructions.md": "same\n", "src/CLAUDE.md": "\n"})
    (repo.folder / "AGENTS.md").symlink_to("/etc/passwd")
    (repo.folder / "linked.md").symlink_to(tmp_path / "secret")
    repo.commit()
    found, notes = read(repo, ["src/a.py"], ["linked.md", "missing.md"])
    assert found == {"CLAUDE.md": "same"}
    assert [note.split(" is ")[0] for note in notes] == [
        "the guideline linked.md",
        "the guideline missing.md",
    ]


def test_long_ones_are_cut_and_it_is_said(repo: GitRepo) -> None:
    repo.commit({f"{letter}/AGENTS.md": letter * (LONGEST + 5) for letter in "abcde"})
    found, notes = read(repo, [f"{letter}/x.py" for letter in "abcde"])
    assert [len(text) for text in found.values()] == [LONGEST] * (LONGEST_IN_ALL // LONGEST)
    assert notes[0] == "reviewers see the first 20,000 of 20,005 characters of a/AGENTS.md"
    assert notes[-1] == "reviewers see the first 0 of 20,005 characters of e/AGENTS.md"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.md", "docs/../../x.md", ""])
def test_paths_that_lead_out_are_refused(repo: GitRepo, path: str) -> None:
    repo.commit({"a": "1\n"})
    with pytest.raises(ConfigError, match="not a path inside"):
        read(repo, [], [path])
