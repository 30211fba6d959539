"""A bench on the machines that share a server's database: `moa bench run --servers URL`.

Every case is a row in the database; the servers put it on their durable queue, run the case with their own
members and keys, and keep each answer and the run. This side prices it, waits, and takes the runs into its
own record, as if they had been made here. Nothing is lost when it stops waiting: the same command finds the
same rows.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import BudgetExceeded, ConfigError, MoaError, RecordError
from review_bot.bench.telling import Told, say

if TYPE_CHECKING:
    from moa_engine.plan import Plan
    from moa_engine.record import Record, StoredRun
    from moa_engine.session import Session
    from review_bot.bench.cases import Case, CaseSet
    from review_bot.bench.running import CaseRun, Seating
    from review_bot.bench.shape import Shape
    from review_bot.server.database import Database
    from review_bot.settings import ReviewSettings

#: Seconds between two looks at what is done.
_LOOK = 0.5

#: Seconds after which a server that was not heard of is not counted.
_SILENT = 60.0


def run_on_servers(
    args: argparse.Namespace, session: Session, settings: ReviewSettings, cases: CaseSet, seat: Seating
) -> list[CaseRun] | None:
    """Have servers run a committee over all cases; None when only the plan was wanted.

    Ctrl-C ends the waiting with what is done by then; the rest goes on.

    Raises:
        ConfigError: there is no such database, or what it needs is not installed.
        MoaError: the plan is above the budget, the database failed, or no case came to a run.
    """
    try:
        from sqlalchemy.exc import SQLAlchemyError

        from review_bot.server.database import Database, DatabaseFailed, reason
    except ImportError as error:
        raise ConfigError(
            f"what --servers needs is not installed ({error.name})", hint='pip install "pytest-moa[server]"'
        ) from error
    from review_bot.bench.shape import shape_of

    database = Database.open(_url(args.servers))
    try:
        shape = shape_of(session, settings, seat())
        bench = _Bench(session, database, cases, shape)
        plan = bench.plan(settings, seat)
        if args.plan:
            print(plan.to_text(), end="")
            return None
        _check(session, plan)
        told = Told(len(cases.cases), quiet=args.quiet)
        told.plan(plan)
        return bench.run(told, quiet=args.quiet)
    except SQLAlchemyError as error:
        raise DatabaseFailed(
            f"the servers' database does not answer: {reason(error)}",
            hint="jobs that are in it go on; so does this command, when it is given again",
        ) from error
    finally:
        database.close()


class _Bench:
    """The cases of one bench in the servers' database."""

    def __init__(self, session: Session, database: Database, cases: CaseSet, shape: Shape) -> None:
        from review_bot.bench.shape import digest_of
        from review_bot.server.bench_rows import about

        self._session = session
        self._database = database
        self._cases = cases
        self._shape = shape
        digest = digest_of(shape)
        self._names = {case.id: about(cases.digest, case.id, digest) for case in cases.cases}

    def plan(self, settings: ReviewSettings, seat: Seating) -> Plan:
        """What the cases would take, given what the servers' database knows: our record is not theirs."""
        from moa_engine.record import Record
        from review_bot.bench.running import case_tasks, whole_plan

        committee = seat()
        with (
            tempfile.TemporaryDirectory(prefix="moa-bench-") as folder,
            Record(Path(folder) / "record.sqlite") as theirs,
        ):
            for case in self._cases.cases:
                self._take_answers(case, theirs)
            session = replace(self._session, record=theirs)
            with case_tasks(session, settings, self._cases, committee) as tasks:
                return whole_plan(session, tasks, committee)

    def run(self, told: Told, *, quiet: bool) -> list[CaseRun]:
        """Put the jobs down, and wait for them; what is done, in the order of the cases."""
        from review_bot.server import bench_rows

        work = {
            self._names[case.id]: {
                "cases": self._cases.digest,
                "case": self._cases.alone(case).to_json(),
                "committee": self._session.settings.committee,
                "shape": self._shape,
            }
            for case in self._cases.cases
        }
        bench_rows.put(self._database, work)
        done: dict[str, CaseRun] = {}
        failed: dict[str, str] = {}
        with _ctrl_c() as stop:
            for case, id, why in self._ended(stop, quiet=quiet):
                if why:
                    failed[case.id] = why
                    say(f"{case.id} failed: {why}")
                else:
                    done[case.id] = self._taken(case, id)
                    told(done[case.id].outcome)
            if stop.is_set():
                say("waits no longer: the servers go on, and the same command takes what they have done")
        if failed and not done:
            raise MoaError(
                f"no case came to a run: {next(iter(failed.values()))}",
                hint="the same command tries those that failed again",
            )
        return [done[case.id] for case in self._cases.cases if case.id in done]

    def _ended(self, stop: threading.Event, *, quiet: bool) -> Iterator[tuple[Case, str, str]]:
        """Each case once it has ended, with its job, and why it failed if it did."""
        from review_bot.server import bench_rows
        from review_bot.server.job_rows import ENDED

        left = {self._names[case.id]: case for case in self._cases.cases}
        alone = False
        while left:
            last = stop.is_set()
            for name, row in bench_rows.newest(self._database, [*left]).items():
                if row.state in ENDED:
                    yield left.pop(name), row.id, row.why or "no reason given" if row.state != "done" else ""
            if last:
                return
            if left and alone != (not bench_rows.alive(self._database, time.time() - _SILENT)):
                alone = not alone
                if not quiet:
                    say(
                        "no server works on this database now: the cases wait"
                        if alone
                        else "a server is there"
                    )
            if left:
                stop.wait(_LOOK)

    def _taken(self, case: Case, id: str) -> CaseRun:
        """The run of a job that is done, taken into the record of this machine."""
        from moa_engine.replay import replay
        from review_bot.bench.paid import bill_of_attempts
        from review_bot.bench.running import CaseRun
        from review_bot.review_task import ReviewTask
        from review_bot.server.bench_rows import packed_run
        from review_bot.server.run_rows import unpacked

        record = self._session.record
        stored = unpacked(packed_run(self._database, id))
        _keep(record, stored)
        self._take_answers(case, record)  # those that the run took from earlier ones
        outcome = replay(stored, ReviewTask)
        task = outcome.task
        assert isinstance(task, ReviewTask)
        return CaseRun(case, task, outcome, bill_of_attempts(record, stored.attempts))

    def _take_answers(self, case: Case, record: Record) -> None:
        from review_bot.server.bench_rows import answers

        answers(self._database, self._names[case.id], self._cases.digest, case.id, say).restore(record)


def _keep(record: Record, stored: StoredRun) -> None:
    """Put a run of another machine into the record, so that studies and pages find it there."""
    try:
        record.run(stored.id)
    except RecordError:
        pass
    else:
        return
    record.start_run(
        run=stored.id,
        key=stored.id,
        task=stored.task,
        committee=stored.committee,
        payload=stored.payload,
        plan=stored.plan,
        seed=stored.seed,
        version=stored.version,
    )
    for attempt in stored.attempts:
        record.append(attempt)
    for event in stored.events:
        record.event(stored.id, event.kind, event.data)
    assert stored.result is not None
    assert stored.outcome is not None
    record.finish_run(stored.id, status=stored.status, result=stored.result, outcome=stored.outcome)


def _check(session: Session, plan: Plan) -> None:
    """Refuse what must not be started: each server sees its own cases only, so it is decided here.

    Raises:
        Unpriced: a price is not known.
        BudgetExceeded: all cases could cost more than the budget.
    """
    from moa_engine.plan import check_prices

    check_prices(plan, session.settings)
    budget = session.settings.budget
    if budget is not None and float(plan.cost.high) > budget:
        raise BudgetExceeded(
            f"the cases could cost ${plan.cost.high:.2f}, more than the budget of {budget} USD",
            hint="with --servers the budget must cover the most that the plan shows",
        )


def _url(given: str) -> str:
    """The database's URL: as given, or of a server's file, or of the one in its folder."""
    if "://" in given and not given.startswith("sqlite:"):
        return given
    path = Path(given.removeprefix("sqlite:///"))
    if path.is_dir():
        path /= "server.sqlite"
    if not path.is_file():
        raise ConfigError(
            f"there is no server's database {path}",
            hint="--servers takes the --database or the --data of `review-bot serve`",
        )
    return f"sqlite:///{path.absolute()}"


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets: a run that is being taken over is taken whole."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
