"""What the tables know of the server's work: what runs, waits and failed, what was done, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, and_, case, cast, func, or_, select

from review_bot.server.database import Database, deliveries, executors, jobs, kept_answers, run_records

DAY = 86_400.0

#: Rows of each part of the queue that are shown; the others are counted.
SHOWN = 25

#: Days until a failed job is no longer shown as something to see to.
_STALE = 14


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job. `cost` is None while it is not known; `summary` holds what its process last said."""

    id: str
    repository: str
    number: int
    head: str
    state: str
    why: str
    executor: str
    attempts: int
    queued: float
    started: float | None
    finished: float | None
    run: str
    calls: int
    cost: float | None
    reason: Mapping[str, Any]
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that waits to become a job, why, and when it is looked at again."""

    id: str
    repository: str
    number: int
    state: str
    why: str
    received: float
    due: float | None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Something that came and was not reviewed, and why."""

    repository: str
    number: int
    state: str
    why: str
    at: float


@dataclass(frozen=True, slots=True)
class Queue:
    """What runs, waits and failed; of each the first rows, and how many there are."""

    running: tuple[JobRow, ...]
    waiting: tuple[JobRow, ...]
    held: tuple[Held, ...]
    failed: tuple[JobRow, ...]
    waiting_count: int
    held_count: int
    failed_count: int
    executors: int  #: processes that were heard of in the last minute


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list."""

    run: str
    job: str
    repository: str
    number: int
    head: str
    started: float
    status: str
    cost: float | None
    calls: int
    seconds: float
    cached: int
    state: str  #: of its job
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunRecord(RunRow):
    """A run with all that was said in it: see `run_document`."""

    members: Sequence[Mapping[str, Any]]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC): reviews that were done, and what all jobs that ended cost, superseded ones as well.

    `unknown` jobs made calls whose cost nobody knows.
    """

    date: date
    reviews: int
    calls: int
    cost: float
    unknown: int


def queue(database: Database, now: float) -> Queue:
    """What runs, what waits and since when, and what failed without being tried again."""
    with database.reading() as connection:
        states = by_state(connection, jobs.c.state)
        running = connection.execute(_jobs("running", jobs.c.started)).all()
        waiting = connection.execute(_jobs("queued", jobs.c.queued).limit(SHOWN)).all()
        open_ones = deliveries.c.state.in_(("new", "waiting"))
        held_columns = [deliveries.c[name] for name in Held.__slots__]
        held = connection.execute(
            select(*held_columns).where(open_ones).order_by(deliveries.c.received).limit(SHOWN)
        ).all()
        held_count = connection.scalar(select(func.count()).where(open_ones)) or 0
        failed = connection.execute(
            _jobs("failed", jobs.c.queued.desc()).where(jobs.c.queued >= now - _STALE * DAY)
        ).all()
        later = connection.execute(_later(now)).all()
        alive = connection.scalar(select(func.count()).where(executors.c.beat >= now - 60)) or 0
    followed = {one.failed for one in later if one.head or _first(one.failed) == _first(one.id)}
    left = [_job(row) for row in failed if row.id not in followed]
    return Queue(
        tuple(map(_job, running)),
        tuple(map(_job, waiting)),
        tuple(Held(*row) for row in held),
        tuple(left[:SHOWN]),
        states.get("queued", 0),
        held_count,
        len(left),
        alive,
    )


def by_state(connection: Connection, column: ColumnElement[str]) -> dict[str, int]:
    """How many rows there are of each state."""
    rows = connection.execute(select(column, func.count()).group_by(column))
    return {row[0]: row[1] for row in rows}


def runs(
    database: Database, *, limit: int, before: float | None = None, repository: str = "", number: int = 0
) -> list[RunRow]:
    """The newest runs that started before `before`; of one repository or pull request, if that is given."""
    query = _runs().order_by(run_records.c.started.desc(), run_records.c.run.desc()).limit(limit)
    if before is not None:
        query = query.where(run_records.c.started < before)
    if repository:
        query = query.where(run_records.c.repository == repository)
    if number:
        query = query.where(run_records.c.number == number)
    with database.reading() as connection:
        return [RunRow(**_run(row)) for row in connection.execute(query)]


def run(database: Database, name: str) -> RunRecord | None:
    """One run; None where there is none of this name."""
    query = _runs(run_records.c.members, run_records.c.document).where(run_records.c.run == name)
    with database.reading() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return RunRecord(**_run(row), members=row.members, document=row.document)


def quiet(database: Database, limit: int) -> list[Quiet]:
    """The latest deliveries and jobs of which no review came although nothing failed, and why."""
    wanted = (
        select(deliveries.c.repository, deliveries.c.number, deliveries.c.state, deliveries.c.why)
        .add_columns(deliveries.c.received.label("at"))
        .where(deliveries.c.state.in_(("ignored", "superseded")))
        .order_by(deliveries.c.received.desc())
        .limit(limit)
    )
    done = (
        select(jobs.c.repository, jobs.c.number, jobs.c.state, jobs.c.why)
        .add_columns(func.coalesce(jobs.c.finished, jobs.c.queued).label("at"))
        .where(or_(jobs.c.state == "superseded", and_(jobs.c.state == "done", jobs.c.run == "")))
        .order_by(jobs.c.queued.desc())
        .limit(limit)
    )
    with database.reading() as connection:
        rows = [Quiet(*row) for query in (wanted, done) for row in connection.execute(query)]
    return sorted(rows, key=lambda row: -row.at)[:limit]


def answered(database: Database, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each of these jobs, how many answers of each member have come so far."""
    member = kept_answers.c.attempt["member"].as_string()
    query = (
        select(kept_answers.c.job, member, func.count())
        .where(kept_answers.c.job.in_(names))
        .group_by(kept_answers.c.job, member)
        .order_by(func.min(kept_answers.c.at))
    )
    found: dict[str, dict[str, int]] = {}
    with database.reading() as connection:
        for job, name, count in connection.execute(query):
            found.setdefault(job, {})[name] = count
    return found


def job_known(database: Database, name: str) -> bool:
    """Whether there is a job with this id."""
    with database.reading() as connection:
        return connection.execute(select(jobs.c.id).where(jobs.c.id == name)).one_or_none() is not None


def days(database: Database, now: float, count: int) -> list[Day]:
    """The last `count` days, today last; days on which nothing ended are there as well."""
    today = datetime.fromtimestamp(now, UTC).date()
    start = datetime.combine(today - timedelta(count - 1), datetime.min.time(), UTC).timestamp()
    day = cast(func.floor(jobs.c.finished / DAY), Integer)
    query = (
        select(
            day.label("day"),
            func.sum(case((jobs.c.state == "done", 1), else_=0)),
            func.sum(jobs.c.calls),
            func.coalesce(func.sum(jobs.c.cost), 0.0),
            func.sum(case((and_(jobs.c.cost.is_(None), jobs.c.calls > 0), 1), else_=0)),
        )
        .where(jobs.c.finished >= start)
        .group_by(day)
    )
    with database.reading() as connection:
        found = {row[0]: row for row in connection.execute(query)}
    listed = []
    for ago in reversed(range(count)):
        date = today - timedelta(ago)
        _, reviews, calls, cost, unknown = found.get((date - _EPOCH).days, (0, 0, 0, 0.0, 0))
        listed.append(Day(date, int(reviews), int(calls), float(cost), int(unknown)))
    return listed


_EPOCH = date(1970, 1, 1)


def _jobs(state: str, order: ColumnElement[Any]) -> Select[Any]:
    columns = [jobs.c[name] for name in JobRow.__slots__]
    return select(*columns).where(jobs.c.state == state).order_by(order)


def _job(row: Row[Any]) -> JobRow:
    return JobRow(**{**row._mapping, "summary": row.summary or {}})


def _later(now: float) -> Select[Any]:
    """Failed jobs with each later one of their pull request."""
    other = jobs.alias("other")
    same = and_(other.c.repository == jobs.c.repository, other.c.number == jobs.c.number)
    return (
        select(jobs.c.id.label("failed"), other.c.id, other.c.head)
        .join(other, and_(same, other.c.queued > jobs.c.queued))
        .where(jobs.c.state == "failed", jobs.c.queued >= now - _STALE * DAY)
    )


def _first(job: str) -> str:
    """The id of the job of which this is a further try."""
    return job.partition("~")[0]


def _runs(*more: ColumnElement[Any]) -> Select[Any]:
    own = ("run", "job", "repository", "number", "head", "started", "status", "cost", "calls")
    of_job = (jobs.c.seconds, jobs.c.cached, jobs.c.state, jobs.c.summary)
    columns = [run_records.c[name] for name in own]
    return select(*columns, *of_job, *more).outerjoin(jobs, jobs.c.id == run_records.c.job)


def _run(row: Row[Any]) -> dict[str, Any]:
    names = (name for name in RunRow.__slots__)
    given = {name: row._mapping[name] for name in names}
    return {
        **given,
        "seconds": row.seconds or 0.0,
        "cached": row.cached or 0,
        "state": row.state or "",
        "summary": row.summary or {},
    }
