"""A repository, a pull request on it, and the GitHub that both are on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from review_bot.github.client import Client, Patience, connect
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.gitrepo import GitRepo

#: Twenty lines, so that changes at both ends are two hunks.
LINES = [f"line_{number} = {number}\n" for number in range(1, 21)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def author(tmp_path: Path) -> GitRepo:
    """The repository in which the pull request's author works; its remote `origin` is what GitHub has.

    `main` has `shop.py` with 20 lines; the branch `feature` changes its lines 2 and 18, deletes `old.py`
    and adds `new.py`.
    """
    repo = GitRepo(tmp_path / "author")
    repo.commit({"shop.py": "".join(LINES), "old.py": "gone = 1\n", "README.md": "A shop.\n"})
    GitRepo(tmp_path / "shop.git", "--bare")
    repo.git("remote", "add", "origin", str(tmp_path / "shop.git"))
    repo.git("switch", "--quiet", "-c", "feature")
    (repo.folder / "old.py").unlink()
    changed = [*LINES]
    changed[1], changed[17] = "line_2 = 22\n", "line_18 = 1818\n"
    repo.commit({"shop.py": "".join(changed), "new.py": "fresh = 1\nfresher = 2\n"})
    repo.git("push", "--quiet", "origin", "main", "feature", "feature:refs/forks/eve/feature")
    return repo


@pytest.fixture
def fake(author: GitRepo, tmp_path: Path, clock: Clock) -> Iterator[FakeGithub]:
    """GitHub, with that as pull request 1 by somebody with write access."""
    with FakeGithub(tmp_path / "shop.git", clock=clock) as fake:
        fake.state.people |= {"bob": "write", "eve": "read"}
        fake.state.open_pull("feature", author="bob")
        yield fake


@pytest.fixture
def client(fake: FakeGithub, clock: Clock) -> Client:
    """A client with the token of a job, whose patience is on the fake's clock."""
    return connect(fake.connection(patience=Patience(120.0, clock, clock.sleep)))
