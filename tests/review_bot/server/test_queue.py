"""The queue at work, on both databases: in order, one at a time, visible; a server's end loses nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moa_engine.errors import MoaError
from review_bot.server.dispatching import Dispatcher
from tests.review_bot.server.working import Place, Process, until

Serve = Callable[..., Process]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    place = Place(database_url, tmp_path / "place")
    yield place
    place.database.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts processes that work; none outlives its test."""
    started: list[Process] = []

    def start(place: Place, **settings: object) -> Process:
        started.append(Process(place, **settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Iterator[Place]:
    """A database that servers share."""
    place = Place(postgres_url, tmp_path / "place")
    yield place
    place.database.close()


def at_once(place: Place) -> int:
    """The most jobs of one pull request that ran at the same time, as their processes saw it."""
    running: dict[str, int] = {}
    most = 0
    for what, id, *_ in place.notes():
        pull = id[: 2 if id[2] in "@!" else 3]
        running[pull] = running.get(pull, 0) + {"begin": 1, "end": -1, "stopped": -1}.get(what, 0)
        most = max(most, running[pull])
    return most


def ended(place: Place, count: int) -> bool:
    states = list(place.states().values())
    return len(states) == count and not {"queued", "running"} & set(states)


def test_a_day_at_the_queue(place: Place) -> None:
    working = place.working(jobs=3, attempts=1)
    working.start()
    try:
        assert working.alive()
        # Comments in their order, whatever their ids, beside other pull requests.
        for number in (9, 3, 7, 1):
            place.comment("/explain abcd12", id=number)
        place.push("wrong", 2)
        place.push("slow", 3)
        until(lambda: place.states().get("#3@slow") == "running")
        place.push("newer", 3)  # the newest supersedes what runs
        until(lambda: ended(place, 7))
        assert [id for id in place.did("begin") if id.startswith("#1!")] == ["#1!9", "#1!3", "#1!7", "#1!1"]
        assert at_once(place) == 1
        states = place.states()
        assert states.pop("#2@wrong") == "failed"
        assert states.pop("#3@slow") == "superseded"
        assert set(states.values()) == {"done"}
        assert "#3@slow" not in place.did("end")
        assert working.queue.depth() == {"queued": 0, "running": 0, "failed": 1}

        # A dead job is visible, and can be run again; what is not there or has not ended cannot.
        assert place.jobs()["#2@wrong"].why == "a setting is wrong"
        assert working.queue.run_again("shop/cart#2@wrong") == "shop/cart#2@wrong~2"
        assert place.jobs()["#2@wrong~2"].reason["again"] is True
        until(lambda: ended(place, 8))
        place.push("slow", 4)
        until(lambda: place.states().get("#4@slow") == "running")
        with pytest.raises(MoaError, match="is running"):
            working.queue.run_again("shop/cart#4@slow")
        with pytest.raises(MoaError, match="no job"):
            working.queue.run_again("shop/cart#4")
        place.go()
        until(lambda: ended(place, 9))
        assert working.queue.forget(time.time() - 60) == 0
        until(lambda: working.queue.forget(time.time() + 60) == 0)
        assert working.queue.run_again("shop/cart#2@wrong") == "shop/cart#2@wrong~3"
        until(lambda: ended(place, 10))
    finally:
        working.stop(10)
    assert not working.alive()
    assert place.did("begin").count("#1!9") == 1


def test_jobs_between_the_table_and_the_queue_are_found(tmp_path: Path) -> None:
    """Their server died after the one commit, and before the other."""
    place = Place(f"sqlite:///{tmp_path / 'server.sqlite'}", tmp_path / "place")
    place.push("a")
    Dispatcher(place.database, _Nowhere(), 9, place.say).dispatch()
    assert place.states() == {"#1@a": "queued"}
    working = place.working()
    working.start()
    until(lambda: ended(place, 1))
    working.stop(10)
    assert place.states() == {"#1@a": "done"}
    place.database.close()


class _Nowhere:
    def enqueue(self, *_: object) -> None: ...
    def drop(self, _: object) -> None: ...


def test_a_restart_after_kill_9_goes_on(place: Place, serve: Serve) -> None:
    first = serve(place)
    place.push("slow")
    place.comment("/explain abcd12", id=5)
    place.push("slow", 2)
    until(lambda: len(place.did("begin")) == 2)
    place.push("later", 3)
    first.end(signal.SIGKILL)
    place.go()
    second = serve(place)
    until(lambda: ended(place, 4))
    assert second.end() == 0
    assert set(place.states().values()) == {"done"}
    assert sorted(place.did("end")) == ["#1!5", "#1@slow", "#2@slow", "#3@later"]
    assert place.jobs()["#1@slow"].attempts == 2
    assert not list((place.folder / "scratch").glob("*/*"))


def test_servers_share_the_queue_and_stopping_some_loses_nothing(shared: Place, serve: Serve) -> None:
    stopped, killed, kept = (serve(shared, jobs=1, grace_seconds=0) for _ in range(3))
    for number in range(1, 4):
        shared.push("slow", number)
        shared.comment("/explain abcd12", number, id=number)
    until(lambda: len(shared.did("begin")) == 3)
    began = {row.executor for row in shared.jobs().values() if row.state == "running"}
    assert len(began) == 3  # each has one, as many as it may
    assert stopped.end(signal.SIGTERM) == 0
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    shared.go()
    until(lambda: ended(shared, 6))
    assert set(shared.states().values()) == {"done"}
    assert sorted(shared.did("end")) == ["#1!1", "#1@slow", "#2!2", "#2@slow", "#3!3", "#3@slow"]
    until(lambda: len(shared.executors()) == 1)
    assert {row.executor for row in shared.jobs().values()} == {*shared.executors()}
    assert kept.end() == 0


def test_a_server_that_was_asleep_gives_up_what_others_took(shared: Place, serve: Serve) -> None:
    """Its processes sleep, too: a suspended machine. Nobody's signal is needed to notice."""
    one = serve(shared, jobs=1, silent_seconds=4.0)
    shared.push("slow")
    until(lambda: shared.states().get("#1@slow") == "running")
    old = shared.executors()
    one.process.send_signal(signal.SIGSTOP)
    two = serve(shared, jobs=1, silent_seconds=4.0)
    until(lambda: len(shared.did("begin")) == 2)  # after the silence
    assert not set(old) & set(shared.executors())
    one.process.send_signal(signal.SIGCONT)
    until(lambda: len(shared.executors()) == 2)  # it is back, under a new name
    until(lambda: "given to others" in shared.said())
    shared.go()
    until(lambda: ended(shared, 1))
    shared.push("b", 2)
    until(lambda: ended(shared, 2))
    assert sorted(shared.did("end")) == ["#1@slow", "#2@b"]
    one.end()
    two.end()
