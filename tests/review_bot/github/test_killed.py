"""Killed anywhere, a review is posted once and whole by the next run, which knows nothing but GitHub."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.review_bot.github.fake_github import FakeGithub, Sent
from tests.review_bot.github.test_command import FILES, author, broken, fake, push, surroundings, writes
from tests.review_bot.github.test_flow import Review, review
from tests.review_bot.gitrepo import GitRepo

__all__ = ["author", "fake", "review"]

#: What a run writes, in order: after the first push, and after one that fixes a mistake and makes another.
FIRST = ("POST reviews", "POST summary")
SECOND = ("POST review", "resolve", "edit", "minimise", "edit summary")

How = Literal["lost", "landed"]


class Killer:
    """Kills the process that sends the nth write: before it arrives, or when it has landed unanswered."""

    def __init__(self, nth: int, how: How) -> None:
        self.left, self.how, self.pid = nth, how, 0
        self.sent = ""

    def __call__(self, phase: str, sent: Sent) -> None:
        if not writes_something(sent) or self.sent:
            return
        if phase == "before":
            self.left -= 1
        if self.left == 0 and phase == ("before" if self.how == "lost" else "after"):
            self.sent = str(sent)
            os.kill(self.pid, signal.SIGKILL)
            if self.how == "lost":
                raise ConnectionAbortedError


def writes_something(sent: Sent) -> bool:
    if sent.path == "/graphql":
        return "mutation" in sent.data["query"]
    return sent.method != "GET" and ".git/" not in sent.path


def kill(fake: FakeGithub, tmp_path: Path, nth: int, how: How) -> str:
    """Run the command, kill it at its nth write, and forget its record, as a new CI job does."""
    killer = Killer(nth, how)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.review_bot.github.quick", "github", "--pr", "1"],
        cwd=tmp_path / "job",
        env=surroundings(fake, tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        killer.pid = process.pid
        fake.watchers.append(killer)
        assert process.wait(60) == -signal.SIGKILL
    fake.watchers.remove(killer)
    for path in tmp_path.glob("record.sqlite*"):
        path.unlink()
    return killer.sent


def check(fake: FakeGithub, head: str, paths: list[str]) -> None:
    """One review of this head, one comment for each mistake, one summary."""
    assert [one.commit_id for one in fake.state.reviews.values()].count(head) == 1
    assert sorted(one.path for one in fake.state.comments.values()) == sorted(paths)
    [summary] = fake.state.notes.values()
    assert head[:10] in summary.body


@pytest.mark.parametrize("how", ["lost", "landed"])
@pytest.mark.parametrize("nth", range(1, len(FIRST) + 1))
def test_killed_after_the_first_push(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path, nth: int, how: How
) -> None:
    kill(fake, tmp_path, nth, how)
    done = review("--pr", "1")
    assert done.returncode == 0, done.stderr
    check(fake, author.head(), ["shop/part_0.py", "shop/part_1.py"])


@pytest.mark.parametrize("how", ["lost", "landed"])
@pytest.mark.parametrize("nth", range(1, len(SECOND) + 1))
def test_killed_after_a_later_push(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path, nth: int, how: How
) -> None:
    review("--pr", "1")
    push(author, {"shop/part_0.py": FILES["shop/part_0.py"], "shop/part_5.py": broken(5)})
    kill(fake, tmp_path, nth, how)
    done = review("--pr", "1")
    assert done.returncode == 0, done.stderr
    check(fake, author.head(), ["shop/part_0.py", "shop/part_1.py", "shop/part_5.py"])
    folded = {one.path: one.minimised for one in fake.state.comments.values()}
    assert folded == {"shop/part_0.py": "OUTDATED", "shop/part_1.py": "", "shop/part_5.py": ""}


def test_a_run_killed_again_and_again_gets_there(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    killed = [kill(fake, tmp_path, 1, "landed"), kill(fake, tmp_path, 1, "lost")]
    assert [one.rpartition("/")[2] for one in killed] == ["reviews", "comments"]
    assert review("--pr", "1").returncode == 0
    check(fake, author.head(), ["shop/part_0.py", "shop/part_1.py"])
    assert len(writes(fake)) == 3
