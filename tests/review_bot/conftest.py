"""A repository with something to find in it, and the command that finds it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from review_bot.cli import main
from tests.review_bot.commands import AFTER, BEFORE, Done, Review, environment
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository whose last commit has one mistake; ruff is its only reviewer."""
    repo = GitRepo(tmp_path / "shop")
    repo.commit({"shop.py": BEFORE, "moa.toml": '[review]\nreviewers = ["ruff"]\n'})
    repo.commit({"shop.py": AFTER})
    return repo


@pytest.fixture
def review(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Review:
    """Runs `review-bot review` in the repository, in this process."""
    for name in set(os.environ) - set(environment(tmp_path)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("MOA_RECORD", str(tmp_path / "record.sqlite"))
    monkeypatch.setenv("MOA_REVIEW__PROVE", "off")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str, cwd: Path = repo.folder, stdin: str = "") -> Done:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        try:
            code = main(["review", *arguments])
        except SystemExit as exit:  # argparse's way
            code = int(exit.code or 0)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run
