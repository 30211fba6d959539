"""`/metrics`, in Prometheus' text format 0.0.4: what an operator wants to be woken for, and what it costs.

What is counted stands in the database, so that it survives restarts and is the same in all processes that
share it; only `process_*` is about the one that was asked.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from review_bot.server import retired
from review_bot.server.access import Access
from review_bot.server.database import Database, deliveries, executors, jobs, run_records
from review_bot.server.history import DAY, by_state
from review_bot.server.retired import BUCKETS

if TYPE_CHECKING:
    from starlette.requests import Request

#: Every state has a line, also before anything was in it: alerts on what is missing do not work.
_DELIVERY_STATES = ("new", "waiting", "queued", "superseded", "ignored")
_JOB_STATES = ("queued", "running", "done", "superseded", "failed")

_MEDIA = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, Mapping[str, str], float]  #: what the name ends with, labels, value


def routes(database: Database, access: Access, *, public: bool = False) -> list[Route]:
    """`/metrics`; nothing where it is neither public nor a password is set."""
    if not (public or access.on):
        return []
    metrics = Metrics(database)

    def answer(_request: Request) -> Response:
        return PlainTextResponse(metrics.text(time.time()), media_type=_MEDIA)

    return [Route("/metrics", answer, middleware=[access.guard(public=public)])]


class Metrics:
    """What is measured."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._members = _Members(database)

    def text(self, now: float) -> str:
        """All of it, in the text format."""
        lines: list[str] = []
        for name, kind, about, samples in self._families(now):
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{end}{_labels(labels)} {value!r}" for end, labels, value in samples]
        return "\n".join(lines) + "\n"

    def _families(self, now: float) -> Iterator[tuple[str, str, str, list[Sample]]]:
        with self._database.reading() as connection:
            counts = {**dict.fromkeys(_DELIVERY_STATES, 0), **by_state(connection, deliveries.c.state)}
            yield "moa_deliveries", "gauge", "Deliveries that are kept, by state.", _by("state", counts)
            states = {**dict.fromkeys(_JOB_STATES, 0), **by_state(connection, jobs.c.state)}
            yield "moa_jobs", "gauge", "Jobs, by state.", _by("state", states)

            open_ones = deliveries.c.state.in_(("new", "waiting"))
            first_job = connection.scalar(select(func.min(jobs.c.queued)).where(jobs.c.state == "queued"))
            first_one = connection.scalar(select(func.min(deliveries.c.received)).where(open_ones))
            waiting = states["queued"] + counts["new"] + counts["waiting"]
            age = max((now - first for first in (first_job, first_one) if first is not None), default=0.0)
            yield "moa_queue_depth", "gauge", "Deliveries and jobs that wait.", [("", {}, waiting)]
            about = "Seconds since the oldest of what waits came."
            yield "moa_queue_age_seconds", "gauge", about, [("", {}, max(age, 0.0))]
            alive = select(func.count()).where(executors.c.beat >= now - 60)
            about = "Processes of the server that were heard of in the last minute."
            yield "moa_executors", "gauge", about, [("", {}, connection.scalar(alive) or 0)]

            seconds = jobs.c.finished - jobs.c.started
            sums = [func.sum(case((seconds <= bound, 1), else_=0)) for bound in BUCKETS]
            row = connection.execute(
                select(func.count(), func.sum(seconds), func.sum(jobs.c.cost), *sums).where(
                    jobs.c.finished.is_not(None), jobs.c.started.is_not(None)
                )
            ).one()
            gone = retired.totals_of_jobs(connection)
        known = ((value or 0) + before for value, before in zip(row, gone, strict=True))
        count, total, cost, *within = known
        buckets: list[Sample] = [
            ("_bucket", {"le": f"{bound}.0"}, number) for bound, number in zip(BUCKETS, within, strict=True)
        ]
        buckets += [("_bucket", {"le": "+Inf"}, count), ("_sum", {}, float(total)), ("_count", {}, count)]
        yield "moa_job_seconds", "histogram", "Seconds that jobs ran, from their first start.", buckets
        about = "What all jobs cost, as far as that is known."
        yield "moa_cost_usd_total", "counter", about, [("", {}, float(cost))]
        yield from self._of_members(now)
        yield from _process()

    def _of_members(self, now: float) -> Iterator[tuple[str, str, str, list[Sample]]]:
        totals = self._members.totals(now)
        for field, about in _MEMBER_FIELDS.items():
            samples: list[Sample] = [("", {"member": name}, own[field]) for name, own in totals.items()]
            yield f"moa_member_{field}_total", "counter", about, samples


_MEMBER_FIELDS = {
    "calls": "Calls of a member, in runs that ended.",
    "answers": "Calls that gave an answer.",
    "failures": "Calls that failed.",
    "cached": "Answers that were taken from the record.",
    "cost_usd": "What a member cost, as far as that is known.",
}


class _Members:
    """Totals by member. Rows are read once: adding up a year of runs at each scrape would take seconds.

    No run takes a day, so rows that started a day before the newest one are all there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._totals: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(_MEMBER_FIELDS, 0.0))
        self._seen: dict[str, float] = {}
        self._since: float | None = None

    def totals(self, now: float) -> dict[str, dict[str, float]]:
        with self._lock, self._database.reading() as connection:
            if self._since is None:
                self._totals.update(retired.totals_of_members(connection))
                self._since = 0.0
            started = run_records.c.started
            fresh = select(run_records.c.run, started).where(started >= self._since)
            new = [(run, at) for run, at in connection.execute(fresh) if run not in self._seen]
            for batch in _batches([run for run, _ in new]):
                query = select(run_records.c.members).where(run_records.c.run.in_(batch))
                for members in connection.scalars(query):
                    for part in members:
                        own = self._totals[part["name"]]
                        for field in _MEMBER_FIELDS:
                            own[field] += part[field] or 0
            self._seen.update(new)
            self._since = min(max(self._seen.values(), default=0.0), now) - DAY
            self._seen = {run: at for run, at in self._seen.items() if at >= self._since}
            return {name: dict(own) for name, own in sorted(self._totals.items())}


def _batches(names: list[str], size: int = 500) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _process() -> Iterator[tuple[str, str, str, list[Sample]]]:
    """This process, by the names that Prometheus' own libraries give; where there is a /proc."""
    times = os.times()
    about = "User and system CPU time of this process."
    yield "process_cpu_seconds_total", "counter", about, [("", {}, times.user + times.system)]
    statm = Path("/proc/self/statm")
    if statm.exists():
        virtual, resident = (
            int(pages) * os.sysconf("SC_PAGE_SIZE") for pages in statm.read_text().split()[:2]
        )
        about = "Memory of this process."
        yield "process_resident_memory_bytes", "gauge", about, [("", {}, resident)]
        yield "process_virtual_memory_bytes", "gauge", about, [("", {}, virtual)]


def _by(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [("", {label: name}, count) for name, count in counts.items()]


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
