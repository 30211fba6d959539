"""What tests of the queue share: deliveries put down, processes that work, and what came of it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select

from moa_engine.errors import MoaError
from review_bot.github.event import Said, Target
from review_bot.server.child import Start, Work
from review_bot.server.database import Database, deliveries, executors, jobs
from review_bot.server.serving import Working
from review_bot.server.settings import ServerSettings

STAND_IN = [sys.executable, str(Path(__file__).with_name("stand_in.py"))]

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Token:
    text: str
    expires: float


class Tokens:
    """Tokens that say what was asked for; none for the installation 13."""

    def token_for(self, job: Work, refused: str) -> Token:
        if job.installation == 13:
            raise MoaError("the installation is suspended", hint="Its owner resumes it.")
        return Token(f"ghs_{job.installation}_{job.repository}_{refused}", 12.5)


@dataclass
class Place:
    """A database, a queue and a folder for the notes of the stand-in."""

    url: str
    folder: Path
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.database = Database.open(self.url)

    @property
    def queue_url(self) -> str:
        return self.url if self.url.startswith("postgresql") else f"sqlite:///{self.folder / 'queue.sqlite'}"

    def working(self, **settings: Any) -> Working:
        """The working side, in this process."""
        start = Start(STAND_IN, lambda _: {"folder": str(self.folder)}, self.folder / "scratch", 0)
        settings = {"repositories": ["*"], "silent_seconds": 60.0, **settings}
        return Working(
            self.database, self.queue_url, ServerSettings(**settings), start, Tokens(), self.say, start
        )

    def say(self, text: str) -> None:
        with (self.folder / "said").open("a") as file:
            file.write(text + "\n")

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def push(self, head: str, number: int = 1, *, action: str = "synchronize", **more: Any) -> str:
        """Deliver a push; the id of the delivery."""
        target = Target(
            "shop/cart", number, "pull_request", action=action, head=head, again=more.pop("again", False)
        )
        return self._deliver(target, **more)

    def comment(self, body: str, number: int = 1, *, id: int | None = None, **more: Any) -> str:
        said = Said(id or next(_NUMBERS), "ann", body)
        return self._deliver(Target("shop/cart", number, "issue_comment", said, "created"), **more)

    def _deliver(self, target: Target, installation: int = 7) -> str:
        number = next(_NUMBERS)
        with self.database.writing() as connection:
            connection.execute(
                insert(deliveries).values(
                    id=f"d{number}",
                    received=1e9 + number,
                    event=target.event,
                    repository=target.repository,
                    number=target.number,
                    installation=installation,
                    wish=target.to_json() | {"digest": f"{number:064x}"},
                    state="new",
                )
            )
        return f"d{number}"

    def delivery(self, id: str) -> Row[Any]:
        with self.database.reading() as connection:
            return connection.execute(select(deliveries).where(deliveries.c.id == id)).one()

    def jobs(self) -> dict[str, Row[Any]]:
        """The jobs in the order of their turns, by the part of their id behind the repository's name."""
        with self.database.reading() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.queued)).all()
        return {row.id.removeprefix("shop/cart"): row for row in rows}

    def states(self) -> dict[str, str]:
        return {id: row.state for id, row in self.jobs().items()}

    def executors(self) -> list[str]:
        with self.database.reading() as connection:
            return list(connection.scalars(select(executors.c.id)))

    def notes(self) -> list[tuple[str, str, int, str]]:
        """What the stand-ins wrote: begin or end, the job, their process, more."""
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [
            (what, id.removeprefix("shop/cart"), pid, more) for what, id, pid, more in map(json.loads, lines)
        ]

    def did(self, what: str) -> list[str]:
        return [id for noted, id, *_ in self.notes() if noted == what]

    def go(self) -> None:
        (self.folder / "go").touch()


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to be true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


class Process:
    """A process of its own that works."""

    def __init__(self, place: Place, **settings: Any) -> None:
        arguments = [place.url, str(place.folder), json.dumps(settings)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.review_bot.server.working", *arguments],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        """End it where a test did not."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


def main(url: str, folder: str, settings: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    given = json.loads(settings)
    grace = given.get("grace_seconds", 60.0)
    working = Place(url, Path(folder)).working(**given)
    working.start()
    print("ready", flush=True)
    stop.wait()
    working.stop(grace)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
