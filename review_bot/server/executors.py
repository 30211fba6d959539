"""Who works: each process of the server has a row, and its heart beats in it. Jobs of the dead are resumed.

DBOS resumes the jobs of a process only when one of the same name starts. Here every start has a name of its
own, and the living look after the dead: whose heart was silent for long, who said that it leaves, and who
ran on this machine and is no more. One of them claims the row and lets the jobs be taken anew.

A process that was only paused (a suspended machine) finds its row claimed, and must stop its jobs at once.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from review_bot.server import job_rows
from review_bot.server.database import Database, bench_jobs, executors, reason
from review_bot.server.queue import ReviewQueue

Say = Callable[[str], None]

#: The beat of who has left.
_LEFT = 0.0

#: Beats at least in the time after which silence means death, and seconds between two at most.
_BEATS, _SLOWEST = 6, 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where processes see one another: one boot of one machine, and in it one container."""

    name: str

    @classmethod
    def here(cls) -> Place:
        """This one. Where it cannot be told apart from others it is nobody else's."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            inside = Path("/proc/self/ns/pid").stat().st_ino
        except OSError:
            return cls(f"{socket.gethostname()} {secrets.token_hex(8)}")
        return cls(f"{socket.gethostname()} {boot}:{inside}")

    def has(self, pid: int) -> bool:
        """Whether a process runs here; another one may have got its number."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class Executors:
    """This process among those that share the database."""

    def __init__(self, database: Database, queue: ReviewQueue, silent: float, say: Say) -> None:
        self._database = database
        self._queue = queue
        self._silent = silent
        self._say = say
        self._place = Place.here()
        self._name = ""
        self._beat = 0.0
        self._steady_since = 0.0

    def register(self) -> str:
        """Be alive from now on; the name under which jobs are taken."""
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        with self._database.writing() as connection:
            self._beat = self._steady_since = _now(connection)
            connection.execute(
                insert(executors).values(
                    id=self._name,
                    host=self._place.name,
                    pid=os.getpid(),
                    started=self._beat,
                    beat=self._beat,
                )
            )
        return self._name

    def leave(self) -> None:
        """Let whoever is next take what is left."""
        with self._database.writing() as connection:
            connection.execute(update(executors).where(executors.c.id == self._name).values(beat=_LEFT))

    def living(self, stop: threading.Event, lost: Callable[[], None]) -> None:
        """Beat and look after others until `stop`; `lost` is called when we were taken for dead."""
        told = False
        while not stop.is_set():
            try:
                if self.beat():
                    self.sweep()
                    self._queue.enqueue_benches()
                else:
                    lost()
                told = False
            except Exception as error:  # such as a database that is away: next time it may be back
                said = reason(error) if isinstance(error, SQLAlchemyError) else str(error)
                if not told:
                    self._say(f"looking after other processes failed: {said}")
                told = True
            stop.wait(min(self._silent / _BEATS, _SLOWEST))

    def beat(self) -> bool:
        """Say that we live; False when others took us for dead, and took our jobs."""
        with self._database.writing() as connection:
            now = _now(connection)
            ours = update(executors).where(executors.c.id == self._name, executors.c.beat == self._beat)
            if connection.execute(ours.values(beat=now)).rowcount == 0:
                return False
        if now - self._beat > self._silent / 2:  # a database that was away made all of us silent
            self._steady_since = now
        self._beat = now
        return True

    def sweep(self) -> int:
        """Let the jobs of dead processes be taken anew; how many processes were dead."""
        with self._database.reading() as connection:
            others = connection.execute(select(executors).where(executors.c.id != self._name)).all()
        dead = [other for other in others if self._is_dead(other) and self._claim(other)]
        for other in dead:
            self._queue.recover(other.id)
            with self._database.writing() as connection:
                given = job_rows.give_back(connection, other.id)
                given += job_rows.give_back(connection, other.id, bench_jobs)
                connection.execute(delete(executors).where(executors.c.id == other.id))
            if given:
                self._say(f"{other.id} is gone: its jobs ({given}) go on")
        if dead:
            self._queue.enqueue_missing()
        return len(dead)

    def _is_dead(self, other: Row[Any]) -> bool:
        if other.beat == _LEFT:
            return True
        if other.host == self._place.name and not self._place.has(other.pid):
            return True
        steady = self._beat - self._steady_since >= self._silent / 2
        return steady and self._beat - other.beat > self._silent

    def _claim(self, other: Row[Any]) -> bool:
        """Be the one that looks after it; if we die meanwhile it will be silent again."""
        with self._database.writing() as connection:
            seen = update(executors).where(executors.c.id == other.id, executors.c.beat == other.beat)
            return connection.execute(seen.values(beat=_now(connection))).rowcount == 1


def _now(connection: Connection) -> float:
    """The time, of one clock for all who share the database."""
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0.0)
    return time.time()
