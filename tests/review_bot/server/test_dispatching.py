"""What becomes of deliveries: which are jobs, which are not, which wait; on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import update

from review_bot.server.database import deliveries, jobs
from review_bot.server.dispatching import Dispatcher
from review_bot.server.jobs import Job
from tests.review_bot.server.working import Place


class Turns:
    """A queue that only keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.dropped: list[str] = []
        self.away = False

    def enqueue(self, *new: Job) -> None:
        if self.away:
            raise OSError("the queue is away")
        self.given += [job.id.removeprefix("shop/cart") for job in new]

    def drop(self, ids: Sequence[str]) -> None:
        self.dropped += [id.removeprefix("shop/cart") for id in ids]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(database_url, tmp_path)
    yield place
    place.database.close()


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def dispatcher(place: Place, turns: Turns) -> Dispatcher:
    return Dispatcher(place.database, turns, 100, place.say)


def ends(place: Place, id: str, state: str, run: str = "") -> None:
    """A worker did with the job."""
    with place.database.writing() as connection:
        changed = update(jobs).where(jobs.c.id == f"shop/cart{id}")
        connection.execute(changed.values(state=state, run=run, started=time.time(), finished=time.time()))


def test_the_newest_of_several_pushes_is_reviewed(place: Place, dispatcher: Dispatcher, turns: Turns) -> None:
    old, new, other = place.push("a"), place.push("b"), place.push("c", 2)
    assert dispatcher.dispatch() == 3
    assert turns.given == ["#1@b", "#2@c"]
    assert place.states() == {"#1@b": "queued", "#2@c": "queued"}
    assert (place.delivery(old).state, place.delivery(new).state) == ("superseded", "queued")
    assert place.delivery(other).job == "shop/cart#2@c"
    assert dispatcher.dispatch() == 0


def test_a_push_supersedes_what_is_queued_or_runs_and_no_comment(
    place: Place, dispatcher: Dispatcher, turns: Turns
) -> None:
    place.push("a")
    place.comment("/review", id=5)
    place.push("x", 2)
    dispatcher.dispatch()
    ends(place, "#1@a", "running")
    place.push("b")
    dispatcher.dispatch()
    place.push("c")
    dispatcher.dispatch()
    assert place.states() == {
        "#1@a": "superseded", "#1!5": "queued", "#2@x": "queued", "#1@b": "superseded", "#1@c": "queued"
    }  # fmt: skip
    assert place.jobs()["#1@b"].why == "a newer commit came: c"
    assert turns.dropped == ["#1@a", "#1@b"]


def test_comments_are_jobs_of_their_own_in_order_and_once(
    place: Place, dispatcher: Dispatcher, turns: Turns
) -> None:
    place.comment("/dismiss abcd12 no", id=9)
    place.push("a")
    place.comment("/review", id=4)
    again = place.comment("/review", id=4)
    dispatcher.dispatch()
    assert turns.given == ["#1!9", "#1@a", "#1!4"]
    assert list(place.jobs()) == turns.given
    assert place.delivery(again).job == "shop/cart#1!4"


def test_the_same_commit_again(place: Place, dispatcher: Dispatcher, turns: Turns) -> None:
    place.push("a", action="opened")
    dispatcher.dispatch()
    joined = place.push("a", action="labeled")
    dispatcher.dispatch()
    assert place.delivery(joined).job == "shop/cart#1@a"

    ends(place, "#1@a", "running")
    during = place.push("a", action="ready_for_review")
    dispatcher.dispatch()
    assert place.delivery(during).state == "waiting"
    assert "being reviewed" in place.delivery(during).why

    ends(place, "#1@a", "done", run="r1")
    after = place.push("a", action="labeled")
    dispatcher.dispatch()
    assert place.delivery(after).state == "ignored"
    assert place.delivery(after).why == "the commit was reviewed: run r1"
    assert turns.given == ["#1@a"]


@pytest.mark.parametrize(
    ("state", "run", "delivered"),
    [
        ("done", "", {"action": "ready_for_review"}),  # it was a draft, and not reviewed
        ("failed", "", {"action": "labeled"}),
        ("superseded", "r1", {}),  # forced back to where it was
        ("done", "r1", {"action": "edited"}),  # has another base
        ("done", "r1", {"action": "rerequested", "again": True}),
    ],
)
def test_the_same_commit_is_a_job_again_where_it_has_to_be(
    place: Place, dispatcher: Dispatcher, turns: Turns, state: str, run: str, delivered: dict[str, object]
) -> None:
    place.push("a_%")
    dispatcher.dispatch()
    ends(place, "#1@a_%", state, run)
    place.push("a_%", **delivered)
    place.push("a_%", action="labeled")  # the newest one stands for both
    dispatcher.dispatch()
    assert turns.given == ["#1@a_%", "#1@a_%~2"]


def test_an_installation_waits_for_its_reviews_of_the_hour(place: Place, turns: Turns) -> None:
    dispatcher = Dispatcher(place.database, turns, 3, place.say)
    for number in (1, 2, 3):
        place.push("a", number)
    late, talk, other = (
        place.push("a", 4),
        place.comment("/explain abcd12", 5, id=1),
        place.push("a", 6, installation=8),
    )
    later = place.comment("/review", 7, id=2)
    dispatcher.dispatch()
    assert turns.given == ["#1@a", "#2@a", "#3@a", "#5!1", "#6@a"]
    row = place.delivery(late)
    assert row.state == place.delivery(later).state == "waiting"
    assert row.why.startswith("3 reviews of this installation in the last hour; goes on at ")
    assert 3590 < row.due - time.time() < 3610
    assert (place.delivery(talk).state, place.delivery(other).state) == ("queued", "queued")

    newer = place.push("b", 4)
    dispatcher.dispatch()
    assert place.delivery(late).state == "superseded"
    assert place.delivery(newer).state == "waiting"

    with place.database.writing() as connection:  # an hour passes
        connection.execute(update(jobs).values(queued=jobs.c.queued - 3600))
        connection.execute(update(deliveries).values(due=deliveries.c.due - 3600))
    dispatcher.dispatch()
    assert turns.given[5:] == ["#7!2", "#4@b"]  # in the order in which they were delivered
    assert place.delivery(newer).state == place.delivery(later).state == "queued"


def test_what_was_superseded_before_it_began_counts_for_nothing(place: Place, turns: Turns) -> None:
    dispatcher = Dispatcher(place.database, turns, 3, place.say)
    for head in "abcdefgh":
        place.push(head)
        dispatcher.dispatch()
    assert turns.given[-1] == "#1@h"


def test_a_queue_that_is_away_gets_the_jobs_later(place: Place, dispatcher: Dispatcher, turns: Turns) -> None:
    turns.away = True
    place.push("a")
    with pytest.raises(OSError, match="away"):
        dispatcher.dispatch()
    assert place.states() == {"#1@a": "queued"}
    turns.away = False
    place.push("b", 2)
    dispatcher.dispatch()
    assert turns.given == ["#1@a", "#2@b"]


def test_many_who_dispatch_make_each_job_once(place: Place, turns: Turns) -> None:
    delivered = [place.push("a", number) for number in range(1, 121)]

    def work() -> None:
        dispatcher = Dispatcher(place.database, turns, 1000, place.say)
        while any(place.delivery(id).state == "new" for id in delivered):
            dispatcher.dispatch()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns.given) == sorted(f"#{number}@a" for number in range(1, 121))
