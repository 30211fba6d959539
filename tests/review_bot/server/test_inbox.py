"""What is delivered is kept once, before it is answered, whatever the database does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

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


def put(inbox: Inbox, *given: Delivery) -> list[str]:
    async def all_at_once() -> list[str]:
        return list(await asyncio.gather(*map(inbox.put, given)))

    return asyncio.run(all_at_once())


def test_a_delivery_is_kept_when_it_is_put_and_seen_the_next_time(inbox: Inbox, database: Database) -> None:
    assert put(inbox, DELIVERY) == ["new"]
    with database.reading() as connection:
        (row,) = connection.execute(select(deliveries)).all()
    assert (row.id, row.event, row.repository, row.number, row.installation, row.wish, row.state) == (
        "one", "pull_request", "ada/shop", 7, 99, {"head": "a" * 40}, "new",
    )  # fmt: skip
    assert abs(row.received - time.time()) < 60
    assert put(inbox, replace(DELIVERY, number=8)) == ["seen"]
    assert [row.number for row in inbox.take(10)] == [7]


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
    assert sorted(row.number for row in inbox.take(1000)) == list(range(400))


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


def test_what_is_dealt_with_is_not_taken_again(inbox: Inbox) -> None:
    put(inbox, *map(numbered, range(6)))
    assert len(inbox.take(4)) == 4
    assert inbox.mark(["delivery-0", "delivery-1"], "queued", job="job") == 2
    assert inbox.mark(["delivery-2"], "waiting", "too many", due=time.time() + 1000) == 1
    assert inbox.mark(["delivery-3"], "waiting", "too many", due=time.time() - 1) == 1
    assert sorted(row.id for row in inbox.take(10)) == ["delivery-3", "delivery-4", "delivery-5"]


def test_what_is_said_first_of_a_delivery_holds(inbox: Inbox, database: Database) -> None:
    put(inbox, DELIVERY)
    assert inbox.mark(["one"], "superseded", "a newer push") == 1
    assert inbox.mark(["one"], "queued", job="job") == 0
    with database.reading() as connection:
        row = connection.execute(select(deliveries)).one()
    assert (row.state, row.why, row.job) == ("superseded", "a newer push", "")


def test_what_is_ignored_is_kept_and_never_taken(inbox: Inbox) -> None:
    ignored = replace(DELIVERY, state="ignored", why="the comment is no command")
    assert put(inbox, ignored) == ["new"]
    assert inbox.take(10) == []


def test_only_what_is_old_and_dealt_with_is_forgotten(inbox: Inbox, database: Database) -> None:
    put(inbox, *map(numbered, range(3)))
    inbox.mark(["delivery-0"], "ignored", "nothing")
    inbox.mark(["delivery-1"], "waiting", due=0.0)
    assert inbox.forget(before=time.time() - 1000) == 0
    assert inbox.forget(before=time.time() + 1000) == 1
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(deliveries)) == 2


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
    assert len(inbox.take(100)) == 20


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
    assert [row.id for row in inbox.take(10)] == ["one"]
    database.close()


def test_a_closed_inbox_takes_nothing(inbox: Inbox) -> None:
    put(inbox, DELIVERY)
    inbox.close()
    with pytest.raises(DatabaseFailed):
        put(inbox, DELIVERY)
