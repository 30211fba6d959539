"""What metrics count of jobs and runs that were deleted: counters must not go back.

Rows of `retired_totals`, by the name of what is counted and, for members', by the member.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from review_bot.server.database import retired_totals

#: Upper bounds of the histogram of a job's seconds.
BUCKETS = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800)

#: What is counted of each member.
MEMBER_FIELDS = ("calls", "answers", "failures", "cached", "cost_usd")


def add_jobs(connection: Connection, rows: Iterable[tuple[float | None, float | None, float | None]]) -> None:
    """Count jobs that were deleted: when each started and finished, and its cost."""
    totals: Counter[tuple[str, str]] = Counter()
    for started, finished, cost in rows:
        if started is None or finished is None:
            continue
        seconds = finished - started
        totals["jobs", ""] += 1
        totals["seconds", ""] += seconds  # type: ignore[assignment]
        totals["cost", ""] += cost or 0  # type: ignore[assignment]
        for bound in BUCKETS:
            totals[f"within {bound}", ""] += seconds <= bound
    _add(connection, totals)


def add_runs(connection: Connection, runs: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """Count the members of runs that were deleted."""
    totals: Counter[tuple[str, str]] = Counter()
    for members in runs:
        for part in members:
            for field in MEMBER_FIELDS:
                totals[field, part["name"]] += part[field] or 0
    _add(connection, totals)


def totals_of_jobs(connection: Connection) -> list[float]:
    """How many they were, their seconds, their cost, and how many were within each of the bounds."""
    rows = connection.execute(select(retired_totals).where(retired_totals.c.member == "")).all()
    found = {row.name: row.total for row in rows}
    names = ("jobs", "seconds", "cost", *(f"within {bound}" for bound in BUCKETS))
    return [found.get(name, 0.0) for name in names]


def totals_of_members(connection: Connection) -> dict[str, dict[str, float]]:
    """The totals of each member."""
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(select(retired_totals).where(retired_totals.c.member != "")):
        found.setdefault(row.member, dict.fromkeys(MEMBER_FIELDS, 0.0))[row.name] = row.total
    return found


def _add(connection: Connection, totals: Mapping[tuple[str, str], float]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(retired_totals)
    added = new.on_conflict_do_update(
        index_elements=["name", "member"], set_={"total": retired_totals.c.total + new.excluded.total}
    )
    rows = [
        {"name": name, "member": member, "total": float(total)} for (name, member), total in totals.items()
    ]
    if rows:
        connection.execute(added, rows)
