"""`review-bot github`, end to end: a real repository, a fake GitHub, the real command in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.review_bot.commands import Done, environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo

FILES = {f"shop/part_{number}.py": f"def part_{number}(x):\n    return x\n" for number in range(10)}


def broken(number: int, name: str = "missing") -> str:
    return f"def part_{number}(x):\n    return x * {name}\n"


@pytest.fixture
def author(tmp_path: Path) -> GitRepo:
    """A shop of ten files; the branch `feature` has one mistake in each of the first two."""
    repo = GitRepo(tmp_path / "author")
    repo.commit({**FILES, "moa.toml": '[review]\nreviewers = ["ruff"]\nprove = "off"\n'})
    GitRepo(tmp_path / "shop.git", "--bare")
    repo.git("remote", "add", "origin", str(tmp_path / "shop.git"))
    repo.git("switch", "--quiet", "-c", "feature")
    repo.commit({"shop/part_0.py": broken(0), "shop/part_1.py": broken(1)})
    repo.git("push", "--quiet", "origin", "main", "feature")
    return repo


@pytest.fixture
def fake(author: GitRepo, tmp_path: Path) -> Any:
    with FakeGithub(tmp_path / "shop.git") as fake:
        fake.state.people |= {"bob": "write", "eve": "read"}
        fake.state.open_pull("feature", author="bob")
        yield fake


Review = Callable[..., Done]


@pytest.fixture
def review(fake: FakeGithub, tmp_path: Path) -> Review:
    """Runs the command as a job would, in a folder without a clone."""
    (tmp_path / "job").mkdir()

    def run(*arguments: str, **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "tests.review_bot.github.quick", "github", *arguments],
            cwd=tmp_path / "job",
            env=surroundings(fake, tmp_path, **more),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def surroundings(fake: FakeGithub, tmp_path: Path, **more: str) -> dict[str, str]:
    ours = {
        "GITHUB_TOKEN": "job-token",
        "GITHUB_API_URL": fake.url,
        "GITHUB_SERVER_URL": fake.url,
        "GITHUB_REPOSITORY": fake.state.repository,
        "MOA_DEBUG": "1",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    clean = environment(tmp_path)
    kept = {name: value for name, value in clean.items() if not name.startswith(("GITHUB_", "GH_"))}
    return {**kept, **ours, **more}


def writes(fake: FakeGithub) -> list[str]:
    """What was sent to change something, in order."""
    return [
        str(one)
        for one in fake.sent
        if one.method != "GET"
        and ".git/" not in one.path
        and (one.path != "/graphql" or "mutation" in one.data["query"])
    ]


def event(tmp_path: Path, **payload: Any) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    return {"GITHUB_EVENT_PATH": str(path)}


def push(author: GitRepo, files: dict[str, str | bytes]) -> None:
    author.commit(files)
    author.git("push", "--quiet", "--force", "origin", "feature")


def test_three_runs_say_each_thing_once(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    first = review("--pr", "1")
    assert first.returncode == 0, first.stderr
    assert [one.path for one in fake.state.comments.values()] == ["shop/part_0.py", "shop/part_1.py"]
    [summary] = fake.state.notes.values()
    assert "2 new" in summary.body

    push(author, {"shop/part_0.py": FILES["shop/part_0.py"], "shop/part_5.py": broken(5)})
    second = review("--pr", "1")
    assert second.returncode == 0, second.stderr
    comments = list(fake.state.comments.values())
    assert [one.path for one in comments] == ["shop/part_0.py", "shop/part_1.py", "shop/part_5.py"]
    assert [one.minimised for one in comments] == ["OUTDATED", "", ""]
    assert len(fake.state.reviews) == 2
    [edited] = fake.state.notes.values()
    assert edited.id == summary.id
    assert "1 new" in edited.body
    assert "1 open" in edited.body
    assert "1 gone" in edited.body

    before = writes(fake)
    third = review("--pr", "1")
    assert third.returncode == 0
    assert "has been reviewed" in third.stderr
    assert writes(fake) == before
