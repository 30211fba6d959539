"""The table of benches: one row for each case that a committee is to be run over, put there by `moa bench`.

A case's row is found again by what it is about: the case set, the case, and the committee. So the same
command finds what is under way or done, wherever it is given. A try that came to nothing is followed by
another row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from moa_engine.errors import MoaError
from review_bot.github.tokens import Token
from review_bot.server.child import Work
from review_bot.server.database import Database, bench_jobs, executors, kept_answers
from review_bot.server.job_rows import ENDED
from review_bot.server.kept_answers import Answers

#: Digits of the digests in an id.
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class BenchJob:
    """A case to run a committee over. Its process reads the rest in the table."""

    id: str
    installation: int = 0  #: it has no business on GitHub
    repository: str = ""
    repository_id: int = 0

    def to_json(self) -> Mapping[str, Any]:
        """As it is given to the process."""
        return {"id": self.id}


class NoTokens:
    """For processes that have no business on GitHub."""

    def token_for(self, job: Work, refused: str) -> Token:  # noqa: ARG002
        """Never one.

        Raises:
            MoaError: always.
        """
        raise MoaError("a bench gets no token for GitHub")


@dataclass(frozen=True, slots=True)
class Failed:
    """A case that came to nothing, and why."""

    about: str
    why: str


@dataclass(frozen=True, slots=True)
class Benches:
    """How many cases stand how, each by its last try, and the latest that failed, with why."""

    counts: Mapping[str, int]
    failed: Sequence[Failed]

    @property
    def busy(self) -> bool:
        """Whether something is still to be done."""
        return any(state not in ENDED for state in self.counts)


def about(cases: str, case: str, committee: str) -> str:
    """The name of a case under a committee; `cases` and `committee` are digests."""
    return f"{_of_case(cases, case)}{committee[:_DIGITS]}"


def put(database: Database, work: Mapping[str, Mapping[str, Any]]) -> None:
    """Put down what is to be done, by what it is about, where that is not waiting, running or done already.

    What failed, and what is done without everybody's answer, is tried again.
    """
    with database.writing() as connection:
        for name, wanted in work.items():
            newest = (
                select(bench_jobs.c.number, bench_jobs.c.state, bench_jobs.c.status)
                .where(bench_jobs.c.about == name)
                .order_by(bench_jobs.c.number.desc())
            )
            row = connection.execute(newest.limit(1)).one_or_none()
            waits_or_runs = row is not None and row.state not in ENDED
            if waits_or_runs or (row is not None and (row.state, row.status) == ("done", "complete")):
                continue
            number = 1 if row is None else row.number + 1
            values = {
                "id": name if number == 1 else f"{name}~{number}",
                "about": name,
                "number": number,
                "work": dict(wanted),
                "state": "queued",
                "queued": time.time(),
            }
            try:
                with connection.begin_nested():
                    connection.execute(insert(bench_jobs).values(**values))
            except IntegrityError:
                continue  # the same command, given twice at the same time


def newest(database: Database, names: Sequence[str]) -> dict[str, Row[Any]]:
    """The state of the last try of each, by what it is about."""
    columns = (bench_jobs.c[name] for name in ("id", "about", "state", "why", "summary", "executor"))
    rows = select(*columns).where(bench_jobs.c.about.in_(names)).order_by(bench_jobs.c.number)
    with database.reading() as connection:
        return {row.about: row for row in connection.execute(rows)}


def overview(database: Database, shown: int = 5) -> Benches:
    """What the page tells of benches."""
    later = bench_jobs.alias()
    again = select(later.c.id).where(
        later.c.about == bench_jobs.c.about, later.c.number > bench_jobs.c.number
    )
    state = bench_jobs.c.state
    failed = select(bench_jobs.c.about, bench_jobs.c.why).where(state == "failed", ~again.exists())
    with database.reading() as connection:
        rows = connection.execute(
            select(state, func.count()).where(~again.exists()).group_by(state).order_by(state)
        )
        counts = {row[0]: row[1] for row in rows}
        latest = failed.order_by(bench_jobs.c.finished.desc()).limit(shown)
        return Benches(counts, [Failed(row.about, row.why) for row in connection.execute(latest)])


def work_of(database: Database, id: str) -> Mapping[str, Any]:
    """What is to be done for a job."""
    with database.reading() as connection:
        found: Mapping[str, Any] = connection.execute(
            select(bench_jobs.c.work).where(bench_jobs.c.id == id)
        ).scalar_one()
    return found


def write_run(database: Database, id: str, run: str, status: str, stored: str) -> None:
    """Put down what came of a job: the run, packed."""
    with database.writing() as connection:
        connection.execute(
            bench_jobs.update().where(bench_jobs.c.id == id).values(run=run, status=status, stored=stored)
        )


def packed_run(database: Database, id: str) -> str:
    """The run that came of a job that is done."""
    with database.reading() as connection:
        found = connection.scalar(select(bench_jobs.c.stored).where(bench_jobs.c.id == id))
    if found is None:
        raise MoaError(f"the job {id} is done, and there is no run of it")
    return str(found)


def answers(database: Database, id: str, cases: str, case: str, say: Callable[[str], None]) -> Answers:
    """What is kept of all tries of a case, of whichever committee: one that grew pays for what is new."""
    related = kept_answers.c.job.startswith(_of_case(cases, case), autoescape=True)
    return Answers(database, id, related, say)


def alive(database: Database, since: float) -> bool:
    """Whether a server was heard of since then."""
    with database.reading() as connection:
        return connection.execute(select(executors.c.id).where(executors.c.beat > since)).first() is not None


def _of_case(cases: str, case: str) -> str:
    return f"bench/{cases[:_DIGITS]}/{case}/"
