"""From deliveries to jobs: what was delivered is looked at once, and only what somebody has to do is queued.

Of one pull request's pushes the newest counts: it supersedes those before it, whether they wait, are queued
or run. Comments are jobs of their own, in order. An installation that asks for more reviews in an hour than
it may have waits, visibly. One process dispatches at a time; jobs have ids that are the same whoever does,
and are put down together with what became of their deliveries, so that nothing is done twice or forgotten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, and_, bindparam, or_, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from review_bot.github.chat_commands import ReviewAgain, parse
from review_bot.github.event import Target
from review_bot.server import job_rows
from review_bot.server.database import Database, deliveries, jobs, reason
from review_bot.server.jobs import Job, comment_id, push_id

#: Deliveries in one transaction, and how many of them are a lot.
_MANY, _A_LOT = 1000, 50

#: Seconds between two such transactions when there was a lot. Others that write wait for the end of each;
#: and the more pushes of a pull request are looked at together, the fewer become jobs.
_COLLECT = 2.0

#: Seconds between two looks when nobody says that there is something.
_LOOK = 0.5

#: Seconds after which a delivery for a commit that is under review is looked at again.
_UNDER_REVIEW = 5.0

_HOUR = 3600.0

#: The action of a pull request that was given another base; other edits are not delivered to here.
_OTHER_BASE = "edited"

_NEWER = "a newer delivery of the same pull request came"

Say = Callable[[str], None]


class Turns(Protocol):
    """The queue, as far as it is needed here."""

    def enqueue(self, *new: Job) -> None:
        """Give jobs that are in the table their turns; those that have one keep it."""

    def drop(self, ids: Sequence[str]) -> None:
        """Take jobs that were superseded out of the queue."""


@dataclass(slots=True)
class _Pass:
    """What one transaction does, for after its commit."""

    connection: Connection
    now: float
    new: list[Job] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)  #: what becomes of deliveries, by id
    waiting: dict[tuple[str, int], list[str]] = field(default_factory=dict)  #: pushes, by pull request
    reviews: dict[int, list[float]] = field(default_factory=dict)  #: of the last hour, by installation

    def tick(self) -> float:
        """The time, a little later each time: jobs of one pull request go by it."""
        self.now += 1e-5
        return self.now


class Dispatcher:
    """Makes jobs of deliveries."""

    def __init__(self, database: Database, queue: Turns, reviews_per_hour: int, say: Say) -> None:
        self._database = database
        self._queue = queue
        self._per_hour = reviews_per_hour
        self._say = say
        self._unsent: list[Job] = []

    def dispatching(self, stop: threading.Event) -> None:
        """Dispatch until `stop`."""
        told = False
        while not stop.is_set():
            try:
                busy = self.dispatch() >= _A_LOT
                told = False
            except Exception as error:  # such as a database that is away: the deliveries stay where they are
                busy = False
                if not told:
                    said = reason(error) if isinstance(error, SQLAlchemyError) else f"{error!r}"
                    self._say(f"deliveries cannot be dispatched: {said}")
                told = True
            stop.wait(_COLLECT if busy else _LOOK)

    def dispatch(self) -> int:
        """Look at what was delivered; how many deliveries that were."""
        self._send()
        if not self._to_do():
            return 0
        with self._database.writing() as connection:
            if not job_rows.only_one(connection):
                return 0
            step = _Pass(connection, time.time())
            rows = connection.execute(_due(step.now)).all()
            groups = _by_pull(rows)
            step.waiting = _waiting_pushes(connection, [*groups])
            for group in groups.values():
                self._pull(step, group)
            _write_marks(step)
        self._unsent += step.new
        self._send()
        if step.dropped:
            self._queue.drop(step.dropped)
        return len(rows)

    def _send(self) -> None:
        """Queue what is in the table; what fails here is tried again, by whoever lives."""
        while self._unsent:
            self._queue.enqueue(self._unsent[0])
            del self._unsent[0]

    def _to_do(self) -> bool:
        with self._database.reading() as connection:
            return connection.execute(_due(time.time()).limit(1)).first() is not None

    def _pull(self, step: _Pass, rows: Sequence[Row[Any]]) -> None:
        """Deal with the deliveries of one pull request."""
        pushes = [row for row in rows if not row.wish.get("said")]
        for row in pushes[:-1]:
            _mark(step, row, "superseded", why=_NEWER)
        for row in rows:
            if row.wish.get("said"):
                self._comment(step, row)
            elif row is pushes[-1]:
                self._push(step, row, _wanted(pushes))

    def _comment(self, step: _Pass, row: Row[Any]) -> None:
        target = Target.from_json(row.repository, row.number, row.wish)
        job = Job(comment_id(target), row.installation, target)
        if _known(step.connection, job.id):
            _mark(step, row, "queued", why="delivered before", job=job.id)
        elif not self._has_to_wait(step, row, job):
            self._queued(step, row, job)

    def _push(self, step: _Pass, row: Row[Any], target: Target) -> None:
        job = Job(push_id(target), row.installation, target)
        before = _newest_push(step.connection, job)
        if before is not None and before.head == job.head:
            if before.state == "queued":
                _mark(step, row, "queued", why="the same commit was queued already", job=before.id)
                return
            if before.state == "running":
                why = "the same commit is being reviewed"
                _mark(step, row, "waiting", why=why, due=step.now + _UNDER_REVIEW)
                return
            if before.state == "done" and before.run and not target.again and target.action != _OTHER_BASE:
                _mark(step, row, "ignored", why=f"the commit was reviewed: run {before.run}", job=before.id)
                return
        for id in step.waiting.get((row.repository, row.number), ()):
            if id != row.id:
                _mark_id(step, id, "superseded", why=_NEWER)
        if not self._has_to_wait(step, row, job):
            self._queued(step, row, job if before is None else job_rows.free_id(step.connection, job))

    def _queued(self, step: _Pass, row: Row[Any], job: Job) -> None:
        job_rows.add(step.connection, job, step.tick())
        _mark(step, row, "queued", job=job.id)
        step.new.append(job)
        if _is_review(job):
            step.reviews[job.installation].append(step.now)
        if job.head:
            why = f"a newer commit came: {job.head[:12]}"
            step.dropped += job_rows.supersede(step.connection, job, why, step.now)

    def _has_to_wait(self, step: _Pass, row: Row[Any], job: Job) -> bool:
        """Whether the installation has had its reviews of this hour; then the delivery waits."""
        if not _is_review(job):
            return False
        if job.installation not in step.reviews:
            step.reviews[job.installation] = _reviews(step.connection, job.installation, step.now - _HOUR)
        had = step.reviews[job.installation]
        if len(had) < self._per_hour:
            return False
        due = sorted(had)[-self._per_hour] + _HOUR
        at = datetime.fromtimestamp(due, UTC)
        why = f"{self._per_hour} reviews of this installation in the last hour; goes on at {at:%H:%M:%S} UTC"
        _mark(step, row, "waiting", why=why, due=due)
        return True


def _due(now: float) -> Any:
    due = and_(deliveries.c.state == "waiting", deliveries.c.due <= now)
    wanted = select(deliveries).where(or_(deliveries.c.state == "new", due))
    return wanted.order_by(deliveries.c.received, deliveries.c.id).limit(_MANY)


def _by_pull(rows: Iterable[Row[Any]]) -> dict[tuple[str, int], list[Row[Any]]]:
    groups: dict[tuple[str, int], list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault((row.repository, row.number), []).append(row)
    return groups


def _wanted(pushes: Sequence[Row[Any]]) -> Target:
    """What the newest of these wants, and what those wanted of the same commit that it stands for."""
    newest = pushes[-1]
    target = Target.from_json(newest.repository, newest.number, newest.wish)
    same = [row.wish for row in pushes if row.wish["head"] == target.head]
    other_base = any(wish["action"] == _OTHER_BASE for wish in same)
    return replace(
        target,
        again=any(wish["again"] for wish in same),
        action=_OTHER_BASE if other_base else target.action,
    )


def _mark(
    step: _Pass, row: Row[Any], state: str, *, why: str = "", job: str = "", due: float | None = None
) -> None:
    _mark_id(step, row.id, state, why=why, job=job, due=due)


def _mark_id(
    step: _Pass, id: str, state: str, *, why: str = "", job: str = "", due: float | None = None
) -> None:
    step.marks[id] = {"which": id, "state": state, "why": why, "job": job, "due": due}


def _write_marks(step: _Pass) -> None:
    """All of them in one statement: each statement of its own would hold the lock that others wait for."""
    if step.marks:
        step.connection.execute(_MARKED, [*step.marks.values()])


_MARKED = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("state", "why", "job", "due")})
)


def _waiting_pushes(
    connection: Connection, pulls: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], list[str]]:
    """Pushes that wait for their turn: one that is to be reviewed takes their place."""
    if not pulls:  # another process was faster
        return {}
    of_these = tuple_(deliveries.c.repository, deliveries.c.number).in_(_filled_up(pulls))
    rows = connection.execute(select(deliveries).where(deliveries.c.state == "waiting", of_these)).all()
    pushes = [row for row in rows if not row.wish.get("said")]
    return {pull: [row.id for row in them] for pull, them in _by_pull(pushes).items()}


def _filled_up(pulls: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The same ones in few lengths: each length is another statement, and connections remember those."""
    length = 1 << (len(pulls) - 1).bit_length()
    return [*pulls, *[pulls[-1]] * (length - len(pulls))]


def _known(connection: Connection, id: str) -> bool:
    return connection.scalar(select(jobs.c.id).where(jobs.c.id == id)) is not None


def _newest_push(connection: Connection, job: Job) -> Row[str, str, str, str] | None:
    """The last job for a push of the pull request."""
    return connection.execute(
        select(jobs.c.id, jobs.c.head, jobs.c.state, jobs.c.run)
        .where(jobs.c.repository == job.repository, jobs.c.number == job.number, jobs.c.head != "")
        .order_by(jobs.c.queued.desc(), jobs.c.id.desc())
        .limit(1)
    ).one_or_none()


def _is_review(job: Job) -> bool:
    """Whether models will be asked: not for `/explain` and `/dismiss`."""
    said = job.target.said
    return said is None or isinstance(parse(said.body), ReviewAgain)


def _reviews(connection: Connection, installation: int, since: float) -> list[float]:
    """When reviews of an installation were queued, but for those superseded before they began."""
    counted = and_(
        jobs.c.installation == installation,
        jobs.c.queued > since,
        or_(jobs.c.state != "superseded", jobs.c.started.is_not(None)),
    )
    pushes = connection.scalars(select(jobs.c.queued).where(counted, jobs.c.head != "")).all()
    comments = connection.execute(select(jobs).where(counted, jobs.c.head == "")).all()
    return [*pushes, *(row.queued for row in comments if _is_review(job_rows.job_of(row)))]
