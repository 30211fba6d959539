"""Tokens of a job's repository, whatever became of it and of the App's installation since it was queued."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from review_bot.github.client import Refused
from review_bot.github.event import Target
from review_bot.server.app_auth import AppAuth
from review_bot.server.jobs import Job
from review_bot.server.tokens import InstallationTokens
from tests.review_bot.github.fake_apps import App
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGithub]:
    GitRepo(tmp_path / "shop.git", "--bare")
    with FakeGithub(tmp_path / "shop.git") as fake:
        yield fake


@pytest.fixture
def app(fake: FakeGithub) -> App:
    app = fake.apps.create()
    fake.apps.install(app)
    return app


@pytest.fixture
def tokens(fake: FakeGithub, app: App) -> InstallationTokens:
    return InstallationTokens(AppAuth(str(app.id), app.private_key, fake.url))


def job(installation: int = 1, repository: str = "ada/shop", repository_id: int = 1) -> Job:
    return Job("a job", installation, Target(repository, 1, head="0f", repository_id=repository_id))


def reinstall(fake: FakeGithub, app: App) -> None:
    again = fake.apps.install(app)
    assert again.id == 2
    del fake.apps.installations[1]


@pytest.mark.parametrize("installation", [0, 1])
def test_an_app_that_was_installed_anew_has_another_number(
    fake: FakeGithub, app: App, tokens: InstallationTokens, installation: int
) -> None:
    first = tokens.token_for(job(installation), "")
    assert tokens.token_for(job(installation), "") == first
    reinstall(fake, app)
    found = tokens.token_for(job(installation), sha256(first.text.encode()).hexdigest())
    assert fake.state.tokens[found.text].repositories == {"ada/shop"}
    lookups = fake.count("GET /installation$")
    assert tokens.token_for(job(0), "") == found
    assert fake.count("GET /installation$") == lookups  # the new number is remembered


def test_a_repository_that_was_renamed_has_its_tokens(fake: FakeGithub, tokens: InstallationTokens) -> None:
    fake.apps.installations[1].repositories = ("ada/store",)
    fake.state.repository = "ada/store"
    fake.state.former_names.add("ada/shop")
    for installation in (1, 0, 77):
        found = tokens.token_for(job(installation), "")
        assert fake.state.tokens[found.text].repositories == {"ada/store"}


def test_who_has_no_installation_is_asked_about_once(
    fake: FakeGithub, app: App, tokens: InstallationTokens
) -> None:
    fake.apps.installations[1].suspended = True
    with pytest.raises(Refused, match="installation 1 of the GitHub App is suspended"):
        tokens.token_for(job(), "")
    del fake.apps.installations[1]
    with pytest.raises(Refused, match="the GitHub App is not installed on ada/shop"):
        tokens.token_for(job(), "")
    assert fake.count("GET /installation$") == 2
    assert fake.count("POST /access_tokens$") == 2
