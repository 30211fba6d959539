"""The whole server killed by SIGKILL at a few points; `python -m benchmarks.server_kills` has all of them."""

from __future__ import annotations

import pytest

from tests.review_bot.server.conftest import NewDatabase
from tests.review_bot.server.kill_points import Point
from tests.review_bot.server.killing import a_world, killed_at, sqlite_in


@pytest.mark.parametrize(
    "point",
    [
        Point("after server commits INSERT deliveries"),
        Point("after POST pulls/reviews"),
    ],
    ids=str,
)
def test_after_a_restart_there_is_one_review_on_sqlite(point: Point) -> None:
    with a_world(sqlite_in) as world:
        killed = killed_at(world, point)
    assert killed.reached
    assert killed.why == ""


@pytest.mark.parametrize(
    "point",
    [
        Point("after job commits INSERT kept_answers"),
        Point("before POST issues/comments", orphans=True),
    ],
    ids=str,
)
def test_after_a_restart_there_is_one_review_on_postgresql(point: Point, postgres: NewDatabase) -> None:
    with a_world(lambda _: postgres()) as world:
        killed = killed_at(world, point)
    assert killed.reached
    assert killed.why == ""
