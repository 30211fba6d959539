"""What a client is made of, and git with its token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.github.client import (
    Client,
    Connection,
    connect,
)
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo


def test_the_library_is_loaded_only_for_github(tmp_path: Path) -> None:
    code = (
        "import sys, review_bot.github.client, review_bot.github.model, review_bot.cli;"
        "sys.exit('github' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "shop"},
        {"repository": "ada/shop/../../user"},
        {"token": ""},
        {"token": "ghs_1\nX-Other: 1"},
        {"api_url": "api.github.com"},
    ],
)
def test_a_connection_that_cannot_be_is_a_setting_to_correct(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        connect(Connection(**{"repository": "ada/shop", "token": "x", **wrong}))  # type: ignore[arg-type]


def test_a_token_is_not_shown() -> None:
    assert "ghs_secret" not in repr(Connection("ada/shop", "ghs_secret"))


def fetch(repo: GitRepo, client: Client, *what: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**clean, **client.git_environment(clean)}
    command = ["git", "fetch", "--quiet", client.clone_url(), *what]
    done = subprocess.run(command, cwd=repo.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_git_fetches_with_the_token_from_the_environment_alone(
    fake: FakeGithub, client: Client, author: GitRepo, tmp_path: Path
) -> None:
    # As actions/checkout leaves it: a header of its own in the repository's settings.
    repo = GitRepo(tmp_path / "checkout")
    repo.git("config", f"http.{fake.url}/.extraheader", "AUTHORIZATION: basic b3RoZXI6dG9rZW4=")
    fetch(repo, client, "refs/pull/1/head")
    assert repo.git("rev-parse", "FETCH_HEAD").decode().strip() == author.head()
    kept = b"".join(path.read_bytes() for path in repo.folder.rglob("*") if path.is_file())
    assert b"job-token" not in kept
    assert "job-token" not in client.clone_url()


def test_git_fetches_a_head_that_was_pushed_away(client: Client, author: GitRepo, tmp_path: Path) -> None:
    old = author.head()
    author.git("commit", "--quiet", "--amend", "-m", "Other words")
    author.git("push", "--quiet", "--force", "origin", "feature")
    repo = GitRepo(tmp_path / "checkout")
    fetch(repo, client, old)
    assert repo.git("cat-file", "-t", old).strip() == b"commit"


def test_settings_that_come_by_environment_stay(client: Client) -> None:
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    more = client.git_environment(given)
    assert more["GIT_CONFIG_COUNT"] == "4"
    assert not set(more) & {"GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}
