"""As a GitHub App: tokens for one repository that may little, and what is said when there are none."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from moa_engine.errors import ConfigError
from review_bot.github.client import Connection, LimitReached, Refused, Unreachable, connect
from review_bot.github.settings import GithubSettings
from review_bot.server.app_auth import AppAuth, permissions
from tests.review_bot.github.fake_apps import App, Installation, new_key
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.github.request_bodies import faults
from tests.review_bot.gitrepo import GitRepo

REPOSITORY = "ada/shop"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(tmp_path: Path, clock: Clock) -> Iterator[FakeGithub]:
    author = GitRepo(tmp_path / "author")
    author.commit({"shop.py": "a = 1\n"})
    GitRepo(tmp_path / "shop.git", "--bare")
    author.git("push", "--quiet", str(tmp_path / "shop.git"), "main")
    with FakeGithub(tmp_path / "shop.git", REPOSITORY, clock) as fake:
        yield fake


@pytest.fixture
def app(fake: FakeGithub) -> App:
    return fake.apps.create()


@pytest.fixture
def installation(fake: FakeGithub, app: App) -> Installation:
    return fake.apps.install(app)


@pytest.fixture
def auth(fake: FakeGithub, app: App, clock: Clock) -> AppAuth:
    return AppAuth(str(app.id), app.private_key, fake.url, clock=clock, sleep=clock.sleep)


def test_an_app_knows_its_name_and_where_it_is_installed(auth: AppAuth, installation: Installation) -> None:
    assert auth.viewer() == "moa-review[bot]"
    assert auth.installation_of(REPOSITORY) == installation.id
    with pytest.raises(Refused, match="not installed on ada/other") as refused:
        auth.installation_of("ada/other")
    assert refused.value.status == 404
    assert "Install" in refused.value.hint


@pytest.mark.parametrize("stateless", [False, True])
def test_a_token_is_for_one_repository_and_may_the_least(
    auth: AppAuth, fake: FakeGithub, installation: Installation, stateless: bool
) -> None:
    fake.apps.stateless = stateless
    installation.repositories = (REPOSITORY, "ada/secret")
    token = auth.installation_token(installation.id, REPOSITORY)
    shape = rf"ghs_{installation.app.id}_[\w-]+\.[\w-]+\.[\w-]+" if stateless else r"ghs_\w{36}"
    assert re.fullmatch(shape, token.text)
    assert token.text not in repr(token)
    asked = [sent for sent in fake.sent if sent.method == "POST"]
    assert [sent.data for sent in asked] == [
        {
            "repositories": ["shop"],
            "permissions": {"metadata": "read", "contents": "read", "pull_requests": "write"},
        }
    ]
    assert [faults(sent.method, sent.path, sent.data) for sent in asked] == [[]]

    client = connect(Connection(REPOSITORY, token.text, fake.url, fake.url, between_writes=0.0))
    assert client.viewer() == "moa-review[bot]"
    assert client.contents("shop.py", "main") == b"a = 1\n"


def test_what_the_settings_ask_for_is_asked_of_github() -> None:
    assert permissions(GithubSettings()).keys() == {"metadata", "contents", "pull_requests"}
    both = permissions(GithubSettings(check_run=True, code_scanning=True))
    assert (both["checks"], both["security_events"]) == ("write", "write")


def test_a_token_is_used_until_shortly_before_it_expires(
    auth: AppAuth, fake: FakeGithub, installation: Installation, clock: Clock
) -> None:
    first = auth.installation_token(installation.id, REPOSITORY)
    clock.now += 3000
    assert auth.installation_token(installation.id, REPOSITORY) == first
    clock.now += 500
    second = auth.installation_token(installation.id, REPOSITORY)
    assert second.text != first.text
    assert second.expires - clock.now > 3500
    clock.now += 200
    for token, works in ((first, False), (second, True)):
        client = connect(Connection(REPOSITORY, token.text, fake.url, fake.url))
        if works:
            client.viewer()
        else:
            with pytest.raises(Refused, match="401"):
                client.viewer()


def test_a_token_that_github_refuses_is_replaced_once(
    auth: AppAuth, fake: FakeGithub, installation: Installation
) -> None:
    first = auth.installation_token(installation.id, REPOSITORY)
    refused = sha256(first.text.encode()).hexdigest()
    second = auth.installation_token(installation.id, REPOSITORY, refused=refused)
    assert second.text != first.text
    assert auth.installation_token(installation.id, REPOSITORY, refused=refused) == second
    assert fake.count("POST /access_tokens$") == 2


def test_how_long_a_token_lasts_does_not_depend_on_our_clock(
    fake: FakeGithub, app: App, installation: Installation, clock: Clock
) -> None:
    ours = Clock(now=clock.now - 40)
    auth = AppAuth(str(app.id), app.private_key, fake.url, clock=ours, sleep=ours.sleep)
    token = auth.installation_token(installation.id, REPOSITORY)
    assert abs(token.expires - (ours.now + 3600)) < 3


def test_threads_share_a_token(auth: AppAuth, fake: FakeGithub, installation: Installation) -> None:
    start = threading.Barrier(8)

    def get(_: int) -> str:
        start.wait()
        return auth.installation_token(installation.id, REPOSITORY).text

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(get, range(8)))) == 1
    assert fake.count("POST /access_tokens$") == 1


def test_github_is_asked_again_while_it_cannot_answer(
    auth: AppAuth, fake: FakeGithub, installation: Installation, clock: Clock
) -> None:
    fake.break_next("POST /access_tokens$", 502, times=2)
    fake.break_next("POST /access_tokens$", "reset")
    assert auth.installation_token(installation.id, REPOSITORY).text
    assert fake.count("POST /access_tokens$") == 4
    fake.break_next("GET /app$", 503, times=10)
    with pytest.raises(Unreachable):
        auth.viewer()
    clock.now += 3600
    fake.break_next("POST /access_tokens$", 429, headers={"retry-after": "3600"})
    with pytest.raises(LimitReached) as limit:
        auth.installation_token(installation.id, REPOSITORY)
    assert limit.value.seconds == 3600
    assert auth.installation_token(installation.id, REPOSITORY).text  # patience is not used up


def test_why_there_is_no_token_is_said(
    auth: AppAuth, fake: FakeGithub, app: App, installation: Installation, clock: Clock
) -> None:
    def refusal(auth: AppAuth = auth, id: int = installation.id, repository: str = REPOSITORY) -> str:
        with pytest.raises(Refused) as refused:
            auth.installation_token(id, repository)
        assert refused.value.hint
        assert "PRIVATE" not in str(refused.value)
        return str(refused.value)

    assert "there is no installation 77" in refusal(id=77)
    assert "does not have ada/other" in refusal(repository="ada/other")
    installation.suspended = True
    assert "suspended" in refusal()
    installation.suspended = False
    installation.permissions = {"contents": "read"}
    assert "pull_requests: write" in refusal()
    other_key = AppAuth(str(app.id), new_key(5), fake.url, clock=clock, sleep=clock.sleep)
    assert f"does not accept the private key of the GitHub App {app.id}" in refusal(other_key)
    nobody = AppAuth("42", app.private_key, fake.url, clock=clock, sleep=clock.sleep)
    assert "there is no GitHub App 42 at http://" in refusal(nobody)
    for ask in (nobody.viewer, lambda: nobody.installation_of(REPOSITORY)):
        with pytest.raises(Refused, match="no GitHub App 42"):
            ask()


@pytest.mark.parametrize(("seconds", "said"), [(900, "behind"), (-900, "ahead of")])
def test_a_clock_that_is_wrong_is_named(
    fake: FakeGithub, app: App, installation: Installation, clock: Clock, seconds: int, said: str
) -> None:
    clock.now = time.time() + seconds
    fake.apps.signing_clock = clock
    auth = AppAuth(str(app.id), app.private_key, fake.url)
    with pytest.raises(Refused, match=rf"clock is (89\d|90\d) s {said} GitHub's"):
        auth.installation_token(installation.id, REPOSITORY)


def test_a_key_that_is_none_is_said_before_anything_is_sent() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for key in ("", "abc", new_key()[:300], curve.decode()):
        with pytest.raises(ConfigError, match="private key"):
            AppAuth("1", key, "http://127.0.0.1:9")


def test_nobody_there_is_no_refusal(clock: Clock) -> None:
    auth = AppAuth("1", new_key(), "http://127.0.0.1:9", clock=clock, sleep=clock.sleep)
    with pytest.raises(Unreachable):
        auth.viewer()
