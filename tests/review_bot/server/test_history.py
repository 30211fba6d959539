from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from review_bot.server import health, history
from review_bot.server.database import Database, jobs, run_records

NOW = datetime(2026, 11, 28, 0, 30, tzinfo=UTC).timestamp()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.open(database_url)
    yield opened
    opened.close()


def job(database: Database, id: str, **fields: Any) -> None:
    given = {
        "id": id,
        "repository": "ada/shop",
        "number": 1,
        "head": "abc",
        "reason": {},
        "queued": NOW - 900,
    }
    with database.writing() as connection:
        connection.execute(insert(jobs), {**given, "state": "done", **fields})


def run(database: Database, name: str, started: float, *parts: dict[str, Any]) -> None:
    row = {"run": name, "started": started, "members": list(parts), "document": {}}
    with database.writing() as connection:
        connection.execute(insert(run_records), row)


def part(name: str, latencies: list[float], cost: float | None = 0.0, error: Any = None) -> dict[str, Any]:
    failures = 1 if error else 0
    return {
        "name": name, "kind": "chat", "model": "m", "calls": len(latencies) + failures, "cached": 1,
        "answers": len(latencies), "failures": failures, "latencies": latencies, "cost_usd": cost,
        "last_error": error,
    }  # fmt: skip


def test_days_are_utc_and_have_what_all_jobs_cost(database: Database) -> None:
    job(database, "today", finished=NOW - 60, cost=0.25, calls=3)
    job(database, "yesterday", finished=NOW - 3_600, cost=0.5, calls=2)
    job(database, "stopped", state="superseded", finished=NOW - 3_600, cost=0.125, calls=1)
    job(database, "unknown", finished=NOW - 3_600, cost=None, calls=4)
    job(database, "nothing", finished=NOW - 3_600, cost=None, calls=0)
    job(database, "old", finished=NOW - 3 * history.DAY, cost=100.0, calls=1)
    assert history.days(database, NOW, 3) == [
        history.Day(date(2026, 11, 26), 0, 0, 0.0, 0),
        history.Day(date(2026, 11, 27), 3, 7, 0.625, 1),
        history.Day(date(2026, 11, 28), 1, 3, 0.25, 0),
    ]


def test_a_failure_is_shown_until_something_came_after_it(database: Database) -> None:
    failed = {"state": "failed", "why": "no model"}
    job(database, "ada/shop#1@a", number=1, **failed)
    job(database, "ada/shop#1@b", number=1, queued=NOW - 10)  # pushed again
    job(database, "ada/shop#2@a", number=2, **failed)
    job(database, "ada/shop#2!7", number=2, head="", queued=NOW - 10)  # a comment: reviews nothing
    job(database, "ada/shop#3!5", number=3, head="", **failed)
    job(database, "ada/shop#3!5~2", number=3, head="", queued=NOW - 10, state="running")
    job(database, "ada/shop#4@a~2", number=4, **failed)
    job(database, "ada/pets#4@a~3", repository="ada/pets", number=4, queued=NOW - 10)
    job(database, "ada/shop#5@a", number=5, **{**failed, "queued": NOW - 30 * history.DAY})
    found = history.queue(database, NOW)
    assert {one.id for one in found.failed} == {"ada/shop#2@a", "ada/shop#4@a~2"}
    assert found.failed_count == 2
    assert [one.id for one in found.running] == ["ada/shop#3!5~2"]


def test_members_health(database: Database) -> None:
    run(database, "old", NOW - 2 * history.DAY, part("qwen", [99.0]))
    early = {"at": NOW - 50, "code": "timeout", "text": "first"}
    late = {"at": NOW - 40, "code": "http", "text": "second"}
    run(database, "r1", NOW - 60, part("qwen", [1.0, 2.0], 0.5, late), part("llama", [], None, early))
    run(database, "r2", NOW - 30, part("qwen", [float(n) for n in range(3, 21)], 0.25, early))
    llama, qwen = health.members(database, NOW - history.DAY)
    assert (llama.name, llama.p50, llama.cost, llama.failures) == ("llama", None, None, 1)
    assert (qwen.runs, qwen.answers, qwen.failures, qwen.cached) == (2, 20, 2, 2)
    assert (qwen.p50, qwen.p95, qwen.slowest, qwen.cost) == (10.0, 19.0, 20.0, 0.75)
    assert (qwen.error, qwen.error_code, qwen.error_run) == ("second", "http", "r1")
    costs = health.costs(database, NOW - history.DAY)
    assert costs == {date(2026, 11, 28): {"qwen": 0.75, "llama": None}}
