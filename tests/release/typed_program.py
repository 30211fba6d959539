"""A program of somebody else, for mypy to check; never run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import assert_type

import pytest

from moa_engine import (
    AskTask,
    Ledger,
    MemberKind,
    Outcome,
    Session,
    build_committee,
    conduct,
    hookimpl,
    open_session,
    plan_for,
    run_task,
)
from pytest_moa.candidate import Candidate
from pytest_moa.suggestions import Facts, Proposer, SuggestRequest


def ask(question: str) -> str | None:
    with open_session(start=Path()) as session:
        assert_type(session, Session)
        task = AskTask(question)
        committee = build_committee(session.settings, session.plugins)
        outcome = run_task(session, task, committee, plan_for(session, task, committee))
    assert_type(outcome, Outcome[str])
    assert_type(outcome.ledger, Ledger)
    return outcome.result


async def ask_in_a_loop(session: Session, question: str) -> str | None:
    task = AskTask(question)
    committee = build_committee(session.settings, session.plugins)
    outcome = await conduct(session, task, committee, plan_for(session, task, committee))
    return assert_type(outcome.result, str | None)


def propose(request: SuggestRequest) -> Iterable[Candidate]:
    assert_type(request, SuggestRequest)
    return ()


@hookimpl
def moa_member_kinds() -> Sequence[MemberKind]:
    return []


@pytest.hookimpl
def pytest_moa_proposers(config: pytest.Config) -> Mapping[str, Proposer]:
    return {"mine": propose}


@pytest.hookimpl
def pytest_moa_candidate(candidate: Candidate, facts: Facts) -> str | None:
    return None
