"""The whole server killed at one point of its work, started again, and looked at."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from review_bot.server.database import Database, deliveries, jobs, kept_answers
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_apps import App
from tests.review_bot.server.jobs_world import BROKEN, MODELS, SHOP, World, world_in
from tests.review_bot.server.kill_points import Point, Watcher

ROOT = Path(__file__).parents[3]
INSTRUMENTED = Path(__file__).parent / "instrumented"

#: What a killed server may do at most, in seconds.
LONGEST = 60.0

_SERVING = re.compile(r"deliveries: (http://\S+?)\)")


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
    log: str = ""  #: what both servers said


def killed_at(world: World, point: Point | None, *, later: bool = False) -> Killed:
    """Start a server, push, kill it at the point, start it again, and see what came of it all."""
    app = world.github.apps.create()
    world.github.apps.install(app)
    database = Database.open(world.database)
    first, second = Watcher(world.folder, point), Watcher(world.folder)
    server = Server(world, app, first)
    try:
        url = server.url()
        if later:
            first.armed = False
            _deliver(app, url, world, str(uuid.uuid4()))
            _until(lambda: _ended(database, 1))
            world.push({"shop/part_0.py": SHOP["shop/part_0.py"], "shop/part_2.py": BROKEN.format(2)})
            first.armed = True
        id = str(uuid.uuid4())
        pushes = 2 if later else 1
        answered = bool(url) and _deliver(app, url, world, id)
        if url:
            first.at("after the delivery is answered")
            _until(lambda: first.killed.is_set() or _ended(database, pushes))
            first.at("after all is done")
        reached = first.killed.is_set()
        server.kill()
        of_push = f"ada/shop#1@{world.author.head()}"
        kept = {
            row["attempt"]["member"] for row in rows(database, kept_answers) if row["job"].startswith(of_push)
        }
        asked = Counter(world.asked())
        durable = any(row["id"] == id for row in rows(database, deliveries))
        if answered and not durable:
            return Killed(point, reached, first.order, "the delivery was answered, and is lost")
        if point is not None:
            server = Server(world, app, second)
            url = server.url()
            if not durable:
                _deliver(app, url, world, id)
            _until(lambda: _ended(database, pushes))
        why = "; ".join(_faults(world, database, kept, asked, later))
        return Killed(point, reached, first.order, why, server.log.read_text(errors="replace"))
    except AssertionError as error:
        log = server.log.read_text(errors="replace")
        return Killed(point, first.killed.is_set(), first.order, str(error) or repr(error), log)
    finally:
        server.kill()
        first.close()
        second.close()
        database.close()


def _deliver(app: App, url: str, world: World, id: str) -> bool:
    """Deliver the push; whether it was taken."""
    try:
        status, _ = app.deliver(url, "pull_request", _payload(world), id=id)
    except OSError:
        return False
    return status in (200, 202)


def _payload(world: World) -> dict[str, Any]:
    pull = world.github.state.show_pull(world.github.state.pulls[1])
    return {
        "action": "opened",
        "number": 1,
        "pull_request": pull,
        "repository": {"full_name": "ada/shop", "name": "shop", "owner": {"login": "ada"}},
        "sender": {"login": "bob", "type": "User"},
    }


def _ended(database: Database, pushes: int) -> bool:
    """Whether nothing is left to do: each push has its job, and no job is under way."""
    states = [row["state"] for row in rows(database, jobs)]
    new = [row for row in rows(database, deliveries) if row["state"] in ("new", "waiting")]
    return len(states) == pushes and not new and not {*states} & {"queued", "running"}


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.05)


def _faults(
    world: World, database: Database, kept: set[str], asked: Counter[str], later: bool
) -> Iterator[str]:
    state, head = world.github.state, world.author.head()
    reviews = [one for one in state.reviews.values() if one.commit_id == head]
    if len(reviews) != 1:
        yield f"{len(reviews)} reviews"
    comments = sorted((one.path, one.minimised) for one in state.comments.values())
    wanted = [("shop/part_0.py", "OUTDATED" if later else ""), ("shop/part_1.py", "")]
    if comments != wanted + ([("shop/part_2.py", "")] if later else []):
        yield f"comments on {comments}"
    notes = [*state.notes.values()]
    if len(notes) != 1 or head[:10] not in notes[0].body:
        yield f"{len(notes)} summaries"
    for row in rows(database, jobs):
        if row["state"] != "done" or row["status"] != "complete":
            yield f"job {row['id']} is {row['state']} ({row['status']}): {row['why']}"
        elif row["calls"] != len(MODELS):
            kept_in = Counter(one["attempt"]["run"] for one in rows(database, kept_answers))
            yield f"run {row['run']}: {row['calls']} calls, {row['cached']} cached; kept: {dict(kept_in)}"
    for row in rows(database, deliveries):
        if row["state"] != "queued":
            yield f"the delivery is {row['state']}"
    again = Counter(world.asked()) - asked
    if twice := sorted(kept & again.keys()):
        yield f"paid twice: {', '.join(twice)}"
    if more := [name for name, count in again.items() if count > 1]:
        yield f"asked again and again: {more}"


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
