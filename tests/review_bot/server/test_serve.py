"""The command `review-bot serve`: refuses what is not good, and from a delivery makes one review."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from review_bot.cli import main
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_apps import App
from tests.review_bot.server.jobs_world import BROKEN, World, world_in

#: Turns the operator's file into one whose first model needs a key.
KEY = "[members.one]\napi_key_env = 'NOT_SET'\n"
ALLOWED = '[server]\nrepositories = ["ada/*"]\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path / "world", "") as world:
        world.config.write_text(world.config.read_text() + ALLOWED)
        yield world


def surroundings(world: World, app: App, **more: str) -> dict[str, str]:
    """The environment of a server."""
    clean = environment(world.folder, PYTHONPATH=str(Path(__file__).parents[3]))
    kept = {name: value for name, value in clean.items() if not name.startswith(("GITHUB_", "GH_", "MOA_"))}
    ours = {
        "GITHUB_API_URL": world.github.url,
        "GITHUB_SERVER_URL": world.github.url,
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_APP_PRIVATE_KEY": app.private_key,
        "GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "MOA_PAGE_PASSWORD": "sesame",
    }
    return {**kept, **ours, **more}


class Server:
    """The command in a process, and all that it says."""

    def __init__(self, world: World, app: App, *arguments: str) -> None:
        command = [sys.executable, "-m", "review_bot", "serve", "--port", "0", "--config", str(world.config)]
        self.process = subprocess.Popen(
            [*command, "--data", str(world.folder / "data"), *arguments],
            cwd=world.folder, env=surroundings(world, app), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr
        with self.process.stderr:
            self.lines.extend(iter(self.process.stderr.readline, ""))  # as they come

    def line(self, *words: str, count: int = 1) -> str:
        """The first line that has these words in it, once there are so many."""
        until = time.monotonic() + 60
        while True:
            found = [line for line in self.lines if all(word in line for word in words)]
            if len(found) >= count:
                return found[0]
            assert time.monotonic() < until, "".join(self.lines)
            assert self.process.poll() is None or self._reading.is_alive(), "".join(self.lines)
            time.sleep(0.02)

    @property
    def url(self) -> str:
        return self.line("serving").split("deliveries: ")[1].removesuffix("/webhook)\n")

    def end(self, *signals: signal.Signals) -> int:
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reading.join()
        return code


def delivered(world: World, app: App, server: Server, action: str, **more: str) -> int:
    """GitHub's delivery of what was pushed; the status of the answer."""
    [installation] = world.github.apps.installations
    pull = {"number": 1, "head": {"sha": world.author.head()}}
    payload = {"action": action, "pull_request": pull, "repository": {"full_name": "ada/shop"}}
    return app.deliver(f"{server.url}/webhook", "pull_request", payload, installation=installation, **more)[0]


def test_from_deliveries_to_reviews_and_a_clean_end(world: World) -> None:
    app = world.github.apps.create()
    world.github.apps.install(app)
    server = Server(world, app)
    try:
        deliver = partial(delivered, world, app, server)
        for expected in ("member one: chat one", "repositories: ada/*", "proof: off", f"page: {server.url}/"):
            server.line(expected)

        # Delivered twice, it is one review; told of twice, too.
        assert deliver("opened", id="d" * 8) == 202
        assert deliver("opened", id="d" * 8) == 200
        assert deliver("labeled") == 202
        server.line(": done")
        world.check()
        assert {one.author for one in world.github.state.notes.values()} == {"moa-review[bot]"}

        # The next push, while the page is looked at.
        head = world.push({"shop/part_2.py": BROKEN.format(2)})
        assert deliver("synchronize") == 202
        server.line(head, ": done")
        assert [one.commit_id for one in world.github.state.reviews.values()].count(head) == 1
        password = base64.b64encode(b"ann:sesame").decode()
        with urlopen(Request(f"{server.url}/", headers={"Authorization": f"Basic {password}"})) as page:
            assert "ada/shop" in page.read().decode()
        with urlopen(f"{server.url}/healthz") as health:
            assert health.status == 200
    finally:
        code = server.end(signal.SIGTERM)
    assert code == 0
    assert server.lines[-1] == "review-bot: stopped\n"
    assert list((world.folder / "data" / "scratch").iterdir()) == []
    assert not [line for line in server.lines if "Traceback" in line]


def test_a_second_signal_ends_it_at_once_and_the_next_start_goes_on(world: World) -> None:
    app = world.github.apps.create()
    world.github.apps.install(app)
    asked, go = threading.Event(), threading.Event()
    said = world.answer

    def slow(request: Any) -> Any:
        asked.set()
        go.wait(60)
        return said(request)

    world.answer = slow
    server = Server(world, app)
    try:
        assert delivered(world, app, server, "opened") == 202
        assert asked.wait(60)
        server.process.send_signal(signal.SIGINT)
        server.line("stopping: waits up to 60 s for 1 reviews")
    finally:
        assert server.end(signal.SIGINT) == 128 + signal.SIGINT
    go.set()
    again = Server(world, app)
    try:
        again.line("its jobs (1) go on")
        again.line(": done")
    finally:
        assert again.end(signal.SIGTERM) == 0
    world.check()


@pytest.mark.parametrize(
    ("arguments", "environ", "config", "said"),
    [
        ([], {}, "", "whose pull requests are reviewed is not configured"),
        ([], {}, '[server]\nrepositories = ["ada"]\n', "'ada' is none of: owner/name, owner/* and *"),
        ([], {"GITHUB_WEBHOOK_SECRET": ""}, ALLOWED, "only part of the GitHub App: GITHUB_WEBHOOK_SECRET"),
        ([], {"GITHUB_APP_ID": "17"}, ALLOWED, "there is no GitHub App 17 at "),
        ([], {"GITHUB_APP_PRIVATE_KEY": "no key"}, ALLOWED, "private key of the GitHub App cannot be read"),
        (["--host", "no.such.host.invalid"], {}, ALLOWED, "no.such.host.invalid is no address"),
        (["--port", "TAKEN"], {}, ALLOWED, "cannot be listened on"),
        (["--jobs", "0"], {}, ALLOWED, "server.jobs"),
        (["--database", "mysql://x/y"], {}, ALLOWED, "databases of the kind mysql are not supported"),
        (["--database", "sqlite:////dev/null/x"], {}, ALLOWED, "/dev/null/x cannot be made"),
        (["--data", "/dev/null/x"], {}, ALLOWED, "the folder /dev/null/x cannot be made"),
        ([], {}, ALLOWED + KEY, "NOT_SET is not set"),
        (["--create-app"], {}, "", "is no URL that GitHub can send deliveries to"),
    ],
)
def test_what_is_not_good_is_refused_before_anything_starts(
    world: World,
    arguments: list[str],
    environ: dict[str, str],
    config: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = world.github.apps.create()
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in surroundings(world, app, **environ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(world.folder)
    text = world.config.read_text().replace(ALLOWED, config.removesuffix(KEY))
    world.config.write_text(text.replace("[members.one]\n", KEY) if config.endswith(KEY) else text)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = ["--port", "0", "--config", "operator.toml", "--data", "data", *arguments]
        code = main(["serve", *(port if one == "TAKEN" else one for one in given)])
    err = capsys.readouterr().err
    assert said in err.replace("\n", " ")
    assert code in (2, 4), err
    assert not (world.folder / "data" / "server-queue.sqlite").exists()
    assert app.private_key not in err
