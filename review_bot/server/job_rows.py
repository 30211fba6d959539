"""The table of jobs: what state each is in. It is the truth; the queue only says whose turn it is.

queued -> running -> done | failed, and superseded from both queued and running. A job whose server died is
running until another one takes it. Only the executor that has a job may end it. Where a table is given it may
be that of benches, whose jobs go the same way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Table, func, insert, or_, select, text, update

from review_bot.server.database import Database, jobs
from review_bot.server.jobs import Job, first_id

#: States in which a job stays.
ENDED = ("done", "superseded", "failed")


#: PostgreSQL's advisory lock under which one process makes jobs, or deletes them.
_JOBS = 0x6D6F6271  # "mobq"


def only_one(connection: Connection, *, wait: bool = False) -> bool:
    """Whether no other process makes or deletes jobs until the end of the transaction.

    On SQLite who may write is alone already.
    """
    if connection.dialect.name != "postgresql":
        return True
    if wait:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _JOBS})
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _JOBS}))


def add(connection: Connection, job: Job, now: float) -> None:
    """Put a new job down as queued."""
    connection.execute(
        insert(jobs).values(
            id=job.id,
            repository=job.repository,
            number=job.number,
            installation=job.installation,
            head=job.head,
            reason=job.target.to_json(),
            state="queued",
            queued=now,
        )
    )


def job_of(row: Any) -> Job:
    """The job in a row of the table."""
    return Job.from_json(
        {
            "id": row.id,
            "repository": row.repository,
            "number": row.number,
            "installation": row.installation,
            "target": row.reason,
        }
    )


def place(connection: Connection, job: Job) -> int:
    """The job's place among all of its pull request, from 1: the queue goes by it, not by its own clock."""
    earlier = select(func.count()).where(
        jobs.c.repository == job.repository,
        jobs.c.number == job.number,
        jobs.c.queued <= select(jobs.c.queued).where(jobs.c.id == job.id).scalar_subquery(),
    )
    return connection.scalar(earlier) or 1


def free_id(connection: Connection, job: Job) -> Job:
    """The job under an id that no other has: the same commit or comment may be worked on several times."""
    first = first_id(job.id)
    taken = select(func.count()).where(
        jobs.c.repository == job.repository,
        jobs.c.number == job.number,
        or_(jobs.c.id == first, jobs.c.id.startswith(f"{first}~", autoescape=True)),
    )
    count = connection.scalar(taken) or 0
    return job.again(count + 1) if count else job


def begin(database: Database, id: str, executor: str, table: Table = jobs) -> int | None:
    """Take a job; how often it has been taken now, or None when it has ended."""
    now = time.time()
    with database.writing() as connection:
        attempts: int | None = connection.scalar(
            update(table)
            .where(table.c.id == id, table.c.state.not_in(ENDED))
            .values(
                state="running",
                why="",
                executor=executor,
                attempts=table.c.attempts + 1,
                started=func.coalesce(table.c.started, now),
            )
            .returning(table.c.attempts)
        )
        return attempts


def standing(
    database: Database, id: str, executor: str, table: Table = jobs
) -> Literal["ours", "superseded", "taken"]:
    """Whether a job that was begun is still wanted, and still this executor's."""
    with database.reading() as connection:
        row = connection.execute(
            select(table.c.state, table.c.executor).where(table.c.id == id)
        ).one_or_none()
    if row is None or row.state in ENDED:
        return "superseded"
    return "ours" if (row.state, row.executor) == ("running", executor) else "taken"


def tell(database: Database, id: str, executor: str, phase: Mapping[str, Any], table: Table = jobs) -> None:
    """Say how far a running job is, until its outcome is there."""
    with database.writing() as connection:
        connection.execute(
            update(table)
            .where(
                table.c.id == id,
                table.c.state == "running",
                table.c.executor == executor,
                table.c.status == "",
            )
            .values(summary=dict(phase))
        )


def end(
    database: Database,
    id: str,
    executor: str,
    state: Literal["done", "failed"],
    why: str,
    table: Table = jobs,
) -> None:
    """Say what became of a job; unless it was superseded or taken over meanwhile."""
    with database.writing() as connection:
        connection.execute(
            update(table)
            .where(table.c.id == id, table.c.state == "running", table.c.executor == executor)
            .values(state=state, why=why, finished=time.time())
        )


def supersede(connection: Connection, job: Job, why: str, now: float) -> Sequence[str]:
    """End the other reviews of pushes of this job's pull request; the ids of those that ran or waited."""
    return connection.scalars(
        update(jobs)
        .where(
            jobs.c.repository == job.repository,
            jobs.c.number == job.number,
            jobs.c.head != "",
            jobs.c.id != job.id,
            jobs.c.state.in_(("queued", "running")),
        )
        .values(state="superseded", why=why, finished=now)
        .returning(jobs.c.id)
    ).all()


def give_back(connection: Connection, executor: str, table: Table = jobs) -> int:
    """Make what an executor was at wait again; how many jobs that were."""
    left = update(table).where(table.c.executor == executor, table.c.state == "running")
    return connection.execute(left.values(state="queued", executor="")).rowcount


def lose(database: Database, ids: Sequence[str], table: Table = jobs) -> None:
    """Give up jobs that wait although the queue is through with them; somebody may run them again."""
    with database.writing() as connection:
        connection.execute(
            update(table)
            .where(table.c.id.in_(ids), table.c.state == "queued")
            .values(state="failed", why="the queue ended it before it was begun", finished=time.time())
        )


def depth(database: Database) -> dict[str, int]:
    """How many jobs are in each state that somebody may want to do something about."""
    states = ("queued", "running", "failed")
    counted = select(jobs.c.state, func.count()).where(jobs.c.state.in_(states)).group_by(jobs.c.state)
    with database.reading() as connection:
        found = {row[0]: row[1] for row in connection.execute(counted)}
    return {state: found.get(state, 0) for state in states}
