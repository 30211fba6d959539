"""A paid answer is never paid again, whatever was killed, on whatever machine the job goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from moa_engine.attempt import Attempt
from moa_engine.member import Message, PromptVersion
from moa_engine.record import Record
from review_bot.github.event import Target
from review_bot.server.database import Database, kept_answers
from review_bot.server.jobs import Job
from review_bot.server.kept_answers import KeptAnswers
from tests.review_bot.server.jobs_world import MODELS, Child, World, done, said, world_in
from tests.scripted_endpoint import Scripted

JOB = Job("ada/shop#1@abc", 1, Target("ada/shop", 1))

ANSWER = Attempt(
    id="run.1", run="run", key="k", member="one", kind="chat", model="m", endpoint="", role="proposer",
    layer=1, unit="", sample=0, number=1, purpose="first", prompt=PromptVersion("review", "1"),
    messages=(Message("user", "long"),), parameters={"temperature": 0.7}, text="nul \0 and \ud800",
    raw="raw", finish_reason="stop", tokens_in=1, tokens_out=2, tokens_cached=None,
    cost_usd=Decimal("0.0001"), started=1.0, seconds=2.0,
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path / "world", f"sqlite:///{tmp_path / 'server.sqlite'}") as world:
        yield world


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database.open(database_url)
    yield database
    database.close()


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(kept_answers)) or 0


def test_killed_after_each_answer_and_on_another_machine_each_time(world: World) -> None:
    """Of three answers two are on their way at once, and the third needs both."""
    database = Database.open(world.database)
    answered: list[str] = []
    for number in range(1, 4):

        def answer(request: Any, number: int = number) -> str | Scripted:
            if len(answered) == number:
                return Scripted(hang=True)  # the others let the process wait
            answered.append(request["model"])
            return said(request)

        world.answer = answer
        child = Child(world, world.job(), f"machine-{number}")
        world.models.wait_until(lambda number=number: count(database) == number, 60)  # type: ignore[misc]
        child.kill()
        child.wait()
    database.close()
    assert sorted(answered) == sorted(MODELS)
    assert not world.github.state.reviews
    asked = len(world.asked())
    last = done(world, world.job(), "machine-last")
    world.check()
    assert len(world.asked()) == asked  # nobody was asked by the last one
    assert (last.result["cached"], last.result["calls"]) == (3, 3)
    assert last.result["cost"] == pytest.approx(3 * (100 + 200) / 1e6)


def test_an_answer_is_kept_once_and_comes_back(database: Database, tmp_path: Path) -> None:
    said: list[str] = []
    kept = KeptAnswers(database, JOB, said.append)
    kept.moa_generation(ANSWER)
    kept.moa_generation(ANSWER)
    kept.moa_generation(replace(ANSWER, id="run.2", purpose="cached"))
    kept.moa_generation(replace(ANSWER, id="run.3", error_code="timed_out"))
    assert count(database) == 1
    with Record(tmp_path / "record.sqlite") as record:
        assert kept.restore(record) == 1
        assert kept.restore(record) == 0
        found = record.find("k")
    assert found == replace(ANSWER, messages=(), raw="", parameters={})
    assert said == []


def test_what_only_this_machine_knows_is_kept_for_the_others(database: Database, tmp_path: Path) -> None:
    kept = KeptAnswers(database, JOB, print)
    again = replace(ANSWER, id="now.1", run="now", purpose="cached", cost_usd=Decimal(0))
    with Record(tmp_path / "a.sqlite") as record:
        record.append(ANSWER)
        kept.restore(record)
        kept.moa_generation(again)
        kept.moa_generation(replace(again, id="now.2"))
    assert count(database) == 1
    with database.reading() as connection:
        assert kept.earlier(connection, "now") == (1, pytest.approx(0.0001))
        assert kept.earlier(connection, "run") == (0, 0.0)
    with Record(tmp_path / "b.sqlite") as record:
        assert KeptAnswers(database, JOB, print).restore(record) == 1
