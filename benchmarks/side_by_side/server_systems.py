"""The servers that are compared: how each is started, asked whether it is well, and killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.peers import peer
from benchmarks.server import SECRET, Github
from benchmarks.side_by_side import server_github

PR_AGENT = "0.49.0"

#: What it asks GitHub for: to import it is to have it.
ENDPOINTS = server_github

ROOT = Path(__file__).parents[2]

#: Seconds in which a server has to be up.
UP = 90.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: a folder of its own, its GitHub, its database, and an endpoint for its model."""

    folder: Path
    hub: Github
    database: str
    model: str


@dataclass(frozen=True, slots=True)
class System:
    """One of the servers. `command` and `environ` are of one of its processes, by its number and port."""

    name: str
    command: Callable[[Place, int, int], list[str]]
    environ: Callable[[Place, int], Mapping[str, str]]
    database: Literal["", "sqlite", "postgresql"] = ""
    processes: int = 1
    webhook: str = "/webhook"
    health: str = "/healthz"

    @property
    def ours(self) -> bool:
        return bool(self.database)


@dataclass(slots=True)
class Serving:
    """The running processes of one system."""

    system: System
    place: Place
    ports: list[int] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Serving:
        for nth in range(self.system.processes):
            self.ports.append(_free_port())
            self.processes.append(self._started(nth))
        return self

    def __exit__(self, *_: object) -> None:
        for nth in range(len(self.processes)):
            self.kill(nth)

    def kill(self, nth: int) -> None:
        """End a process with all that it started, as when its machine stops."""
        with suppress(ProcessLookupError):
            os.killpg(self.processes[nth].pid, signal.SIGKILL)
        self.processes[nth].wait()

    def start_again(self, nth: int) -> None:
        self.processes[nth] = self._started(nth)

    def wait_until_well(self, *, all_of_them: bool = True) -> None:
        """Until the processes, or one of them, say that they are well."""
        until = time.monotonic() + UP
        while True:
            well = [self._is_well(port) for port in self.ports]
            if all(well) if all_of_them else any(well):
                return
            assert time.monotonic() < until, f"{self.system.name} does not come up: {self.said()[-2000:]}"
            time.sleep(0.02)

    def said(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.place.folder.glob("log-*"))

    def _is_well(self, port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{self.system.health}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _started(self, nth: int) -> subprocess.Popen[bytes]:
        port = self.ports[nth]
        with (self.place.folder / f"log-{nth}").open("ab") as log:
            return subprocess.Popen(
                self.system.command(self.place, nth, port),
                env={**self.place.hub.environ, **self.system.environ(self.place, port)},
                cwd=self.place.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def pytest_moa(database: Literal["sqlite", "postgresql"], processes: int) -> System:
    def command(place: Place, nth: int, port: int) -> list[str]:
        return [
            str(Path(sys.executable).with_name("review-bot")), "serve", "--port", str(port),
            "--database", place.database, "--data", str(place.folder / f"data-{nth}"),
            "--config", str(place.folder / "operator.toml"),
        ]  # fmt: skip

    where = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database]
    name = f"pytest-moa, {where}, {processes} process{'es' if processes > 1 else ''}"
    return System(name, command, lambda _place, _port: {}, database, processes)


def pr_agent() -> System:
    """Its server as a GitHub App's, with what it needs to run offline. It has a user's token instead of an
    App's, which spares it a request for each delivery; all else is as it comes, except one command for three.
    """
    python = peer("pr-agent-app", f"pr-agent[github]=={PR_AGENT}", oldest=(3, 12))
    (tokenizers,) = python.parents[1].glob("lib/*/site-packages/litellm/litellm_core_utils/tokenizers")

    def environ(place: Place, port: int) -> Mapping[str, str]:
        return {
            "PORT": str(port),
            "GITHUB__BASE_URL": place.hub.fake.url,
            "GITHUB_APP__OVERRIDE_DEPLOYMENT_TYPE": "false",
            "GITHUB__DEPLOYMENT_TYPE": "user",
            "GITHUB__USER_TOKEN": "job-token",
            "GITHUB__WEBHOOK_SECRET": SECRET,
            "GITHUB_APP__PR_COMMANDS": '["/review"]',
            "OPENAI__KEY": "none",
            "OPENAI__API_BASE": place.model,
            "CONFIG__MODEL": "openai/pr-agent",
            "CONFIG__FALLBACK_MODELS": "[]",
            "CONFIG__CUSTOM_MODEL_MAX_TOKENS": "32000",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "TIKTOKEN_CACHE_DIR": str(tokenizers),
        }

    return System(
        f"pr-agent {PR_AGENT}",
        lambda _place, _nth, _port: [str(python), "-m", "pr_agent.servers.github_app"],
        environ,
        webhook="/api/v1/github_webhooks",
        health="/",
    )


def limit(kind: Literal["memory", "sqlite"]) -> System:
    names = {
        "memory": "limit: Starlette, a queue in memory",
        "sqlite": "limit: Starlette, a commit to SQLite for each",
    }
    module = "benchmarks.side_by_side.server_limits"

    def command(place: Place, _nth: int, port: int) -> list[str]:
        return [sys.executable, "-m", module, kind, str(port), str(place.folder)]

    return System(names[kind], command, lambda _place, _port: {"PYTHONPATH": str(ROOT)})


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
