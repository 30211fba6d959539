"""What a queue's thread does with a job: has a process review it, and says what became of it.

The process is watched: it is stopped when the job is superseded, was taken over by another server, takes too
long, or this server leaves. When it crashes, or GitHub or the models fail it, it is tried again; what models
answered is kept, so that this costs time only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from review_bot.server import job_rows
from review_bot.server.child import Child, Start, Tokens, Work
from review_bot.server.database import Database, jobs, reason

ResultT = TypeVar("ResultT")

#: Exit codes of a review's process: reviewed (with or without findings, partial), and wrong settings.
_GOOD, _SETTINGS = (0, 1, 3), 2

#: Seconds between two looks at whether the job is still wanted.
_LOOK = 0.5

#: Seconds between tries to reach the database.
_DATABASE_PAUSE = 2.0

#: A job that was begun so often and never ended is one that ends its servers.
_BEGUN_TOO_OFTEN = 25

Say = Callable[[str], None]


class LeftForOthers(BaseException):
    """The job goes on later, somewhere else. No Exception: those would end the job in the queue."""


class _Superseded(Exception):
    """Nobody wants the job any more."""


class _Failed(Exception):
    """The job is not tried again; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a try may take, how many there are, and the seconds before the second, the third ... one."""

    seconds: float
    tries: int
    pauses: tuple[float, ...] = (2.0, 15.0, 60.0)


class Worker:
    """Works on jobs, each in a thread of whoever calls `work`."""

    def __init__(
        self,
        database: Database,
        start: Start,
        tokens: Tokens,
        limits: Limits,
        say: Say,
        table: Table = jobs,
    ) -> None:
        """`table` has the states of the jobs."""
        self._database = database
        self._table = table
        self._start = start
        self._tokens = tokens
        self._limits = limits
        self._say = say
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._running: set[str] = set()

    @property
    def running(self) -> int:
        """How many jobs are being worked on."""
        with self._lock:
            return len(self._running)

    def leave(self) -> None:
        """Stop all processes; their jobs are for others. No job is begun until `come_back`."""
        self._leaving.set()

    def come_back(self) -> None:
        """Begin jobs again."""
        self._leaving.clear()

    def work(self, job: Work, executor: str) -> None:
        """Do a job to its end.

        Raises:
            LeftForOthers: it was not brought to its end.
        """
        begun = self._surely(lambda: job_rows.begin(self._database, job.id, executor, self._table))
        if begun is None:
            return  # it ended before the queue knew
        with self._lock:
            self._running.add(job.id)
        try:
            self._say(f"{job.id}: begins")
            why = self._tried(job, executor, begun)
            self._surely(lambda: self._end(job, executor, "done", why))
            self._say(f"{job.id}: done{f', {why}' if why else ''}")
        except _Superseded:
            self._say(f"{job.id}: superseded")
        except _Failed as failed:
            why = str(failed)
            self._surely(lambda: self._end(job, executor, "failed", why))
            self._say(f"{job.id}: failed: {why}")
        except Exception as error:  # or it would be running for ever
            why = f"this is a fault in review-bot itself: {type(error).__name__}: {error}"
            self._surely(lambda: self._end(job, executor, "failed", why))
            self._say(f"{job.id}: {why}")
        finally:
            with self._lock:
                self._running.discard(job.id)

    def _end(self, job: Work, executor: str, state: Literal["done", "failed"], why: str) -> None:
        job_rows.end(self._database, job.id, executor, state, why, self._table)

    def _tried(self, job: Work, executor: str, begun: int) -> str:
        """Try it as often as is allowed; what is to be said of its success."""
        if begun > _BEGUN_TOO_OFTEN:
            raise _Failed(f"it was begun {begun - 1} times, and the server ended each time before it did")
        code, said, number = 0, "", 0
        for number in range(self._limits.tries):
            if number:
                self._say(f"{job.id}: is tried again, {said.splitlines()[-1] if said else f'after {code}'}")
                self._pause(job, executor, self._limits.pauses[min(number, len(self._limits.pauses)) - 1])
            code, said, result = self._one_try(job, executor)
            if code in _GOOD and result is not None:
                return str(result.get("why") or "")
            if code == _SETTINGS:
                break
        how = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with {code}"
        raise _Failed(f"{said or how} (tried {number + 1} times)" if number else said or how)

    def _one_try(self, job: Work, executor: str) -> tuple[int, str, Mapping[str, Any] | None]:
        def heard(told: Mapping[str, Any]) -> None:
            if "phase" in told:
                with suppress(SQLAlchemyError):  # it is for the page only
                    job_rows.tell(self._database, job.id, executor, told, self._table)

        child = Child(self._start, job, self._tokens, heard)
        until = time.monotonic() + self._limits.seconds
        try:
            while (code := child.ended(_LOOK)) is None:
                self._check(job, executor)
                if time.monotonic() > until:
                    raise _Failed(f"it took longer than {self._limits.seconds:.0f} s")
        except BaseException:
            child.stop()
            child.close()
            raise
        said = child.close()
        return code, said, child.result

    def _pause(self, job: Work, executor: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check(job, executor)
            self._leaving.wait(min(left, _LOOK))

    def _check(self, job: Work, executor: str) -> None:
        """Go on only while the job is wanted, and ours."""
        if self._leaving.is_set():
            raise LeftForOthers
        try:
            standing = job_rows.standing(self._database, job.id, executor, self._table)
        except SQLAlchemyError:
            return  # who cannot ask goes on; at the end it must be written
        if standing == "superseded":
            raise _Superseded
        if standing == "taken":
            raise LeftForOthers

    def _surely(self, write: Callable[[], ResultT]) -> ResultT:
        """Do what the job's state depends on, however long the database is away."""
        told = False
        while not self._leaving.is_set():
            try:
                return write()
            except SQLAlchemyError as error:
                if not told:
                    self._say(f"the database does not answer: {reason(error)}")
                told = True
                self._leaving.wait(_DATABASE_PAUSE)
        raise LeftForOthers
