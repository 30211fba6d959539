"""The process of one job: a review like the command's, tokens over a socket, settings of the operator's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from review_bot.github.event import Said
from review_bot.server.channel import CLOSED
from review_bot.server.database import Database, jobs, run_records
from review_bot.server.jobs import Job
from tests.review_bot.github.fake_github import Sent
from tests.review_bot.server.jobs_world import MODELS, Child, World, done, world_in
from tests.scripted_endpoint import Scripted


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path / "world", f"sqlite:///{tmp_path / 'server.sqlite'}") as world:
        yield world


@pytest.fixture
def world_on_both(tmp_path: Path, database_url: str) -> Iterator[World]:
    with world_in(tmp_path / "world", database_url) as world:
        yield world


def written(world: World, job: Job) -> None:
    """The job's row, as the server writes it."""
    database = Database.open(world.database)
    with database.writing() as connection:
        connection.execute(
            insert(jobs).values(
                id=job.id,
                repository=job.repository,
                number=job.number,
                reason=job.target.to_json(),
                state="running",
                queued=time.time(),
            )
        )
    database.close()


def rows(world: World, table: Any) -> list[dict[str, Any]]:
    database = Database.open(world.database)
    with database.reading() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(table))]
    database.close()
    return found


def test_a_push_is_reviewed_and_put_down(world_on_both: World) -> None:
    world, job = world_on_both, world_on_both.job()
    written(world, job)
    child = done(world, job)
    world.check()
    assert sorted(world.asked()) == sorted(MODELS)
    assert child.tokens == [""]
    [run] = rows(world, run_records)
    assert (run["job"], run["repository"], run["number"]) == (job.id, "ada/shop", 1)
    assert (run["head"], run["status"], run["calls"]) == (world.author.head(), "complete", 3)
    assert [member["name"] for member in run["members"]] == [*MODELS]
    [row] = rows(world, jobs)
    assert (row["run"], row["status"], row["calls"]) == (run["run"], "complete", 3)
    assert row["cost"] == pytest.approx(3 * (100 + 200) / 1e6)
    assert row["summary"] == {
        "title": "A change", "findings": {"confirmed": 2}, "new": 2, "known": 0, "gone": 0
    }  # fmt: skip
    told = {"why": "", **{name: row[name] for name in child.result if name != "why"}}
    assert child.result == told
    assert {line["phase"] for line in child.lines[:-1]} == {"reading", "reviewing", "posting"}


def test_what_has_been_reviewed_costs_nothing(world: World) -> None:
    job = world.job()
    written(world, job)
    first = done(world, job)
    again = done(world, job).result  # as after a process that was killed when all was posted
    assert (again["run"], again["calls"], again["why"]) == (first.result["run"], 3, "")
    other = done(world, Job("ada/shop#1@another", 1, job.target)).result
    assert (other["run"], other["why"]) == (
        "", f"{world.author.head()[:10]} has been reviewed in run {first.result['run']}"
    )  # fmt: skip
    assert len(world.asked()) == 3


def test_a_finding_is_explained_on_a_machine_that_did_not_find_it(world_on_both: World) -> None:
    world = world_on_both
    done(world, world.job(), "a")
    id = next(iter(rows(world, run_records)))["document"]["review"]["findings"][0]["id"]
    note = world.github.state.say(1, "bob", f"/explain {id}")
    done(world, world.job(event="issue_comment", said=Said(note.id, "bob", note.body)), "b")
    *_, answer = world.github.state.notes.values()
    assert "In the words of one" in answer.body
    assert "raises a NameError" in answer.body


def test_runs_of_other_repositories_are_not_explained(world: World) -> None:
    done(world, world.job(), "a")
    id = next(iter(rows(world, run_records)))["document"]["review"]["findings"][0]["id"]
    database = Database.open(world.database)
    with database.writing() as connection:
        connection.execute(run_records.update().values(repository="eve/shop"))
    database.close()
    note = world.github.state.say(1, "bob", f"/explain {id}")
    done(world, world.job(event="issue_comment", said=Said(note.id, "bob", note.body)), "b")
    *_, answer = world.github.state.notes.values()
    assert "is not on this machine" in answer.body


def test_a_comment_asks_for_a_review_of_all(world: World) -> None:
    written(world, world.job())
    done(world, world.job())
    note = world.github.state.say(1, "bob", "/review full")
    job = world.job(event="issue_comment", said=Said(note.id, "bob", note.body))
    written(world, job)
    child = done(world, job)
    assert (child.result["cached"], child.result["calls"]) == (3, 0)
    assert [reaction for _, reaction in note.reactions] == ["eyes"]
    assert len(world.github.state.reviews) == 1


def test_only_what_it_may_set_is_taken_from_the_repository(world: World) -> None:
    stolen = '[members.thief]\nmodel = "thief"\nbase_url = "http://127.0.0.1:9/v1"\n'
    world.author.git("switch", "--quiet", "main")
    world.author.commit(
        {
            "moa.toml": 'budget = 0.0\nlayers = 7\nrecord = "/nowhere/record"\n'
            '[review]\nexclude = ["shop/part_1.py"]\nprove = "unsafe"\nreviewers = ["nobody"]\n'
            f"[github]\nmax_inline = 0\ncheck_run = true\npatience = 0\n[server]\nx = 1\n{stolen}"
        }
    )
    world.author.git("push", "--quiet", "origin", "main")
    world.author.git("switch", "--quiet", "feature")
    done(world, world.job())
    [review] = world.github.state.reviews.values()
    assert "part 0 is not defined" in review.body  # in the body: max_inline is the repository's
    assert "shop/part_1.py" in review.body
    assert "part 1 is not defined" not in review.body
    assert not world.github.state.comments
    assert not world.github.state.checks
    assert sorted(world.asked()) == sorted(MODELS)


def test_a_wrong_setting_of_the_repository_is_named_with_its_line(world: World) -> None:
    world.author.git("switch", "--quiet", "main")
    world.author.commit({"moa.toml": "[github]\nmax_inline = 1000\n"})
    world.author.git("push", "--quiet", "origin", "main")
    child = Child(world, world.job())
    assert child.wait() == 2
    assert "moa.toml:2" in child.said
    assert not world.asked()


def test_when_the_server_is_gone_nothing_more_is_done(world: World) -> None:
    world.answer = lambda _: Scripted(hang=True)
    child = Child(world, world.job())
    world.models.wait_until(lambda: len(world.models.requests) == 2, 60)
    child.socket.shutdown(2)
    assert child.wait() == CLOSED
    assert not world.github.state.reviews
    assert not world.github.state.notes


def test_a_token_that_ended_is_replaced(world: World) -> None:
    def end(phase: str, sent: Sent) -> None:
        if phase == "before" and str(sent).startswith("POST") and sent.path.endswith("/reviews"):
            world.github.watchers.remove(end)
            for name in [name for name in world.github.state.tokens if name.startswith("ghs_")]:
                del world.github.state.tokens[name]

    world.github.watchers.append(end)
    child = done(world, world.job())
    world.check()
    assert [len(asked) for asked in child.tokens] == [0, 64]


def test_without_a_token_there_is_nothing_to_do_and_it_says_why(world: World) -> None:
    class Refusing(Child):
        def _serve(self) -> None:
            with self.socket.makefile("rwb") as channel:
                channel.readline()
                channel.write(json.dumps({"error": "it is suspended", "hint": "Resume it."}).encode() + b"\n")
                channel.flush()
                channel.readline()

    child = Refusing(world, world.job())
    assert child.wait() == 4
    assert "it is suspended" in child.said
    assert "Resume it." in child.said


def test_an_app_that_may_not_write_is_a_failure(world: World) -> None:
    world.github.break_next("POST /reviews$", 403, times=5, body={"message": "Resource not accessible"})
    child = Child(world, world.job())
    assert child.wait() == 4
    assert "Resource not accessible" in child.said
