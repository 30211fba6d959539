"""The package as its users have it: installed, on the committee of a real review."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=Sam", "-c", "user.email=sam@example.com"]
    subprocess.run(["git", *identity, *arguments], check=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, whose committee has a member of kind `todo`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moa.toml").write_text('[members.todo]\nkind = "todo"\n')
    (tmp_path / "shop.py").write_text("PRICE = 1\n")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message=Begin")
    return tmp_path


def review(project: Path, **settings: str) -> list[dict[str, Any]]:
    """The findings that `todo` raised."""
    done = subprocess.run(
        [sys.executable, "-m", "review_bot", "review", "--working", "--prove", "off", "--format", "json"],
        env={**os.environ, "MOA_RECORD": str(project / ".git" / "record.sqlite"), **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return [one for one in json.loads(done.stdout)["findings"] if "todo" in one["raised_by"]]


def test_a_todo_without_a_ticket_is_a_confirmed_finding(project: Path) -> None:
    (project / "shop.py").write_text("PRICE = 1\nTAX = 2  # TODO the right one\nFEE = 3  # TODO SHOP-7\n")
    [finding] = review(project)
    assert (finding["path"], finding["line"], finding["standing"]) == ("shop.py", 2, "confirmed")


def test_what_a_ticket_looks_like_can_be_set(project: Path) -> None:
    (project / "shop.py").write_text("PRICE = 1\nTAX = 2  # TODO(sam): the right one\n")
    assert review(project, MOA_MEMBERS__TODO__TICKET=r"TODO\(\w+\)") == []
