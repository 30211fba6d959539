"""What is old is deleted, on both databases; what is still asked for stays, and counters do not go back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from review_bot.server.database import deliveries, jobs, kept_answers, run_records
from review_bot.server.deliveries import CLOSED
from review_bot.server.metrics import Metrics
from review_bot.server.retention import Retention
from tests.review_bot.server.working import Place, until

DAY = 86400.0


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(database_url, tmp_path / "place")
    yield place
    place.database.close()


def put(place: Place, table: Any, **values: Any) -> None:
    with place.database.writing() as connection:
        connection.execute(insert(table).values(**values))


def run(place: Place, name: str, number: int, started: float) -> None:
    part = {"name": "qwen", "calls": 2, "answers": 1, "failures": 1, "cached": 3, "cost_usd": 0.5}
    put(
        place, run_records, run=name, repository="shop/cart", number=number, started=started,
        members=[part], document={},
    )  # fmt: skip


def answer(place: Place, job: str) -> None:
    put(place, kept_answers, job=job, key="k", generation=f"of {job}", attempt={}, at=time.time())


def left(place: Place, column: Any) -> set[str]:
    with place.database.reading() as connection:
        return set(connection.scalars(select(column)))


def counters(place: Place) -> list[str]:
    lines = Metrics(place.database).text(time.time()).splitlines()
    return [line for line in lines if line.startswith(("moa_job_seconds", "moa_cost", "moa_member"))]


def test_what_ended_long_ago_is_deleted(place: Place) -> None:
    working = place.working(jobs=3)
    working.start()
    try:
        for number, head in enumerate(("open", "closed", "slow", "wrong"), 1):
            place.push(head, number)
        until(lambda: sorted(place.states().values()) == ["done", "done", "failed", "running"])
        now = time.time()
        with place.database.writing() as connection:
            connection.execute(update(jobs).where(jobs.c.state == "done").values(cost=0.25))
        run(place, "first of the open one", 1, now - 2 * DAY)
        run(place, "last of the open one", 1, now)
        run(place, "of the closed one", 2, now)
        for job in ("shop/cart#2@closed", "shop/cart#3@slow", "bench/of/old"):
            answer(place, job)
        facts = {"event": "pull_request", "repository": "shop/cart", "wish": {}}
        put(place, deliveries, id="end", received=now, number=2, state="ignored", why=CLOSED, **facts)
        put(
            place, deliveries, id="reopened", received=now - 9, number=1, state="ignored", why=CLOSED, **facts
        )
        put(place, deliveries, id="waits", received=now, number=1, state="waiting", due=now + 1e9, **facts)
        before = counters(place)
        retention = Retention(place.database, working.queue, 90, place.say)

        assert list(retention.portions(now + 89 * DAY)) == [1, 4]  # a run, and deliveries of the year 2001
        assert left(place, run_records.c.run) == {"last of the open one", "of the closed one"}
        assert len(left(place, deliveries.c.id)) == 3

        assert sum(retention.portions(now + 91 * DAY)) > 0
        assert list(retention.portions(now + 91 * DAY)) == []
        assert left(place, run_records.c.run) == {"last of the open one"}
        assert place.states() == {"#1@open": "done", "#3@slow": "running"}
        assert left(place, kept_answers.c.job) == {"shop/cart#3@slow"}
        assert left(place, deliveries.c.id) == {"waits"}
        assert counters(place) == before
        assert "moa_job_seconds_count 3.0" in before
        assert "moa_cost_usd_total 0.5" in before

        place.push("closed", 2)  # nothing is left of it that would be in the way
        until(lambda: place.states().get("#2@closed") == "done")
        assert place.did("begin").count("#2@closed") == 2
        place.go()
        until(lambda: place.states()["#3@slow"] == "done")
    finally:
        working.stop(0)
