"""The durable queue: DBOS keeps whose turn it is, one job of a pull request at a time; the jobs' states are
in our own table.

DBOS is told to be quiet and to itself: no telemetry, no console, texts as JSON (its default is pickle), and
one fixed version of the application, since it resumes nothing of another version.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, Table, make_url, select

from moa_engine.errors import MoaError
from moa_engine.printable import one_line
from review_bot.server import job_rows
from review_bot.server.bench_rows import BenchJob
from review_bot.server.database import SMALL_CACHE, Database, DatabaseFailed, bench_jobs, jobs
from review_bot.server.jobs import Job

if TYPE_CHECKING:
    from dbos import DBOSConfig

#: The names of the queues, and of the workflows on them, in the database: never to be changed.
_QUEUE, _WORKFLOW = "reviews", "review"
_BENCH_QUEUE, _BENCH_WORKFLOW = "bench", "bench"

#: What the queue carries; a number of its own when a waiting job could not be read by a newer server.
_FORMAT = "1"

#: Seconds between two looks into the queue.
_LOOK = 0.5

#: Jobs in one question to the queue.
_MANY = 200

Work = Callable[[Job, str], None]
BenchWork = Callable[[BenchJob, str], None]


class ReviewQueue:
    """The queue, and the threads that work on it in this process. There is one in a process.

    None of its methods is for an event loop: they wait for the database.
    """

    def __init__(
        self, database: Database, url: str, at_a_time: int, work: Work, bench_work: BenchWork
    ) -> None:
        """`url` is of the database that DBOS uses; `work` gets each job and this executor's id.

        Benches have a queue of their own, so that no review waits for one: one case at a time.
        """
        self._database = database
        self._url = url
        self._at_a_time = at_a_time
        self._work = work
        self._bench_work = bench_work
        self._executor = ""
        self._lock = threading.Lock()

    def start(self, executor: str) -> None:
        """Take jobs from now on, under this name.

        Raises:
            DatabaseFailed: its database cannot be opened.
        """
        from dbos import DBOS

        if self._url.startswith("sqlite"):
            _prepare_sqlite(Path(make_url(self._url).database or ""))
        with self._lock:
            self._executor = executor
            DBOS(config=self._config(executor))

            def review(data: dict[str, Any]) -> None:
                self._work(Job.from_json(data), executor)

            def bench(id: str) -> None:
                self._bench_work(BenchJob(id), executor)

            DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(review)
            DBOS.workflow(name=_BENCH_WORKFLOW, max_recovery_attempts=None)(bench)
            try:
                DBOS.launch()
                DBOS.register_queue(
                    _QUEUE,
                    partition_concurrency=1,
                    worker_concurrency=self._at_a_time,
                    polling_interval_sec=_LOOK,
                    on_conflict="always_update",
                )
                DBOS.register_queue(
                    _BENCH_QUEUE,
                    worker_concurrency=1,
                    polling_interval_sec=_LOOK,
                    on_conflict="always_update",
                )
            except Exception as error:
                DBOS.destroy(destroy_registry=True)
                raise DatabaseFailed(
                    f"the queue's database cannot be used: {one_line(str(error))}"
                ) from error

    def stop(self, seconds: float) -> None:
        """Take no more jobs, and wait so long at most for those that are worked on."""
        from dbos import DBOS

        with self._lock:
            if self._executor:
                self._executor = ""
                DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=max(1, round(seconds)))

    def alive(self) -> bool:
        """Whether jobs are taken."""
        return bool(self._executor)

    def enqueue(self, *new: Job) -> None:
        """Give jobs that are in the table their turns; those that have one keep it."""
        from dbos import DBOS, EnqueueOptions

        for job in new:
            with self._database.reading() as connection:
                place = job_rows.place(connection, job)
            options: EnqueueOptions = {
                "workflow_name": _WORKFLOW,
                "queue_name": _QUEUE,
                "workflow_id": job.id,
                "queue_partition_key": job.pull,
                "priority": place,
                "app_version": _FORMAT,
            }
            DBOS.enqueue_workflow_with_options(options, job.to_json())

    def enqueue_missing(self) -> int:
        """Give turns to jobs whose server died between the table and the queue; how many there were."""
        missing = self._missing(jobs)
        self.enqueue(*map(job_rows.job_of, missing))
        return len(missing)

    def enqueue_benches(self) -> int:
        """Give turns to the cases that `moa bench --servers` put into the table; how many there were."""
        from dbos import DBOS, EnqueueOptions

        missing = self._missing(bench_jobs)
        for row in missing:
            options: EnqueueOptions = {
                "workflow_name": _BENCH_WORKFLOW,
                "queue_name": _BENCH_QUEUE,
                "workflow_id": row.id,
                "app_version": _FORMAT,
            }
            DBOS.enqueue_workflow_with_options(options, row.id)
        return len(missing)

    def _missing(self, table: Table) -> list[Row[Any]]:
        """The jobs that wait and that the queue does not know; those that it is through with are given up."""
        from dbos import DBOS

        columns = table.c if table is jobs else (table.c.id,)
        waiting = select(*columns).where(table.c.state == "queued").order_by(table.c.queued, table.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(waiting).all()
        missing: list[Row[Any]] = []
        lost: list[str] = []
        for start in range(0, len(rows), _MANY):
            some = rows[start : start + _MANY]
            known = DBOS.list_workflows(
                workflow_ids=[row.id for row in some], load_input=False, load_output=False
            )
            status = {workflow.workflow_id: workflow.status for workflow in known}
            missing += [row for row in some if row.id not in status]
            lost += [id for id, known in status.items() if known not in ("ENQUEUED", "DELAYED", "PENDING")]
        job_rows.lose(self._database, lost, table)
        return missing

    def drop(self, ids: Sequence[str]) -> None:
        """Take jobs that were superseded out of the queue. Those that run are stopped by their worker."""
        from dbos import DBOS

        waiting = DBOS.list_workflows(
            workflow_ids=[*ids], status="ENQUEUED", load_input=False, load_output=False
        )
        for workflow in waiting:
            DBOS.cancel_workflow(workflow.workflow_id)

    def recover(self, executor: str) -> int:
        """Let the jobs of a dead executor be taken anew, in their order; how many there were.

        Only what is still that executor's: done twice, also at the same time, it changes nothing.
        """
        from dbos import DBOS

        # Not the public resume_workflow: that takes a job even from an executor that just took it anew.
        found = DBOS._recover_pending_workflows([executor])
        left = DBOS.list_workflows(
            executor_id=executor, status="PENDING", load_input=False, load_output=False
        )
        if left:
            raise DatabaseFailed(f"{len(left)} jobs of {executor} could not be taken back")
        return len(found)

    def forget(self, before: float) -> int:
        """Delete what the queue knows of jobs that ended before that time; how many of them, at most some."""
        from dbos import DBOS

        until = datetime.fromtimestamp(before, UTC).isoformat()
        old = DBOS.list_workflows(completed_before=until, limit=_MANY, load_input=False, load_output=False)
        if old:
            DBOS.delete_workflows([workflow.workflow_id for workflow in old])
        return len(old)

    def forget_jobs(self, ids: Sequence[str]) -> None:
        """Delete what the queue knows of these jobs."""
        from dbos import DBOS

        DBOS.delete_workflows([*ids])

    def run_again(self, id: str) -> str:
        """Do an ended job anew, whatever was reviewed before; the id of the new job.

        Raises:
            MoaError: there is no such job, or it has not ended.
        """
        with self._database.writing() as connection:
            job_rows.only_one(connection, wait=True)
            row = connection.execute(select(jobs).where(jobs.c.id == id)).one_or_none()
            if row is None:
                raise MoaError(f"there is no job {one_line(id)}")
            if row.state not in job_rows.ENDED:
                raise MoaError(f"the job {id} is {row.state}", hint="It can be run again when it has ended.")
            old = job_rows.job_of(row)
            asked = replace(old, target=replace(old.target, again=True))
            new = job_rows.free_id(connection, asked)
            job_rows.add(connection, new, time.time())
        self.enqueue(new)
        return new.id

    def depth(self) -> Mapping[str, int]:
        """How many jobs are queued, running and failed, and how many deliveries wait."""
        return job_rows.depth(self._database)

    def _config(self, executor: str) -> DBOSConfig:
        from dbos import DBOSPortableJSONSerializer

        sqlite = self._url.startswith("sqlite")
        return {
            "name": "review-bot",
            "system_database_url": self._url,
            "dbos_system_schema": "review_queue",
            "application_version": _FORMAT,
            "executor_id": executor,
            "serializer": DBOSPortableJSONSerializer(),
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": self._at_a_time + 9,
            "db_engine_kwargs": {"connect_args": {"factory": _Connection, "cached_statements": 32}}
            if sqlite
            else {},
            # Nothing here waits for messages or is scheduled; a listener would hold a connection.
            "use_listen_notify": False,
            "scheduler_polling_interval_sec": 3600.0,
        }


class _Connection(sqlite3.Connection):
    """One of DBOS's own."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.execute(f"PRAGMA {SMALL_CACHE}")


def _prepare_sqlite(path: Path) -> None:
    """Make the file for its owner alone, and have readers and the writer not wait for one another."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise DatabaseFailed(f"the queue {path} cannot be made: {error}") from error
