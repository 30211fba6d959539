"""How the members do: what they answered, how fast, how often they failed, and what they cost."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from review_bot.server.database import Database, run_records


@dataclass(frozen=True, slots=True)
class Health:
    """One member since some time. Seconds are None without an answer, the cost where a price is not known."""

    name: str
    kind: str
    model: str
    runs: int
    calls: int
    answers: int
    failures: int
    cached: int
    p50: float | None
    p95: float | None
    slowest: float | None
    cost: float | None
    error: str  #: the last one
    error_code: str
    error_at: float | None
    error_run: str


@dataclass
class _Sum:
    kind: str = ""
    model: str = ""
    runs: int = 0
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    latencies: list[float] = field(default_factory=list)
    cost: float | None = 0.0
    error: Mapping[str, Any] = field(default_factory=dict)
    error_run: str = ""


def members(database: Database, since: float) -> list[Health]:
    """All members of runs that started since then, by name."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for run, _, parts in _parts(database, since):
        for part in parts:
            _add(sums[part["name"]], part, run)
    return [_health(name, total) for name, total in sorted(sums.items())]


def costs(database: Database, since: float) -> dict[date, dict[str, float | None]]:
    """By day (UTC) and member, what runs cost; None where a price is not known."""
    found: dict[date, dict[str, float | None]] = defaultdict(dict)
    for _, started, parts in _parts(database, since):
        day = found[datetime.fromtimestamp(started, UTC).date()]
        for part in parts:
            day[part["name"]] = _plus(day.get(part["name"], 0.0), part["cost_usd"])
    return found


def percentile(sorted_values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    if not sorted_values:
        return None
    return sorted_values[max(math.ceil(share * len(sorted_values)), 1) - 1]


def _parts(database: Database, since: float) -> Iterable[tuple[str, float, Sequence[Mapping[str, Any]]]]:
    columns = (run_records.c.run, run_records.c.started, run_records.c.members)
    query = select(*columns).where(run_records.c.started >= since).order_by(run_records.c.started)
    with database.reading() as connection:
        return [(run, started, parts) for run, started, parts in connection.execute(query)]


def _add(total: _Sum, part: Mapping[str, Any], run: str) -> None:
    total.kind, total.model = part.get("kind", total.kind), part.get("model", total.model)
    total.runs += 1
    for name in ("calls", "answers", "failures", "cached"):
        total.counts[name] += part[name]
    total.latencies += part["latencies"]
    total.cost = _plus(total.cost, part["cost_usd"])
    error = part["last_error"]
    if error and error["at"] >= total.error.get("at", 0):
        total.error, total.error_run = error, run


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _health(name: str, total: _Sum) -> Health:
    times = sorted(total.latencies)
    return Health(
        name=name,
        kind=total.kind,
        model=total.model,
        runs=total.runs,
        calls=total.counts["calls"],
        answers=total.counts["answers"],
        failures=total.counts["failures"],
        cached=total.counts["cached"],
        p50=percentile(times, 0.5),
        p95=percentile(times, 0.95),
        slowest=times[-1] if times else None,
        cost=total.cost,
        error=total.error.get("text", ""),
        error_code=total.error.get("code", ""),
        error_at=total.error.get("at"),
        error_run=total.error_run,
    )
