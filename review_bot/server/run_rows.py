"""Runs in the server's database: written before their review is posted, and read to explain findings.

The row of a run is there before anything of it is on GitHub, so that every run that a pull request names can
be looked up on each machine, wherever the process that posted it was killed.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from moa_engine.errors import RecordError
from moa_engine.record import Event, StoredRun
from review_bot.server.database import Database, jobs, run_records
from review_bot.server.jobs import Job
from review_bot.server.kept_answers import attempt_from, attempt_json

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.finding import Review
    from review_bot.github.model import PullRequest
    from review_bot.masking import Mask


def write_run(
    connection: Connection,
    job: Job,
    stored: StoredRun,
    outcome: Outcome[Review],
    *,
    mask: Mask,
    pull: PullRequest,
) -> None:
    """Put a run down, in place of what was known of it."""
    from review_bot.server.run_document import run_columns

    columns = run_columns(stored, outcome, mask=mask, pull=pull)
    of_job = {"job": job.id, "repository": job.repository, "number": job.number, "head": pull.head_sha}
    document = {**columns["document"], "stored": packed(stored)}
    connection.execute(delete(run_records).where(run_records.c.run == stored.id))
    connection.execute(insert(run_records).values(**{**columns, **of_job, "document": document}))


def write_result(connection: Connection, job: Job, result: dict[str, Any]) -> None:
    """Put down what came of a job, as far as it is known by now."""
    known = {name: value for name, value in result.items() if name in _RESULT}
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(**known))


_RESULT = frozenset({"run", "status", "calls", "cached", "cost", "seconds", "summary"})


def result_of(database: Database, job: Job, run: str) -> dict[str, Any]:
    """What is known of this job where `run` was its own, and it was killed after that; else nothing."""
    own = select(run_records.c.run).where(run_records.c.run == run, run_records.c.job == job.id)
    with database.reading() as connection:
        if connection.scalar(own) is None:
            return {}
        row = connection.execute(select(jobs).where(jobs.c.id == job.id)).one_or_none()
    return {name: row._mapping[name] for name in _RESULT} if row is not None else {}


def stored_run(database: Database, repository: str, run: str) -> StoredRun:
    """A run of this repository, from any machine.

    Raises:
        RecordError: there is none.
    """
    wanted = select(run_records.c.document).where(
        run_records.c.run == run, run_records.c.repository == repository
    )
    with database.reading() as connection:
        document = connection.scalar(wanted)
    if document is None:
        raise RecordError(f"There is no run {run!r} in the server's database.")
    return unpacked(document["stored"])


def packed(stored: StoredRun) -> str:
    """A run without its prompts as a short text."""
    slim = replace(stored, attempts=(), events=())
    data = {
        **asdict(slim),
        "attempts": [attempt_json(attempt) for attempt in stored.attempts],
        "events": [asdict(event) for event in stored.events],
    }
    return base64.b64encode(zlib.compress(json.dumps(data).encode())).decode()


def unpacked(text: str) -> StoredRun:
    """What `packed` gave."""
    data = json.loads(zlib.decompress(base64.b64decode(text)))
    attempts = tuple(map(attempt_from, data.pop("attempts")))
    events = tuple(Event(**event) for event in data.pop("events"))
    return StoredRun(**data, attempts=attempts, events=events)
