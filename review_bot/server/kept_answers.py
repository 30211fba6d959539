"""Answers of models, kept in the database as they come: what was paid once is not paid again.

A run is killed with its process, and the next try may be on another machine, whose record knows nothing of
it. So each usable answer is in the database before the run goes on, and before a run what is kept for its
pull request is put into the local record, where the engine looks for answers anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from moa_engine.attempt import Attempt
from moa_engine.hookspecs import hookimpl
from moa_engine.member import PromptVersion
from review_bot.server.database import Database, jobs, kept_answers, reason
from review_bot.server.jobs import Job

if TYPE_CHECKING:
    from moa_engine.record import Record


class Answers:
    """A plug-in for one job's session. `say` gets what people should know.

    `related` are the jobs whose answers this one may use, its own aside.
    """

    def __init__(
        self, database: Database, id: str, related: ColumnElement[bool], say: Callable[[str], None]
    ) -> None:
        self._database = database
        self._dialect = postgresql if database.engine.dialect.name == "postgresql" else sqlite
        self._id = id
        self._related = related
        self._say = say
        self._record: Record | None = None
        self._known: set[str] = set()  #: keys of what is kept for this job and its relatives
        self._left: list[Attempt] = []  #: what the database did not take yet

    @hookimpl
    def moa_generation(self, attempt: Attempt) -> None:
        """Keep an answer; when this returns it is on the database's disk.

        One that comes out of this machine's record is kept, too: no other machine may know it.
        """
        if attempt.error_code:
            return
        if attempt.purpose == "cached":
            if self._record is None or attempt.key in self._known:
                return
            attempt = self._record.find(attempt.key) or attempt
        self._known.add(attempt.key)
        self._left.append(attempt)
        try:
            self._keep()
        except SQLAlchemyError as error:  # with the next answer or at the end, it is tried again
            self._say(f"an answer is not in the server's database yet: {reason(error)}")

    def restore(self, record: Record) -> int:
        """Put what is kept into the record, where it is not there; how many answers."""
        self._record = record
        found: dict[str, Attempt] = {}
        with self._database.reading() as connection:
            for row in connection.execute(self._usable()):
                found[row.key] = attempt_from(row.attempt)
        self._known |= found.keys()
        missing = [attempt for key, attempt in found.items() if record.find(key) is None]
        for attempt in missing:
            record.append(attempt)
        record.flush()
        return len(missing)

    def flush(self) -> None:
        """Keep what the database did not take when it came.

        Raises:
            SQLAlchemyError: it still does not take it.
        """
        self._keep()

    def _keep(self) -> None:
        rows = [
            {
                "job": self._id,
                "key": attempt.key,
                "generation": attempt.id,
                "attempt": attempt_json(attempt),
                "at": time.time(),
            }
            for attempt in self._left
        ]
        if rows:
            # A commit whose answer was lost may have landed.
            new = self._dialect.insert(kept_answers).on_conflict_do_nothing()
            with self._database.writing() as connection:
                connection.execute(new, rows)
            self._left.clear()

    def _usable(self) -> Select[Any]:
        """The answers of this job and its relatives, the newest last."""
        wanted = or_(kept_answers.c.job == self._id, self._related)
        return select(kept_answers.c.key, kept_answers.c.attempt).where(wanted).order_by(kept_answers.c.at)


class KeptAnswers(Answers):
    """For a job about a pull request: it may use the answers of all jobs of that."""

    def __init__(self, database: Database, job: Job, say: Callable[[str], None]) -> None:
        of_pull = select(jobs.c.id).where(jobs.c.repository == job.repository, jobs.c.number == job.number)
        super().__init__(database, job.id, kept_answers.c.job.in_(of_pull), say)

    def earlier(self, connection: Connection, run: str) -> tuple[int, float | None]:
        """Calls and cost of what this job's other runs were answered, before they were killed."""
        since = connection.scalar(select(jobs.c.queued).where(jobs.c.id == self._id)) or 0.0
        own = select(kept_answers.c.attempt).where(kept_answers.c.job == self._id)
        paid = [kept for kept in connection.scalars(own) if kept["run"] != run and kept["started"] >= since]
        known = [Decimal(kept["cost_usd"]) for kept in paid if kept["cost_usd"] is not None]
        return len(paid), float(sum(known)) if len(known) == len(paid) else None


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """An attempt as JSON without its prompt, which whoever asks again has too, and the raw answer."""
    fields = asdict(attempt)
    del fields["messages"], fields["raw"]
    cost = attempt.cost_usd
    return {**fields, "parameters": {}, "cost_usd": None if cost is None else str(cost)}


def attempt_from(data: dict[str, Any]) -> Attempt:
    """What `attempt_json` gave."""
    cost = data["cost_usd"]
    return Attempt(
        **{
            **data,
            "prompt": PromptVersion(**data["prompt"]),
            "cost_usd": None if cost is None else Decimal(cost),
            "messages": (),
            "raw": "",
        }
    )
