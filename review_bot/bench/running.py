"""Runs of a committee over a case set: priced before, resumable, and usable when cut short.

Every case is one review, with the product's own prompts. The record keeps each answer, so the same
command goes on where it was interrupted, and asks nobody twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from moa_engine.errors import BudgetExceeded
from moa_engine.plan_table import Plan, PlanRow
from review_bot.bench.cases import Case, CaseSet
from review_bot.bench.paid import Bill, bill_of
from review_bot.bench.scratch_repository import scratch_repository

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.outcome import Outcome
    from moa_engine.progress import Observer
    from moa_engine.session import Session
    from moa_engine.task import Task
    from review_bot.finding import Review
    from review_bot.review_task import ReviewTask
    from review_bot.settings import ReviewSettings

ResultT = TypeVar("ResultT")

#: Makes the committee: once for every case, since a run closes the members of its own.
Seating = Callable[[], "Committee"]


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One case, the run over it, and what its answers cost when they were made."""

    case: Case
    task: ReviewTask
    outcome: Outcome[Review]
    bill: Bill


@dataclass(frozen=True, slots=True)
class CaseTask:
    """A case as the engine's task."""

    case: Case
    task: ReviewTask


@contextmanager
def case_tasks(
    session: Session, settings: ReviewSettings, cases: CaseSet, committee: Committee
) -> Iterator[list[CaseTask]]:
    """The cases as tasks for that committee, while the repository with them is there."""
    from review_bot.read_change import read_change
    from review_bot.review_task import ReviewTask
    from review_bot.skipped import SkipRules
    from review_bot.track import voices_of

    voices = voices_of(committee.members, settings)
    rules = SkipRules(settings.include, settings.exclude, settings.max_file_bytes)
    with scratch_repository(cases) as (repository, ranges):
        yield [
            CaseTask(
                case,
                ReviewTask(
                    read_change(repository, range=ranges[case.id], rules=rules),
                    repository=repository,
                    mask=session.redactor.mask,
                    voices=voices,
                    layers=len(committee.layers),
                    needed=settings.votes_needed,
                ),
            )
            for case in cases.cases
        ]


def whole_plan(session: Session, tasks: Sequence[CaseTask], committee: Committee) -> Plan:
    """What all cases would take, one after the other."""
    from moa_engine.session import plan_for

    return summed([plan_for(session, one.task, committee) for one in tasks])


def summed(plans: Sequence[Plan]) -> Plan:
    """Several runs' plans as one: a row for each member's part."""
    rows: dict[tuple[int, str, str], PlanRow] = {}
    for row in (row for plan in plans for row in plan.rows):
        place = row.layer, row.role, row.member
        rows[place] = _sum(rows[place], row) if place in rows else row
    first = plans[0]
    return replace(
        first,
        rows=tuple(rows[place] for place in sorted(rows, key=lambda place: place[0])),
        unpriced=tuple(dict.fromkeys(name for plan in plans for name in plan.unpriced)),
        untimed=tuple(dict.fromkeys(name for plan in plans for name in plan.untimed)),
        deadline=None,
    )


def _sum(one: PlanRow, other: PlanRow) -> PlanRow:
    return replace(
        one,
        calls=one.calls + other.calls,
        most_calls=one.most_calls + other.most_calls,
        in_record=one.in_record + other.in_record,
        tokens_in=one.tokens_in + other.tokens_in,
        tokens_out=one.tokens_out + other.tokens_out,
        cost=None if one.cost is None or other.cost is None else one.cost + other.cost,
        seconds=one.seconds + other.seconds,
    )


def run_cases(
    session: Session,
    tasks: Sequence[CaseTask],
    seat: Seating,
    *,
    observer: Observer | None = None,
    told: Callable[[Outcome[Review]], None] = lambda _: None,
) -> list[CaseRun]:
    """Run the cases in order; the first Ctrl-C ends it with those that are done.

    Raises what `moa_engine.session.conduct` does.
    """
    outcomes = run_tasks(session, [(one.task, seat) for one in tasks], observer=observer, told=told)
    return [
        CaseRun(one.case, one.task, outcome, bill_of(session.record, outcome.run))
        for one, outcome in zip(tasks, outcomes, strict=False)
    ]


def run_tasks(
    session: Session,
    tasks: Iterable[tuple[Task[ResultT], Seating]],
    *,
    observer: Observer | None = None,
    told: Callable[[Outcome[ResultT]], None] = lambda _: None,
) -> list[Outcome[ResultT]]:
    """Run tasks in order, each with a committee of its own; the first Ctrl-C ends it with what is done.

    `told` hears of each that is done. The settings' budget is for all of them together.

    Raises what `moa_engine.session.conduct` does.
    """
    done: list[Outcome[ResultT]] = []

    def ended(outcome: Outcome[ResultT]) -> None:
        done.append(outcome)
        told(outcome)

    asyncio.run(_run(session, tasks, observer, ended))
    return done


async def _run(
    session: Session,
    tasks: Iterable[tuple[Task[ResultT], Seating]],
    observer: Observer | None,
    ended: Callable[[Outcome[ResultT]], None],
) -> None:
    from moa_engine.session import conduct, plan_for, stopped_by_ctrl_c

    spent = 0.0
    with stopped_by_ctrl_c() as stop:
        for task, seat in tasks:
            committee = seat()
            left = session if session.settings.budget is None else _with_budget(session, spent)
            plan = plan_for(left, task, committee)
            outcome = await conduct(left, task, committee, plan, observer, stop)
            if stop.is_set():
                return
            spent += outcome.cost_usd or 0.0
            ended(outcome)


def _with_budget(session: Session, spent: float) -> Session:
    """The session with what is left of its budget."""
    budget = session.settings.budget
    assert budget is not None
    if spent >= budget:
        raise BudgetExceeded(
            f"the budget of {budget} USD is spent", hint="the same command with more goes on"
        )
    return replace(session, settings=session.settings.model_copy(update={"budget": budget - spent}))


def now() -> str:
    """The time, for a result file."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
