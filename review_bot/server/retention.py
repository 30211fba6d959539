"""What has ended is deleted after `keep_days`: deliveries, jobs, runs, answers, and what the queue knows.

In small portions, so that nobody who writes waits for it, by one process at a time. Not what a job uses that
waits or runs, nor the last run of a pull request that is not known to be closed, with its jobs. The jobs of a
pull request go together, since the place and the id of a further one are counted from them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, and_, case, delete, exists, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from review_bot.server import job_rows, retired
from review_bot.server.database import (
    Database,
    bench_jobs,
    deliveries,
    jobs,
    kept_answers,
    reason,
    redelivered,
    run_records,
)
from review_bot.server.deliveries import CLOSED
from review_bot.server.job_rows import ENDED

#: Seconds between two looks, and between two portions.
_EVERY, _PAUSE = 3600.0, 0.2

#: Rows in a portion. Runs and answers are large.
_MANY, _SOME = 200, 20

_DAY = 86400.0

Say = Callable[[str], None]


class EndedJobs(Protocol):
    """The queue, as far as it is needed here."""

    def forget(self, before: float) -> int:
        """Delete what the queue knows of jobs that ended before that time; how many, at most some."""

    def forget_jobs(self, ids: Sequence[str]) -> None:
        """Delete what the queue knows of these."""


class Retention:
    """Deletes what is old. Several processes may have one."""

    def __init__(self, database: Database, queue: EndedJobs, days: float, say: Say) -> None:
        self._database = database
        self._queue = queue
        self._kept = days * _DAY
        self._say = say

    def retaining(self, stop: threading.Event) -> None:
        """Look now and then, until `stop`."""
        while not stop.is_set():
            try:
                for _ in self.portions(time.time()):
                    if stop.wait(_PAUSE):
                        return
            except Exception as error:  # the next time, then
                said = reason(error) if isinstance(error, SQLAlchemyError) else str(error)
                self._say(f"what is old cannot be deleted: {said}")
            stop.wait(_EVERY)

    def portions(self, now: float) -> Iterator[int]:
        """Delete what is old by then, a portion at each step; how many rows each was."""
        before = now - self._kept
        for portion in (
            self._runs, self._jobs, self._benches, self._answers, self._deliveries, self._redelivered
        ):  # fmt: skip
            while count := portion(before):
                yield count
        while count := self._queue.forget(before):
            yield count

    def _runs(self, before: float) -> int:
        """Runs that are not the last one of a pull request that may be open."""
        later = run_records.alias()
        newer = exists().where(_same_pull(later, run_records), later.c.started > run_records.c.started)
        old = select(run_records.c.run).where(run_records.c.started < before, newer | _closed(run_records))
        with self._alone() as connection:
            if connection is None:
                return 0
            ids = [*connection.scalars(old.order_by(run_records.c.started).limit(_SOME))]
            gone = delete(run_records).where(run_records.c.run.in_(ids)).returning(run_records.c.members)
            members = connection.scalars(gone).all() if ids else []
            retired.add_runs(connection, members)
        return len(ids)

    def _jobs(self, before: float) -> int:
        """All jobs of pull requests whose last one ended then, and which have no run left."""
        unended = func.sum(case((jobs.c.state.in_(ENDED), 0), else_=1))
        pull = (jobs.c.repository, jobs.c.number)
        old = select(*pull).group_by(*pull).having(unended == 0, func.max(jobs.c.finished) < before)
        old = old.where(~exists().where(_same_pull(run_records, jobs))).limit(_SOME)
        with self._alone() as connection:
            pulls = [] if connection is None else connection.execute(old).all()
            if connection is None or not pulls:
                return 0
            of_these = tuple_(*pull).in_([tuple(row) for row in pulls])
            self._queue.forget_jobs([*connection.scalars(select(jobs.c.id).where(of_these))])
            columns = (jobs.c.started, jobs.c.finished, jobs.c.cost)
            rows = connection.execute(delete(jobs).where(of_these).returning(*columns)).all()
            retired.add_jobs(connection, [(row.started, row.finished, row.cost) for row in rows])
        return len(rows)

    def _benches(self, before: float) -> int:
        old = select(bench_jobs.c.id).where(bench_jobs.c.finished < before).limit(_SOME)
        return self._deleted(bench_jobs.c.id, old)

    def _answers(self, before: float) -> int:
        """Answers, but of no job that waits or runs."""
        needed = select(jobs.c.id).where(jobs.c.state.not_in(ENDED))
        needed_too = select(bench_jobs.c.id).where(bench_jobs.c.state.not_in(ENDED))
        old = select(kept_answers.c.generation).where(
            kept_answers.c.at < before,
            kept_answers.c.job.not_in(needed),
            kept_answers.c.job.not_in(needed_too),
        )
        return self._deleted(kept_answers.c.generation, old.limit(_MANY))

    def _deliveries(self, before: float) -> int:
        old = select(deliveries.c.id).where(
            deliveries.c.received < before, deliveries.c.state.not_in(("new", "waiting"))
        )
        return self._deleted(deliveries.c.id, old.limit(_MANY))

    def _redelivered(self, before: float) -> int:
        old = select(redelivered.c.id).where(redelivered.c.at < before)
        return self._deleted(redelivered.c.id, old.limit(_MANY))

    def _deleted(self, key: Any, old: Any) -> int:
        with self._alone() as connection:
            if connection is None:
                return 0
            ids = [*connection.scalars(old)]
            if ids:
                connection.execute(delete(key.table).where(key.in_(ids)))
        return len(ids)

    @contextmanager
    def _alone(self) -> Iterator[Connection | None]:
        """A transaction in which nobody else deletes or adds jobs; None while somebody does."""
        with self._database.writing() as connection:
            yield connection if job_rows.only_one(connection) else None


def _same_pull(one: Any, other: Any) -> Any:
    return and_(one.c.repository == other.c.repository, one.c.number == other.c.number)


def _closed(table: Any) -> Any:
    """Whether the last that was heard of a pull request is that it was closed."""
    end, later = deliveries.alias(), deliveries.alias()
    after = exists().where(
        _same_pull(later, end), later.c.event == "pull_request", later.c.received > end.c.received
    )
    return exists().where(_same_pull(end, table), end.c.why == CLOSED, ~after)
