"""Tokens that end: another one is asked for in time, and once when GitHub refuses the last."""

from __future__ import annotations

import base64

import pytest

from moa_engine.errors import ConfigError
from moa_engine.redaction import Redactor
from review_bot.github.client import Client, Connection, Refused, connect
from review_bot.github.tokens import EARLY, Token, Tokens
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.github.fake_model import app_token

HOUR = 3600.0


class Giver:
    """Gives a new token each time, which the fake knows; each is good for an hour."""

    def __init__(self, fake: FakeGithub, clock: Clock) -> None:
        self.fake, self.clock = fake, clock
        self.refused: list[str] = []  #: what it was told, in order
        self.gives_the_same = False

    def __call__(self, refused: str) -> Token:
        self.refused.append(refused)
        if not self.gives_the_same:
            self.fake.state.tokens[self.last] = app_token()
        return Token(refused if self.gives_the_same else self.last, self.clock() + HOUR)

    @property
    def last(self) -> str:
        return f"ghs_{len(self.refused):036}"

    def end(self) -> None:
        """GitHub no longer takes the last one."""
        del self.fake.state.tokens[self.last]


@pytest.fixture
def giver(fake: FakeGithub, clock: Clock) -> Giver:
    return Giver(fake, clock)


@pytest.fixture
def connection(fake: FakeGithub, giver: Giver, clock: Clock) -> Connection:
    return Connection("ada/shop", Tokens(giver, clock), fake.url, fake.url, between_writes=0.0)


@pytest.fixture
def lasting(connection: Connection) -> Client:
    return connect(connection)


def test_a_job_longer_than_an_hour_goes_on_with_another_token(
    lasting: Client, giver: Giver, clock: Clock
) -> None:
    lasting.pull(1)
    clock.now += HOUR - EARLY - 1
    lasting.pull(1)
    assert giver.refused == [""]
    giver.end()
    clock.now += 2
    lasting.create_issue_comment(1, "Still here.")
    assert giver.refused == ["", ""]


def test_a_token_that_ended_early_is_replaced_before_a_write_is_given_up(
    fake: FakeGithub, lasting: Client, giver: Giver
) -> None:
    lasting.pull(1)
    first = giver.last
    giver.end()
    lasting.create_issue_comment(1, "Once.")
    assert giver.refused == ["", first]
    assert [note.body for note in fake.state.notes.values()] == ["Once."]


def test_whoever_has_no_other_token_is_refused_after_asking_once(
    fake: FakeGithub, lasting: Client, giver: Giver
) -> None:
    lasting.pull(1)
    giver.end()
    giver.gives_the_same = True
    with pytest.raises(Refused, match="401"):
        lasting.create_issue_comment(1, "Never.")
    assert len(giver.refused) == 2
    assert not fake.state.notes


def test_git_gets_the_token_of_the_moment(lasting: Client, giver: Giver, clock: Clock) -> None:
    def sent() -> str:
        variables = lasting.git_environment({})
        [header] = [value for value in variables.values() if value.startswith("Authorization")]
        return base64.b64decode(header.rpartition(" ")[2]).decode().partition(":")[2]

    assert sent() == giver.last
    clock.now += HOUR
    assert sent() == giver.last
    assert len(giver.refused) == 2


def test_every_token_is_masked_before_it_is_used(connection: Connection, giver: Giver, clock: Clock) -> None:
    redactor = Redactor()
    before = connection.current_token()
    connection.tell_tokens(redactor.learn)
    clock.now += HOUR
    after = connection.current_token()
    assert before != after
    assert not {before, after} & {*redactor.mask(f"{before} {after}").split()}


@pytest.mark.parametrize("text", ["", "ghs_1\nX-Other: 1"])
def test_what_is_no_token_is_not_sent(fake: FakeGithub, clock: Clock, text: str) -> None:
    tokens = Tokens(lambda _: Token(text, clock() + HOUR), clock)
    with pytest.raises(ConfigError, match="token"):
        connect(Connection("ada/shop", tokens, fake.url, fake.url)).pull(1)
    assert fake.sent == []
