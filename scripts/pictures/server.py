"""A real `review-bot serve` in front of the tests' GitHub, on which people open pull requests."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.review_bot.commands import environment
from tests.review_bot.github.fake_apps import App
from tests.review_bot.github.fake_github import FakeGithub

REPOSITORY, PASSWORD = "ada/parcels", "sesame"


@dataclass
class Server:
    """The running server: where it is, and what it says."""

    process: subprocess.Popen[str]
    github: FakeGithub
    app: App
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait(self, words: str, count: int = 1, seconds: float = 120) -> str:
        """The first line with these words, as soon as there are so many of them."""
        end = time.monotonic() + seconds
        while len(found := [line for line in self.lines if words in line]) < count:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"the server does not say {words!r}:\n{''.join(self.lines)}")
            time.sleep(0.05)
        return found[0]

    @property
    def url(self) -> str:
        """Where its page is."""
        return self.wait("deliveries: ").split("deliveries: ")[1].partition("/webhook")[0]

    def deliver(self, number: int, action: str = "opened") -> None:
        """GitHub tells of a pull request."""
        pull = self.github.state.pulls[number]
        payload = {
            "action": action,
            "pull_request": {"number": number, "head": {"sha": self.github.state.head(pull)}},
            "repository": {"full_name": REPOSITORY},
        }
        status, body = self.app.deliver(f"{self.url}/webhook", "pull_request", payload)
        if status != 202:
            raise RuntimeError(f"a delivery was answered with {status}: {body}")


@contextmanager
def serving(github: FakeGithub, folder: Path, config: Path) -> Iterator[Server]:
    """The command in a process, on SQLite, as an App that is installed on the repository."""
    app = github.apps.create()
    github.apps.install(app)
    clean = environment(folder)
    kept = {name: text for name, text in clean.items() if not name.startswith(("GITHUB_", "GH_", "MOA_"))}
    ours = {
        "GITHUB_API_URL": github.url,
        "GITHUB_SERVER_URL": github.url,
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_APP_PRIVATE_KEY": app.private_key,
        "GITHUB_WEBHOOK_SECRET": app.webhook_secret,
        "MOA_PAGE_PASSWORD": PASSWORD,
    }
    command = [sys.executable, "-m", "review_bot", "serve", "--port", "0", "--config", str(config)]
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data")],
        cwd=folder, env={**kept, **ours}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Server(process, github, app)
    finally:
        process.terminate()
        process.wait(90)
