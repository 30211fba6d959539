"""The whole server under GitHub's deliveries, while it reviews.

    python -m benchmarks.server load [--database postgresql] [--processes 2] [--rate 200] [--seconds 30]
    python -m benchmarks.server memory [--database postgresql] [--rate 200] [--seconds 10] [--rounds 8]

`review-bot serve` as a user starts it, on 30 pull requests of the tests' GitHub, whose reviews are made by
tools without models, two at a time in each process. Deliveries come from a process of its own (see
`deliverer.py`); ten seconds apart, new commits come to all pull requests. When the server has nothing to do
any more, each delivery is looked up: what was accepted has to be in exactly one final state, and GitHub has
to have exactly one review of each last commit and one answer to each command.

`memory` has the same load several times on one process, with rest in between, and gives its memory after each
round: what grows with what was delivered goes on growing, what is only being warmed up levels off.

Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.engine import percentiles
from review_bot.server.database import Database, deliveries, jobs
from tests.review_bot.github import fake_diff
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.server.postgresql import postgresql

PULLS = 30
SECRET = "It's a Secret to Everybody"

#: Seconds between two commits of a pull request.
BETWEEN_PUSHES = 10

#: What the operator wrote. Reviews are not limited: here, all come from one installation.
CONFIG = """
[review]
reviewers = ["ruff"]
[server]
repositories = ["ada/*"]
reviews_per_hour = 1000000
"""


@dataclass
class Github:
    """The tests' GitHub with the App on it, and the commits that are still to come to its pull requests."""

    fake: FakeGithub
    bare: Path
    commits: list[list[str]]  #: of each pull request, the oldest first
    environ: dict[str, str]

    def push(self, nth: int) -> None:
        """The nth commit comes to every pull request."""
        refs = [f"update refs/heads/feature-{n} {them[nth]}" for n, them in enumerate(self.commits, 1)]
        GitRepo(self.bare, "--bare").git("update-ref", "--stdin", stdin="\n".join(refs).encode() + b"\n")


@contextmanager
def github(folder: Path, pushes: int) -> Iterator[Github]:
    """It, with the first commits pushed."""
    author, bare = GitRepo(folder / "author"), folder / "shop.git"
    GitRepo(bare, "--bare")
    author.git("remote", "add", "origin", str(bare))
    author.commit({f"shop/part_{n}.py": "def part(x):\n    return x\n" for n in range(1, PULLS + 1)})
    commits = []
    for n in range(1, PULLS + 1):
        author.git("switch", "--quiet", "-c", f"feature-{n}", "main")
        path = f"shop/part_{n}.py"
        commits.append(
            [author.commit({path: f"def part(x):\n    return x * missing_{nth}\n"}) for nth in range(pushes)]
        )
    author.git("push", "--quiet", "origin", "--all")
    with FakeGithub(bare) as fake:
        fake.state.people["bob"] = "write"
        app = fake.apps.create()
        installation = fake.apps.install(app)
        assert installation.id == 1
        fake.limits.content_per_minute = fake.limits.content_per_hour = 10**9
        fake.limits.points_per_minute = fake.limits.requests_per_hour = 10**9
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("MOA_", "GITHUB_"))
        }
        environ |= {
            "GITHUB_API_URL": fake.url,
            "GITHUB_SERVER_URL": fake.url,
            "GITHUB_APP_ID": str(app.id),
            "GITHUB_APP_PRIVATE_KEY": app.private_key,
            "GITHUB_WEBHOOK_SECRET": SECRET,
            "MOA_PAGE_PASSWORD": "page",
        }
        found = Github(fake, bare, commits, environ)
        found.push(0)
        for n in range(1, PULLS + 1):
            fake.state.open_pull(f"feature-{n}", author="bob")
        yield found


@dataclass
class Server:
    """A running `review-bot serve`, and its memory each second."""

    process: subprocess.Popen[str]
    port: int
    memory_mb: list[float] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Of the process itself, without the reviews' processes."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    def look(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found
        self.memory_mb.append(round(int(found[1]) / 1024, 1))


@contextmanager
def serving(folder: Path, name: str, database: str, environ: dict[str, str]) -> Iterator[Server]:
    """`review-bot serve`, until the end of the block."""
    (folder / "operator.toml").write_text(CONFIG)
    command = [
        str(Path(sys.executable).with_name("review-bot")), "serve", "--port", "0", "--database", database,
        "--data", str(folder / name), "--config", str(folder / "operator.toml"),
    ]  # fmt: skip
    log = (folder / f"{name}.log").open("w+")
    with log, subprocess.Popen(command, cwd=folder, env=environ, stderr=log, text=True) as process:
        try:
            yield Server(process, _port(process, folder / f"{name}.log"))
        finally:
            process.terminate()
            process.wait(120)


def _port(process: subprocess.Popen[str], log: Path) -> int:
    while not (found := re.search(r"serving .* at http://127.0.0.1:(\d+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    return int(found[1])


def load(kind: str, processes: int, rate: int, seconds: int) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moa-load-")))
        pushes = 1 + (seconds - 1) // BETWEEN_PUSHES
        hub = stack.enter_context(github(folder, pushes))
        url = f"sqlite:///{folder}/server.sqlite"
        if kind == "postgresql":
            url = stack.enter_context(postgresql())()
        servers = [
            stack.enter_context(serving(folder, f"server-{n}", url, hub.environ)) for n in range(processes)
        ]
        database = Database.open(url)
        stack.callback(database.close)
        plan = {
            "ports": [server.port for server in servers], "secret": SECRET, "repository": "ada/shop",
            "installation": 1, "pulls": PULLS, "rate": rate, "seconds": seconds, "seed": 1,
        }  # fmt: skip
        cpu = [server.cpu_seconds() for server in servers]
        answers = delivered(plan, hub, servers, pushes)
        during = [
            round(server.cpu_seconds() - before, 1) for server, before in zip(servers, cpu, strict=True)
        ]
        done_during = _jobs_ended(database)
        rest = wait_for_the_end(database, servers)
        third = len(answers) // 3
        return {
            "what": f"{rate} deliveries a second for {seconds} s, while reviews are made",
            "database": kind,
            "processes": processes,
            "answered in s": percentiles([seconds for *_, seconds in answers])
            | {"max": round(max(seconds for *_, seconds in answers), 4)},
            "p99 of each third": [
                percentiles([seconds for *_, seconds in answers[at * third : (at + 1) * third]])["p99"]
                for at in range(3)
            ],
            "goal": {"p99": 0.25},
            "answers": dict(Counter(f"{kind}: {status} {state}" for kind, _, status, state, _ in answers)),
            **_accounted(database, answers),
            **_on_github(hub, answers),
            "jobs ended during the load": done_during,
            "worked on the rest for s": rest,
            "cpu of the server during the load, s": during,
            "memory of the server in MB": [_memory(server.memory_mb, seconds) for server in servers],
        }


def delivered(
    plan: dict[str, Any], hub: Github, servers: list[Server], pushes: int
) -> list[tuple[str, str, int, str, float]]:
    """Deliver according to plan; the answers."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.deliverer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        json.dump(plan, process.stdin)
        process.stdin.close()
        process.stdout.readline()  # it begins
        timers = [threading.Timer(BETWEEN_PUSHES * nth, hub.push, (nth,)) for nth in range(1, pushes)]
        for timer in timers:
            timer.start()
        until = time.monotonic() + plan["seconds"]
        while time.monotonic() < until:
            for server in servers:
                server.look()
            time.sleep(1)
        answers: list[tuple[str, str, int, str, float]] = json.loads(process.stdout.read())["answers"]
        for timer in timers:
            timer.join()
    return answers


def _jobs_ended(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(jobs.c.finished.is_not(None))) or 0


def wait_for_the_end(database: Database, servers: list[Server]) -> float:
    """Until nothing is to be done any more."""
    start = time.monotonic()
    while True:
        for server in servers:
            server.look()
        with database.reading() as connection:
            left = connection.scalar(
                select(func.count()).where(deliveries.c.state.in_(("new", "waiting")))
            ) or connection.scalar(select(func.count()).where(jobs.c.state.in_(("queued", "running"))))
        if not left:
            return round(time.monotonic() - start, 1)
        assert time.monotonic() < start + 900, f"{left} are still to be done"
        time.sleep(1)


def _accounted(database: Database, answers: list[tuple[str, str, int, str, float]]) -> dict[str, Any]:
    """Where each delivery that was accepted has ended."""
    accepted = {id for _, id, status, _, _ in answers if status == 202}
    seen = {id for _, id, status, state, _ in answers if state == "seen"}
    with database.reading() as connection:
        rows = connection.execute(select(deliveries.c.id, deliveries.c.state, deliveries.c.job)).all()
        ended = {row.id: row.state for row in connection.execute(select(jobs.c.id, jobs.c.state)).all()}
        attempts = Counter(connection.scalars(select(jobs.c.attempts).where(jobs.c.state == "done")).all())
    finals = {row.id: ended[row.job] if row.state == "queued" else row.state for row in rows}
    return {
        "accepted": len(accepted),
        "without a row, or a row without an answer": len(accepted ^ finals.keys())
        + len(seen - finals.keys()),
        "final states": dict(Counter(finals.values())),
        "jobs": dict(Counter(ended.values())),
        "attempts of jobs that are done": {str(key): value for key, value in attempts.items()},
    }


def _on_github(hub: Github, answers: list[tuple[str, str, int, str, float]]) -> dict[str, Any]:
    """What was posted."""
    reviewed = Counter((one.number, one.commit_id) for one in hub.fake.state.reviews.values())
    last = [(n, them[-1]) for n, them in enumerate(hub.commits, 1)]
    assert [fake_diff.commit(hub.bare, f"refs/heads/feature-{n}") for n, _ in last] == [
        sha for _, sha in last
    ]
    told = Counter(
        found[1]
        for note in hub.fake.state.notes.values()
        if (found := re.search(r"<!-- pytest-moa answers (\d+) -->", note.body))
    )
    return {
        "pull requests": PULLS,
        "reviews": sum(reviewed.values()),
        "commits with more than one review": sum(count > 1 for count in reviewed.values()),
        "last commits with one review": sum(reviewed[one] == 1 for one in last),
        "commands": sum(kind == "command" and status == 202 for kind, _, status, _, _ in answers),
        "commands with one answer": sum(count == 1 for count in told.values()),
    }


def _memory(samples: list[float], seconds: int) -> dict[str, float]:
    return {"start": samples[0], "middle": samples[seconds // 2], "end of the load": samples[seconds - 1],
            "at last": samples[-1], "most": max(samples)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("load", "memory"))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--processes", type=int, default=1, help="on PostgreSQL, that many servers share the work"
    )
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, help="30 of load, 10 of each round")
    parser.add_argument("--rounds", type=int, default=8)
    args = parser.parse_args()
    start = time.perf_counter()
    if args.what == "memory":
        from benchmarks.server_memory import memory

        result = memory(args.database, args.rate, args.seconds or 10, args.rounds)
    else:
        result = load(args.database, args.processes, args.rate, args.seconds or 30)
    print(json.dumps({**result, "took_s": round(time.perf_counter() - start, 1)}, indent=2))


if __name__ == "__main__":
    main()
