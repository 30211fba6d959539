"""The whole server, killed at one point of its work, and started again.

A point is something that happens, such as "before POST reviews" or "after job commits INSERT run_records",
and its number among those that are called the same. All that happens is known: requests from the tests'
GitHub and from the models, commits from the server's processes (`instrumented`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from review_bot.server.database import Database, deliveries, jobs, kept_answers
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_apps import App
from tests.review_bot.github.fake_github import Sent
from tests.review_bot.server.jobs_world import MODELS, World, said, world_in

ROOT = Path(__file__).parents[3]
INSTRUMENTED = Path(__file__).parent / "instrumented"

#: What a killed server may do at most, in seconds.
LONGEST = 60.0

_SERVING = re.compile(r"deliveries: (http://\S+?)\)")


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill. `orphans`: only the server itself; its jobs' processes have to end by themselves."""

    what: str
    number: int = 1
    orphans: bool = False

    def __str__(self) -> str:
        how = " (jobs' processes left)" if self.orphans else ""
        return f"{self.what}{f' #{self.number}' if self.number > 1 else ''}{how}"


class Watcher:
    """Hears of everything that happens; kills the server when it is at the point."""

    def __init__(self, folder: Path, point: Point | None = None) -> None:
        self.point = point
        self.happened: Counter[str] = Counter()
        self.order: list[str] = []
        self.pids: list[int] = []  #: the server's first
        self.killed = threading.Event()
        self.path = folder / f"w{uuid.uuid4().hex[:8]}"
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        self.path.unlink()

    def at(self, what: str) -> bool:
        """Something happens; whether the server was killed for that."""
        with self._lock:
            if self.killed.is_set():
                return True
            self.happened[what] += 1
            self.order.append(what)
            point = self.point
            if point is None or (what, self.happened[what]) != (point.what, point.number):
                return False
            for pid in self.pids[:1] if point.orphans else self.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.killed.set()
            return True

    def github(self, phase: str, sent: Sent) -> None:
        """A watcher of the tests' GitHub: what is killed before it arrives does not arrive."""
        if self.at(f"{phase} {_named(sent)}") and phase == "before" and self.point and not self.point.orphans:
            raise ConnectionAbortedError

    def model(self, request: Any) -> str:
        """What a model answers."""
        self.at(f"before model {request['model']} answers")
        return said(request)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rwb") as stream:
            for line in stream:
                what = json.loads(line)
                if what.startswith("process "):
                    with self._lock:
                        self.pids.append(int(what.split()[1]))
                    killed = False
                else:
                    killed = self.at(what)
                if killed and not (self.point and self.point.orphans):
                    return  # it has no answer, in case that it is not quite dead
                stream.write(b"\n")
                stream.flush()


def _named(sent: Sent) -> str:
    """A request's name, without numbers and commits."""
    if sent.path == "/graphql":
        return f"GraphQL {'threads' if 'reviewThreads' in sent.data['query'] else 'viewer'}"
    path = re.sub(r"/repos/[^/]+/[^/]+|/[0-9a-f.]{40,}|\d+", "", sent.path).strip("/")
    return f"{sent.method} {re.sub('/+', '/', path) or 'repository'}"


class Server:
    """A running `review-bot serve`."""

    def __init__(self, world: World, app: App, watcher: Watcher) -> None:
        self.watcher = watcher
        world.github.watchers[:] = [watcher.github]
        world.answer = watcher.model
        clean = environment(world.folder, MOA_DEBUG="1", PYTHONPATH=f"{INSTRUMENTED}:{ROOT}")
        del clean["MOA_REVIEW__PROVE"]
        environ = {name: value for name, value in clean.items() if not name.startswith(("GITHUB_", "GH_"))}
        self.log = world.folder / "log"
        self._log = self.log.open("ab")
        self._from = self.log.stat().st_size
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "review_bot", "serve", "--port", "0"),
                *("--data", str(world.folder / "data"), "--config", str(world.config)),
                *("--database", world.database),
            ],
            cwd=world.folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=environ
            | {
                "WATCHED_BY": str(watcher.path),
                "GITHUB_API_URL": world.github.url,
                "GITHUB_SERVER_URL": world.github.url,
                "GITHUB_APP_ID": str(app.id),
                "GITHUB_APP_PRIVATE_KEY": app.private_key,
                "GITHUB_WEBHOOK_SECRET": app.webhook_secret,
            },
        )

    def url(self) -> str:
        """Where deliveries go, once it serves; "" when it was killed before."""
        until = time.monotonic() + LONGEST
        while not (found := _SERVING.search(self.said())):
            if self.process.poll() is not None:
                return ""
            assert time.monotonic() < until, self.said()
            time.sleep(0.02)
        return found[1]

    def said(self) -> str:
        return self.log.read_bytes()[self._from :].decode(errors="replace")

    def ended(self) -> None:
        """Wait until all of its processes are gone."""
        self.process.wait(LONGEST)
        until = time.monotonic() + LONGEST
        while any(map(_lives, self.watcher.pids)):
            assert time.monotonic() < until, f"still there: {self.watcher.pids}"
            time.sleep(0.01)

    def kill(self) -> None:
        for pid in [*self.watcher.pids, self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.ended()
        self._log.close()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def rows(database: Database, table: Any) -> list[Mapping[str, Any]]:
    with database.reading() as connection:
        return [row._mapping for row in connection.execute(select(table))]


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of one point. `why` is "" where all is as it should be."""

    point: Point | None
    reached: bool
    order: list[str]
    why: str = ""


def killed_at(world: World, point: Point | None) -> Killed:
    """Start a server, push, kill it at the point, start it again, and see what came of it all."""
    app = world.github.apps.create()
    world.github.apps.install(app)
    id = str(uuid.uuid4())
    database = Database.open(world.database)
    first = Watcher(world.folder, point)
    second = Watcher(world.folder)
    server = Server(world, app, first)
    try:
        answered = False
        if url := server.url():
            with suppress(OSError):
                status, _ = app.deliver(url, "pull_request", _payload(world), id=id)
                answered = status in (200, 202)
            first.at("after the delivery is answered")
            _until(lambda: first.killed.is_set() or _ended(database, id))
        first.at("after all is done")
        reached = first.killed.is_set()
        server.kill()
        kept = {row["attempt"]["member"] for row in rows(database, kept_answers)}
        asked = Counter(world.asked())
        durable = any(row["id"] == id for row in rows(database, deliveries))
        if answered and not durable:
            return Killed(point, reached, first.order, "the delivery was answered, and is lost")
        if point is not None:
            server = Server(world, app, second)
            url = server.url()
            if not durable:
                app.deliver(url, "pull_request", _payload(world), id=id)
            _until(lambda: _ended(database, id))
        why = "; ".join(_faults(world, database, id, kept, asked))
        return Killed(point, reached, first.order, why)
    except AssertionError as error:
        return Killed(point, first.killed.is_set(), first.order, f"{error} {server.said()[-1500:]}")
    finally:
        server.kill()
        first.close()
        second.close()
        database.close()


def _payload(world: World) -> dict[str, Any]:
    pull = world.github.state.show_pull(world.github.state.pulls[1])
    return {
        "action": "opened",
        "number": 1,
        "pull_request": pull,
        "repository": {"full_name": "ada/shop", "name": "shop", "owner": {"login": "ada"}},
        "sender": {"login": "bob", "type": "User"},
    }


def _ended(database: Database, id: str) -> bool:
    """Whether nothing is left to do: the delivery has its job, and no job is under way."""
    states = [row["state"] for row in rows(database, jobs)]
    new = [row for row in rows(database, deliveries) if row["state"] in ("new", "waiting")]
    return bool(states) and not new and not {*states} & {"queued", "running"}


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)


def _faults(world: World, database: Database, id: str, kept: set[str], asked: Counter[str]) -> Iterator[str]:
    state, head = world.github.state, world.author.head()
    reviews = [one for one in state.reviews.values() if one.commit_id == head]
    if len(reviews) != 1:
        yield f"{len(reviews)} reviews"
    paths = sorted(one.path for one in state.comments.values())
    if paths != ["shop/part_0.py", "shop/part_1.py"]:
        yield f"comments on {paths}"
    notes = [*state.notes.values()]
    if len(notes) != 1 or head[:10] not in notes[0].body:
        yield f"{len(notes)} summaries"
    for row in rows(database, jobs):
        if row["state"] != "done" or row["status"] != "complete":
            yield f"job {row['id']} is {row['state']} ({row['status']}): {row['why']}"
        elif row["calls"] != len(MODELS):
            yield f"the job says {row['calls']} calls"
    [delivery] = [row for row in rows(database, deliveries) if row["id"] == id]
    if delivery["state"] != "queued":
        yield f"the delivery is {delivery['state']}"
    again = Counter(world.asked()) - asked
    if twice := sorted(kept & again.keys()):
        yield f"paid twice: {', '.join(twice)}"
    if more := [name for name, count in again.items() if count > 1]:
        yield f"asked again and again: {more}"


#: How often at most the server is killed at points of one name. What is done again and again has no end.
_OFTEN = 2
_BEATS = {"executors": 1, "workflow_status": 4, "jobs": 4}


def points_of(order: Sequence[str]) -> list[Point]:
    """The points of a run that was not killed, by what happened in it."""
    found: list[Point] = []
    for what, count in Counter(order).items():
        most = next((n for name, n in _BEATS.items() if what.endswith(f"commits UPDATE {name}")), _OFTEN)
        found += [Point(what, number) for number in range(1, min(count, most) + 1)]
    orphans = [replace(point, orphans=True) for point in found if _of_a_job(point)]
    return found + orphans


def _of_a_job(point: Point) -> bool:
    """Whether a job's process does it that matters if it goes on."""
    name = point.what.partition(" ")[2]
    return name.startswith(("POST pulls", "POST issues", "model", "job commits INSERT"))


@contextmanager
def a_world(database: Callable[[Path], str]) -> Iterator[World]:
    """A world in a folder whose path is short enough for sockets, for a server that looks after jobs soon."""
    with (
        TemporaryDirectory(prefix="kill-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        world_in(Path(folder) / "w", database(Path(folder))) as world,
    ):
        settings = '[server]\nrepositories = ["ada/*"]\nsilent_seconds = 6\n'
        world.config.write_text(world.config.read_text() + settings)
        yield world


def sqlite_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'server.sqlite'}"
