"""`review-bot serve --create-app`: by a browser's forms, from the page on loopback to GitHub and back."""

import json
import queue
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from moa_engine.errors import ConfigError
from review_bot.github.settings import GithubSettings
from review_bot.server.app_auth import AppAuth
from review_bot.server.credentials import AppCredentials, read_credentials
from review_bot.server.manifest import NewApp, create_app
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.server.forms import Form, submit


class Creation:
    """A command that waits for a browser."""

    def __init__(self, new: NewApp, folder: Path) -> None:
        self._said: queue.Queue[str] = queue.Queue()
        self.credentials: AppCredentials | None = None
        self._thread = threading.Thread(target=self._run, args=(new, folder), daemon=True)
        self._thread.start()
        self.home = self.said().removeprefix("open in a browser: ")

    def _run(self, new: NewApp, folder: Path) -> None:
        self.credentials = create_app(new, folder, self._said.put, port=0)

    def said(self) -> str:
        return self._said.get(timeout=10)

    def rest(self) -> list[str]:
        """What is said until the end."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        return [self._said.get_nowait() for _ in range(self._said.qsize())]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGithub]:
    GitRepo(tmp_path / "shop.git", "--bare")
    with FakeGithub(tmp_path / "shop.git") as fake:
        yield fake


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as browser:
        yield browser


def test_two_clicks_make_an_app_whose_secrets_are_kept(
    fake: FakeGithub, browser: httpx.Client, tmp_path: Path
) -> None:
    settings = GithubSettings(check_run=True)
    new = NewApp("https://moa.example.org/", "", fake.url, fake.url, settings)
    creation = Creation(new, tmp_path / "data")
    start = browser.get(creation.home)
    assert f"form-action {fake.url}" in start.headers["content-security-policy"]
    confirm = submit(browser, start)
    sent_back = submit(browser, confirm, name="Shop's <reviewer>")
    assert sent_back.status_code == 302
    end = browser.get(sent_back.headers["location"])
    assert end.status_code == 200
    assert "Shop&#x27;s &lt;reviewer&gt; is there" in end.text

    said = creation.rest()
    [app] = fake.apps.all.values()
    path = tmp_path / "data" / "app.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    credentials = read_credentials({}, tmp_path / "data")
    assert creation.credentials == credentials
    assert credentials == AppCredentials(str(app.id), app.private_key, (app.webhook_secret,))
    assert app.hook_url == "https://moa.example.org/webhook"
    assert app.events == ["pull_request", "issue_comment"]
    assert app.permissions == {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        "checks": "write",
        "issues": "read",
    }
    install = f"{fake.url}/apps/{app.slug}/installations/new"
    assert Form(end).links == [install]
    assert any(install in line for line in said)
    assert not any(secret in line for line in said for secret in (app.private_key, app.webhook_secret))

    fake.apps.install(app)
    assert AppAuth(credentials.app_id, credentials.private_key, fake.url).installation_of("ada/shop") == 1
    with pytest.raises(ConfigError, match="already"):
        create_app(new, tmp_path / "data", lambda _: None)


def test_an_organization_on_a_server_of_its_own(
    fake: FakeGithub, browser: httpx.Client, tmp_path: Path
) -> None:
    creation = Creation(NewApp("http://moa.internal:8080", "shops", fake.url, fake.url), tmp_path)
    start = browser.get(creation.home)
    assert urlsplit(Form(start).action).path == "/organizations/shops/settings/apps/new"
    assert json.loads(Form(start).fields["manifest"])["public"] is False
    sent_back = submit(browser, submit(browser, start))
    assert browser.get(sent_back.headers["location"]).status_code == 200
    creation.rest()
    [app] = fake.apps.all.values()
    assert (app.owner, app.name) == ("shops", "moa-review-shops")


def test_enterprise_servers_have_their_own_addresses() -> None:
    new = NewApp("https://moa.internal", "shops", "https://ghe.internal/", "https://ghe.internal/api/v3")
    assert new.form_url == "https://ghe.internal/organizations/shops/settings/apps/new"
    assert NewApp("https://moa.internal").form_url == "https://github.com/settings/apps/new"


def test_only_what_comes_back_from_the_page_that_was_opened_counts(
    fake: FakeGithub, browser: httpx.Client, tmp_path: Path
) -> None:
    creation = Creation(NewApp("https://moa.example.org", "", fake.url, fake.url), tmp_path)
    home = urlsplit(creation.home)
    for path in ("/", "/created?code=x&state=y", f"{home.path[:-1]}", f"{home.path}/other"):
        assert browser.get(f"http://{home.netloc}{path}").status_code == 404
    sent_back = submit(browser, submit(browser, browser.get(creation.home))).headers["location"]
    for wrong in (
        re.sub("state=.*", "state=guessed", sent_back),
        sent_back.partition("&state")[0],
        re.sub("code=[^&]*", "code=../../app", sent_back),
        f"{creation.home}/created",
    ):
        assert browser.get(wrong).status_code == 403
    assert not fake.count("POST /conversions$")

    unknown = browser.get(re.sub("code=[^&]*", "code=unknown", sent_back))
    assert unknown.status_code == 502
    assert Form(unknown).links == [creation.home]
    fake.break_next("POST /conversions$", 500)
    unclear = browser.get(sent_back)
    assert "delete it there" in unclear.text
    assert not (tmp_path / "app.json").exists()

    assert browser.get(sent_back).status_code == 200
    creation.rest()
    assert (tmp_path / "app.json").exists()


@pytest.mark.parametrize("url", ["", "moa.example.org", "ftp://moa.example.org", "https://a/?b=c"])
def test_where_github_finds_the_server_has_to_be_said(url: str) -> None:
    with pytest.raises(ConfigError, match="no URL") as error:
        NewApp(url)
    assert "--url https://" in error.value.hint


def test_a_port_that_is_taken_is_named(fake: FakeGithub, tmp_path: Path) -> None:
    port = urlsplit(fake.url).port
    assert port
    with pytest.raises(ConfigError, match=f"port {port} cannot be listened on"):
        create_app(NewApp("https://moa.example.org"), tmp_path, lambda _: None, port=port)
