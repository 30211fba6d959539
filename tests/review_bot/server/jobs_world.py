"""A pull request on the tests' GitHub, three models that review it, and a process that does the job."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from review_bot.github.event import Target
from review_bot.server.jobs import Job, comment_id, push_id
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.fake_model import app_token
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

SHOP = {f"shop/part_{number}.py": f"def part_{number}(x):\n    return x\n" for number in range(3)}
BROKEN = "def part_{0}(x):\n    return x * missing\n"
MODELS = ("one", "two", "three")

#: What the operator wrote: two models review, the third one aggregates.
CONFIG = """
layers = [["one", "two"]]
attempts = 1
aggregator = "three"
[review]
reviewers = []
[stragglers]
hedge = false
"""


def finding(number: int) -> dict[str, str]:
    """What models say of a broken part."""
    return {
        "path": f"shop/part_{number}.py",
        "quote": "return x * missing",
        "title": f"The name in part {number} is not defined",
        "body": "missing is nowhere defined, so that calling this raises a NameError.",
        "severity": "major",
        "category": "bug",
        "suggestion": "",
    }


def said(request: Any) -> str:
    """A model's answer: both mistakes, as far as it was shown them."""
    shown = json.dumps(request["messages"])
    found = [finding(number) for number in range(3) if f"shop/part_{number}.py" in shown]
    return json.dumps({"findings": found, "decisions": []})


def author_of(folder: Path) -> GitRepo:
    """A shop of three files; the branch `feature` has one mistake in each of the first two."""
    repo = GitRepo(folder / "author")
    repo.commit(SHOP)
    GitRepo(folder / "shop.git", "--bare")
    repo.git("remote", "add", "origin", str(folder / "shop.git"))
    repo.git("switch", "--quiet", "-c", "feature")
    repo.commit({f"shop/part_{number}.py": BROKEN.format(number) for number in range(2)})
    repo.git("push", "--quiet", "origin", "main", "feature")
    return repo


@dataclass
class World:
    """What is outside of the process: GitHub, the models, the operator's settings."""

    folder: Path
    author: GitRepo
    github: FakeGithub
    models: ScriptedEndpoint
    database: str
    answer: Callable[[Any], str | Scripted] = field(default=said)

    @property
    def config(self) -> Path:
        return self.folder / "operator.toml"

    def job(self, **more: Any) -> Job:
        """The job for what was pushed, or for what is `said`."""
        target = Target("ada/shop", 1, **{"event": "pull_request", "head": self.author.head(), **more})
        return Job(comment_id(target) if target.said else push_id(target), 1, target)

    def asked(self) -> list[str]:
        """The models that were asked, in order."""
        return [one.body["model"] for one in self.models.requests]

    def push(self, files: dict[str, str | bytes]) -> str:
        self.author.commit(files)
        self.author.git("push", "--quiet", "--force", "origin", "feature")
        return self.author.head()

    def check(self) -> None:
        """One review of the head, one comment for each mistake, one summary."""
        state, head = self.github.state, self.author.head()
        assert [one.commit_id for one in state.reviews.values()].count(head) == 1
        paths = sorted(one.path for one in state.comments.values())
        assert paths == ["shop/part_0.py", "shop/part_1.py"]
        [summary] = state.notes.values()
        assert head[:10] in summary.body


@contextmanager
def world_in(folder: Path, database: str) -> Iterator[World]:
    """All of it, for as long as it is used."""
    folder.mkdir(exist_ok=True)
    author = author_of(folder)
    with (
        FakeGithub(folder / "shop.git") as github,
        ScriptedEndpoint(lambda asked: world.answer(asked)) as models,
    ):
        github.state.people |= {"bob": "write", "eve": "read"}
        github.state.open_pull("feature", author="bob")
        world = World(folder, author, github, models, database)
        members = "".join(
            f'[members.{name}]\nmodel = "{name}"\nbase_url = "{models.base_url}"\n'
            "price = { input = 1.0, output = 10.0 }\n"
            for name in MODELS
        )
        world.config.write_text(CONFIG + members)
        yield world


class Child:
    """A running job, and the server's end of its socket."""

    def __init__(self, world: World, job: Job, machine: str = "a", **more: Any) -> None:
        self.world = world
        self.tokens: list[str] = []  #: what it asked for
        self.lines: list[dict[str, Any]] = []
        self.socket, theirs = socket.socketpair()
        clean = environment(world.folder, MOA_DEBUG="1", PYTHONPATH=str(Path(__file__).parents[3]))
        environ = {
            name: value for name, value in clean.items() if not name.startswith(("GITHUB_", "MOA_REC"))
        }
        del environ["MOA_REVIEW__PROVE"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.review_bot.server.quick_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[theirs.fileno()],
            cwd=world.folder,
            env=environ,
        )
        start = {
            "job": job.to_json(),
            "channel": theirs.fileno(),
            "database": world.database,
            "record": str(world.folder / f"{machine}.sqlite"),
            "config": str(world.config),
            "api_url": world.github.url,
            "server_url": world.github.url,
            "prove": False,
            **more,
        }
        theirs.close()
        assert self.process.stdin
        self.process.stdin.write(json.dumps(start))
        self.process.stdin.close()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._serve, self._hear)]
        for thread in self._threads:
            thread.start()

    def wait(self) -> int:
        """Its exit code."""
        code = self.process.wait(60)
        for thread in self._threads:
            thread.join(10)
        self.socket.close()
        assert self.process.stderr
        self.said = self.process.stderr.read()
        self.process.stderr.close()
        return code

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.process.pid, signal.SIGKILL)

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.lines[-1]["result"]
        return found

    def _serve(self) -> None:
        with suppress(OSError, ValueError), self.socket.makefile("rwb") as channel:
            while line := channel.readline():
                self.tokens.append(json.loads(line)["token"])
                text = f"ghs_{self.process.pid}x{len(self.tokens)}"
                self.world.github.state.tokens[text] = app_token()
                answer = {"token": text, "expires": time.time() + 3600.0}
                channel.write(json.dumps(answer).encode() + b"\n")
                channel.flush()

    def _hear(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            self.lines += map(json.loads, stream)


def done(world: World, job: Job, machine: str = "a", **more: Any) -> Child:
    """The job, done."""
    child = Child(world, job, machine, **more)
    assert child.wait() == 0, child.said
    return child
