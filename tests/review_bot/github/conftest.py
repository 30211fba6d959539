"""A repository, a pull request on it, and the GitHub that both are on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from review_bot.github.client import Client, Patience, connect
from review_bot.github.model import InlineComment
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.github.request_bodies import faults
from tests.review_bot.gitrepo import GitRepo

#: Twenty lines, so that changes at both ends are two hunks.
LINES = [f"line_{number} = {number}\n" for number in range(1, 21)]


def comment(
    line: int = 2, path: str = "shop.py", start: int | None = None, text: str = "Why?"
) -> InlineComment:
    return InlineComment(path, "RIGHT", line, start, text, "f1")


def post(client: Client, head: str, *comments: InlineComment) -> int:
    """Post a review on pull request 1; gives its id."""
    return client.create_review(1, head, "A review.", "COMMENT", comments).id


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def _hosted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hosted")
    repo = GitRepo(folder / "author")
    repo.commit({"shop.py": "".join(LINES), "old.py": "gone = 1\n", "README.md": "A shop.\n"})
    GitRepo(folder / "shop.git", "--bare")
    repo.git("remote", "add", "origin", "../shop.git")
    repo.git("switch", "--quiet", "-c", "feature")
    (repo.folder / "old.py").unlink()
    changed = [*LINES]
    changed[1], changed[17] = "line_2 = 22\n", "line_18 = 1818\n"
    repo.commit({"shop.py": "".join(changed), "new.py": "fresh = 1\nfresher = 2\n"})
    repo.git("push", "--quiet", "origin", "main", "feature", "feature:refs/forks/eve/feature")
    return folder


@pytest.fixture
def author(_hosted: Path, tmp_path: Path) -> GitRepo:
    """The repository in which the pull request's author works; its remote `origin` is what GitHub has.

    `main` has `shop.py` with 20 lines; the branch `feature` changes its lines 2 and 18, deletes `old.py`
    and adds `new.py`.
    """
    shutil.copytree(_hosted, tmp_path, dirs_exist_ok=True)
    return GitRepo(tmp_path / "author")


@pytest.fixture
def fake(author: GitRepo, tmp_path: Path, clock: Clock) -> Iterator[FakeGithub]:
    """GitHub, with that as pull request 1 by somebody with write access.

    Every request that it took is held against GitHub's own description of what it takes.
    """
    with FakeGithub(tmp_path / "shop.git", clock=clock) as fake:
        fake.state.people |= {"bob": "write", "eve": "read"}
        fake.state.open_pull("feature", author="bob")
        yield fake
    taken = [sent for sent in fake.sent if 200 <= sent.status < 300]
    assert [wrong for sent in taken if (wrong := faults(sent.method, sent.path, sent.data))] == []


@pytest.fixture
def client(fake: FakeGithub, clock: Clock) -> Client:
    """A client with the token of a job, whose patience is on the fake's clock."""
    return connect(fake.connection(patience=Patience(120.0, clock, clock.sleep)))
