"""One job in a process of its own: what it gets, how it is stopped, what is said of its end."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from review_bot.github.event import Said, Target
from review_bot.server import job_rows
from review_bot.server.child import Start
from review_bot.server.database import jobs
from review_bot.server.jobs import Job
from review_bot.server.workers import LeftForOthers, Limits, Worker
from tests.review_bot.server.working import STAND_IN, Place, Tokens, until

ME = "me-1"


class Desk:
    """A place with one worker."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.start = Start(STAND_IN, lambda _: {"folder": str(place.folder)}, place.folder / "scratch", 3)
        self.worker = self.with_limits(Limits(60, 3, (0.01,)))

    def with_limits(self, limits: Limits) -> Worker:
        return Worker(self.place.database, self.start, Tokens(), limits, self.place.say)

    def job(self, head: str, *, installation: int = 7, body: str = "") -> Job:
        said = Said(1, "ann", body) if body else None
        job = Job(f"shop/cart#1@{head}", installation, Target("shop/cart", 1, "x", said, head=head))
        with self.place.database.writing() as connection:
            job_rows.add(connection, job, time.time())
        return job

    def end_of(self, head: str, **more: object) -> tuple[str, str]:
        """The state after its work, and why."""
        job = self.job(head, **more)  # type: ignore[arg-type]
        self.worker.work(job, ME)
        row = self.place.jobs()[f"#1@{head}"]
        return row.state, row.why

    def begun(self, job: Job) -> threading.Thread:
        """A thread that works on the job, which has begun."""
        thread = threading.Thread(target=self._work, args=(job,))
        thread.start()
        until(lambda: any(id in job.id for id in self.place.did("begin")))
        return thread

    def _work(self, job: Job) -> None:
        try:
            self.worker.work(job, ME)
        except LeftForOthers:
            self.place.say("left for others")

    def change(self, **values: object) -> None:
        with self.place.database.writing() as connection:
            connection.execute(update(jobs).values(**values))

    def nobody_is_left(self) -> bool:
        return not any(map(runs, {pid for *_, pid, _ in self.place.notes()}))


def runs(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = Place(f"sqlite:///{tmp_path / 'server.sqlite'}", tmp_path)
    yield Desk(place)
    place.database.close()


def test_a_job_is_done_in_a_process_and_nothing_of_it_is_left(desk: Desk) -> None:
    assert desk.end_of("greedy") == ("done", "")
    row = desk.place.jobs()["#1@greedy"]
    assert (row.executor, row.attempts) == (ME, 1)
    assert row.queued <= row.started <= row.finished
    assert row.summary == {"phase": "reviewing"}
    until(desk.nobody_is_left)
    assert list((desk.place.folder / "scratch").iterdir()) == []
    desk.worker.work(job_rows.job_of(row), "another")  # the queue hands it out again
    assert desk.place.did("begin") == ["#1@greedy"]


def test_tokens_are_given_over_the_socket_and_secrets_are_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "wohk-secret")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", "wohk-key")
    assert desk.end_of("token") == ("done", "")
    first, second = [json.loads(more) for what, *_, more in desk.place.notes() if what == "token"]
    assert first == {"token": "ghs_7_shop/cart_", "expires": 12.5}
    assert second == {"token": "ghs_7_shop/cart_0f", "expires": 12.5}

    assert desk.end_of("token-none", installation=13)[0] == "done"
    refused = json.loads(desk.place.notes()[-2][3])
    assert refused == {"error": "the installation is suspended", "hint": "Its owner resumes it."}

    assert desk.end_of("environ") == ("done", "")
    environ = next(more for what, *_, more in desk.place.notes() if what == "environ")
    assert "PATH" in environ
    assert "wohk" not in environ


def test_a_crash_is_tried_again_and_then_visible(desk: Desk) -> None:
    assert desk.end_of("crash-once") == ("done", "")
    assert desk.end_of("crash") == ("failed", "\\x1b[31mit broke (tried 3 times)")
    assert desk.place.did("begin").count("#1@crash") == 3


def test_wrong_settings_are_not_tried_again(desk: Desk) -> None:
    assert desk.end_of("wrong") == ("failed", "a setting is wrong")
    assert desk.place.did("begin") == ["#1@wrong"]


def test_a_command_that_cannot_be_started_is_a_failed_job(desk: Desk) -> None:
    desk.start = Start(["/nowhere/python"], lambda _: {}, desk.place.folder / "scratch", 0)
    desk.worker = desk.with_limits(Limits(60, 1))
    state, why = desk.end_of("x")
    assert state == "failed"
    assert "/nowhere/python" in why


def test_a_process_that_takes_too_long_is_ended_whatever_it_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review_bot.server.child._BY_ITSELF", 0.2)
    monkeypatch.setattr("review_bot.server.child._ASKED", 0.2)
    desk.worker = desk.with_limits(Limits(1, 3))
    assert desk.end_of("hang") == ("failed", "it took longer than 1 s")
    until(desk.nobody_is_left)
    assert desk.place.did("end") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "superseded", "why": "a newer commit came"}, "superseded"),
        ({"executor": "another"}, "left for others"),
        ({"state": "queued", "executor": ""}, "left for others"),
    ],
)
def test_a_process_is_stopped_that_is_not_wanted_any_more(
    desk: Desk, change: dict[str, str], said: str
) -> None:
    thread = desk.begun(desk.job("slow"))
    desk.change(**change)
    thread.join(30)
    assert said in desk.place.said()
    until(desk.nobody_is_left)
    assert desk.place.did("end") == []
    row = desk.place.jobs()["#1@slow"]
    assert {name: getattr(row, name) for name in change} == change


def test_who_leaves_stops_its_processes_and_begins_none(desk: Desk) -> None:
    thread = desk.begun(desk.job("slow"))
    assert desk.worker.running == 1
    desk.worker.leave()
    thread.join(30)
    until(desk.nobody_is_left)
    assert desk.place.states() == {"#1@slow": "running"}  # until others see that we are gone
    other = desk.job("x")
    with pytest.raises(LeftForOthers):
        desk.worker.work(other, ME)
    desk.worker.come_back()
    desk.worker.work(other, ME)
    assert desk.place.states()["#1@x"] == "done"


def test_a_job_that_ends_its_servers_is_given_up(desk: Desk) -> None:
    job = desk.job("x")
    desk.change(attempts=25)
    desk.worker.work(job, ME)
    row = desk.place.jobs()["#1@x"]
    assert row.state == "failed"
    assert row.why == "it was begun 25 times, and the server ended each time before it did"
