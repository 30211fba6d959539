"""Members and plug-ins that fail in ways of their own: it costs their voice, and no run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from moa_engine.ask import AskTask
from moa_engine.attempt import Attempt
from moa_engine.committee import build_committee
from moa_engine.errors import ConfigError, MaskingFailed
from moa_engine.hookspecs import hookimpl
from moa_engine.member import Reply, Request
from moa_engine.outcome import Outcome
from moa_engine.session import Session, plan_for, run_task
from tests.moa_engine.acting import Act, ActingMember, says, with_acting

Opened = Callable[..., Session]


def asked(session: Session, question: str = "Why?") -> Outcome[str]:
    task = AskTask(question)
    committee = build_committee(session.settings, session.plugins)
    return run_task(session, task, committee, plan_for(session, task, committee))


async def _cancels_itself(_: Request) -> Any:
    raise asyncio.CancelledError


async def _raises(_: Request) -> Any:
    raise ZeroDivisionError("by nought")


async def _returns_nonsense(_: Request) -> Any:
    return {"text": "not a reply"}


async def _returns_no_text(_: Request) -> Any:
    return Reply(None)  # type: ignore[arg-type]


async def _is_stuck(_: Request) -> Any:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (_cancels_itself, "cancelled itself"),
        (_raises, "ZeroDivisionError: by nought"),
        (_returns_nonsense, "failed"),
        (_returns_no_text, "checked for secrets"),
        (_is_stuck, "no answer within 0.2 s"),
        (says("  "), "empty"),
    ],
)
def test_a_member_that_misbehaves_costs_its_own_voice(opened: Opened, act: Act, why: str) -> None:
    acts = {"ann": says("so it is"), "eve": act}
    session = with_acting(opened, acts, layers=2, attempts=1, members={"eve": {"timeout": 0.2}})
    outcome = asked(session)
    assert (outcome.result, outcome.status, outcome.missing) == ("so it is", "partial", ("eve",))
    assert why in outcome.members[1].errors[0]
    failed = [attempt for attempt in session.record.run(outcome.run).attempts if attempt.error_code]
    assert [attempt.member for attempt in failed] == ["eve"]
    assert session.record.verify().ok


class _Picky:
    """Cannot check what has a certain word in it."""

    @hookimpl
    def moa_redact(self, text: str) -> list[str]:
        if "unspeakable" in text:
            raise RecursionError("too deep")
        return []


def test_an_answer_that_cannot_be_checked_for_secrets_is_not_kept(opened: Opened) -> None:
    session = with_acting(opened, {"ann": says("fine"), "eve": says("unspeakable words")}, layers=2)
    session.plugins.register(_Picky())
    outcome = asked(session)
    assert (outcome.result, outcome.missing) == ("fine", ("eve",))
    assert not any("unspeakable" in line for line in session.record.export(outcome.run))


def test_a_question_that_cannot_be_checked_for_secrets_is_not_asked(opened: Opened) -> None:
    async def never(_: Request) -> Reply:
        raise AssertionError("it was asked")

    session = with_acting(opened, {"ann": never}, layers=1)
    session.plugins.register(_Picky())
    with pytest.raises(MaskingFailed, match="RecursionError in a detector"):
        asked(session, "What is unspeakable?")


def test_an_observer_that_fails_is_named_once_and_left_out(opened: Opened) -> None:
    seen: list[Attempt] = []

    class Broken:
        @hookimpl
        def moa_generation(self, attempt: Attempt) -> None:
            raise KeyError("oops")

    class Watching:
        @hookimpl
        def moa_generation(self, attempt: Attempt) -> None:
            seen.append(attempt)

    session = with_acting(opened, {"ann": says("a"), "bob": says("b")}, layers=2)
    session.plugins.register(Broken(), name="broken")
    session.plugins.register(Watching())
    outcome = asked(session)
    assert (outcome.status, outcome.result) == ("complete", "a")
    assert outcome.warnings == ("the plug-in broken failed in moa_generation: KeyError: 'oops'",)
    assert [attempt.member for attempt in seen] == ["ann", "bob", "ann"]


def test_a_member_that_cannot_be_opened_stops_the_run_before_any_call(opened: Opened) -> None:
    class Closed(ActingMember):
        async def open(self) -> None:
            raise OSError("no such device")

    session = with_acting(opened, {"ann": says("a")}, Closed, layers=1)
    with pytest.raises(ConfigError, match="member 'ann' cannot be opened: OSError: no such device"):
        asked(session)


def test_a_member_that_cannot_be_closed_loses_no_result(opened: Opened) -> None:
    class Clinging(ActingMember):
        async def aclose(self) -> None:
            raise OSError("still in use")

    session = with_acting(opened, {"ann": says("a")}, Clinging, layers=1)
    with pytest.warns(RuntimeWarning, match="member 'ann' cannot be closed"):
        assert asked(session).result == "a"
