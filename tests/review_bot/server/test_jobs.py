"""Jobs: their names, and that nothing of them is lost on the way through the queue."""

from __future__ import annotations

import json

import pytest

from moa_engine.errors import MoaError
from review_bot.github.event import Said, Target
from review_bot.server.jobs import Job, comment_id, first_id, push_id
from review_bot.server.settings import ServerSettings, matches

HEAD = "ab" * 20


def test_a_job_is_the_same_after_the_queue() -> None:
    said = Said(7, "ann", "/review full\nplease \N{SNOWMAN}")
    for target in (
        Target("shop/cart", 3, "pull_request", action="opened", head=HEAD),
        Target("shop/cart", 3, "issue_comment", said, "created"),
        Target("shop/cart", 3, again=True),
    ):
        job = Job("shop/cart#3@abc", 11, target)
        assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_names_of_jobs() -> None:
    push = Target("shop/cart", 3, "pull_request", head=HEAD)
    job = Job(push_id(push), 11, push)
    assert job.id == f"shop/cart#3@{HEAD}"
    assert job.pull == "shop/cart#3"
    assert job.again(2).again(3).id == f"shop/cart#3@{HEAD}~3"
    assert first_id(job.again(2).id) == job.id
    assert comment_id(Target("shop/cart", 3, "issue_comment", Said(99, "ann", "/review"))) == "shop/cart#3!99"


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (["shop/cart"], True),
        (["Shop/*"], True),
        (["*"], True),
        (["shop/car", "sho/*", "shop/cart2"], False),
        ([], False),
    ],
)
def test_which_repositories_are_served(patterns: list[str], allowed: bool) -> None:
    assert matches("shop/Cart", patterns) is allowed


@pytest.mark.parametrize("pattern", ["shop", "*/cart", "shop/cart/more", "", "shop/ca*", "-/x"])
def test_a_pattern_that_would_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises((MoaError, ValueError), match="owner/name"):
        ServerSettings(repositories=[pattern])
