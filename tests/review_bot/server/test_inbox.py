"""What is delivered is kept once, before it is answered, whatever the database does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, event, select, text

from review_bot.server import inbox as inbox_module
from review_bot.server.database import Database, DatabaseFailed, deliveries
from review_bot.server.deliveries import Delivery
from review_bot.server.inbox import Inbox

DELIVERY = Delivery("one", "pull_request", "ada/shop", 7, 99, {"head": "a" * 40})


def numbered(number: int) -> Delivery:
    return replace(DELIVERY, id=f"delivery-{number}", number=number)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url)
    yield database
    database.close()


@pytest.fixture
def inbox(database: Database) -> Iterator[Inbox]:
    inbox = Inbox(database)
    yield inbox
    inbox.close()


def rows(database: Database) -> Sequence[Row[Any]]:
    with database.reading() as connection:
        return connection.execute(select(deliveries)).all()


def ids(database: Database) -> set[str]:
    return {row.id for row in rows(database)}


def put(inbox: Inbox, *given: Delivery) -> list[str]:
    async def all_at_once() -> list[str]:
        return list(await asyncio.gather(*map(inbox.put, given)))

    return asyncio.run(all_at_once())


def test_a_delivery_is_kept_when_it_is_put_and_seen_the_next_time(inbox: Inbox, database: Database) -> None:
    assert put(inbox, DELIVERY) == ["new"]
    (row,) = rows(database)
    assert (row.id, row.event, row.repository, row.number, row.installation, row.wish, row.state) == (
        "one", "pull_request", "ada/shop", 7, 99, {"head": "a" * 40}, "new",
    )  # fmt: skip
    assert abs(row.received - time.time()) < 60
    assert put(inbox, replace(DELIVERY, number=8)) == ["seen"]
    assert [row.number for row in rows(database)] == [7]


def test_a_burst_goes_into_few_commits_and_repetitions_in_it_count_once(
    inbox: Inbox, database: Database
) -> None:
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    given = [numbered(number % 400) for number in range(1200)]
    answers = put(inbox, *given)
    assert Counter(answers) == {"new": 400, "seen": 800}
    assert answers[:400] == ["new"] * 400
    assert len(commits) < 40
    assert sorted(row.number for row in rows(database)) == list(range(400))


def test_two_processes_keep_a_delivery_once(database_url: str, database: Database) -> None:
    inboxes = [Inbox(database), Inbox(other := Database.open(database_url))]
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda inbox=inbox: answers.extend(put(inbox, *map(numbered, range(200)))))
        for inbox in inboxes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for inbox in inboxes:
        inbox.close()
    other.close()
    assert Counter(answers) == {"new": 200, "seen": 200}


def test_deliveries_wait_while_the_database_is_away(inbox: Inbox, database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))

    async def while_it_is_away() -> list[str]:
        waiting = [asyncio.create_task(inbox.put(numbered(number))) for number in range(20)]
        await asyncio.wait(waiting, timeout=0.3)
        assert not any(task.done() for task in waiting)
        with database.writing() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO deliveries"))
        return list(await asyncio.gather(*waiting))

    assert asyncio.run(while_it_is_away()) == ["new"] * 20
    assert len(ids(database)) == 20


def test_whoever_waits_too_long_is_told_and_the_next_one_is_served(
    inbox: Inbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "_RETRIED", 0.0)
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))
    with pytest.raises(DatabaseFailed, match="does not take deliveries"):
        put(inbox, DELIVERY)
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO deliveries"))
    assert put(inbox, DELIVERY) == ["new"]


def test_a_database_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "_PATIENCE", 0.2)
    database = Database.open(f"sqlite:///{tmp_path}/server.sqlite")
    inbox = Inbox(database)
    with database.writing(), pytest.raises(DatabaseFailed, match="does not answer"):
        put(inbox, DELIVERY)
    inbox.close()  # what was queued is written all the same: GitHub's next try finds it
    assert ids(database) == {"one"}
    database.close()


def test_a_closed_inbox_takes_nothing(inbox: Inbox) -> None:
    put(inbox, DELIVERY)
    inbox.close()
    with pytest.raises(DatabaseFailed):
        put(inbox, DELIVERY)
