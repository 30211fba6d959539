"""Limits are waited for, in all not longer than allowed."""

from __future__ import annotations

import pytest

from review_bot.github.client import (
    Client,
    LimitReached,
    Patience,
    connect,
)
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.github.fake_limits import SECONDARY


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("headers", "waits"), [({"retry-after": "7"}, [7]), ({}, [60])])
def test_a_secondary_limit_is_waited_for(
    fake: FakeGithub, client: Client, clock: Clock, status: int, headers: dict[str, str], waits: list[float]
) -> None:
    fake.break_next("POST /comments$", status, headers=headers, body={"message": SECONDARY})
    client.create_issue_comment(1, "Hello")
    assert clock.slept == waits
    assert len(fake.state.notes) == 1


def test_a_limit_that_does_not_say_when_is_waited_for_ever_longer(fake: FakeGithub, clock: Clock) -> None:
    client = connect(fake.connection(patience=Patience(200.0, clock, clock.sleep)))
    fake.break_next("POST /comments$", 429, times=9, body={"message": "Too many requests"})
    with pytest.raises(LimitReached) as reached:
        client.create_issue_comment(1, "Hello")
    assert clock.slept == [60, 120]
    assert reached.value.seconds == 240
    assert not fake.state.notes


def test_a_wait_beyond_the_cap_is_not_begun(fake: FakeGithub, client: Client, clock: Clock) -> None:
    fake.break_next("GET /pulls/1$", 403, headers={"retry-after": "3000"}, body={"message": SECONDARY})
    with pytest.raises(LimitReached, match="3000 s"):
        client.pull(1)
    assert clock.slept == []


def test_the_cap_is_for_all_waiting_together(fake: FakeGithub, client: Client, clock: Clock) -> None:
    fake.break_next("GET /pulls/1$", 429, headers={"retry-after": "50"}, times=2)
    client.pull(1)
    fake.break_next("GET /pulls/1$", 429, headers={"retry-after": "50"})
    with pytest.raises(LimitReached):
        client.pull(1)
    assert clock.slept == [50, 50]


def test_the_primary_limit_says_when_it_ends_on_githubs_clock(fake: FakeGithub, clock: Clock) -> None:
    def hours_ahead() -> float:  # this machine's clock is wrong
        return clock() + 7200

    client = connect(fake.connection(patience=Patience(3700.0, hours_ahead, clock.sleep)))
    fake.limits.requests_per_hour = 2
    client.pull(1)
    clock.now += 600
    client.pull(1)
    client.pull(1)
    assert clock.slept == [pytest.approx(3001, abs=1)]


def test_a_graphql_limit_is_one_too(fake: FakeGithub, client: Client, clock: Clock) -> None:
    said = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    fake.break_next("POST /graphql$", 200, headers={"retry-after": "5"}, body=said)
    assert client.viewer() == "github-actions[bot]"
    assert clock.slept == [5]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("says_when", [True, False])
def test_eighty_contents_a_minute(fake: FakeGithub, clock: Clock, status: int, says_when: bool) -> None:
    fake.limits.status, fake.limits.says_when = status, says_when
    client = connect(fake.connection(patience=Patience(120.0, clock, clock.sleep)))
    for number in range(81):
        client.create_issue_comment(1, f"note {number}")
    assert len(fake.state.notes) == 81
    assert clock.slept
    assert sum(clock.slept) <= 62
