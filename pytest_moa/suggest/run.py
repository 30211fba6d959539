"""A run of suggestions, from a request to what can be accepted.

What existing tests leave open is measured first. Then the committee proposes, candidates are executed,
members judge them (`task`). Last the chosen tests, arranged as they would be written, are executed once
more: their own figures are reported, not the sum of their parts'.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from moa_engine.errors import ConfigError
from pytest_moa.suggest.subject import SuggestSubject
from pytest_moa.suggestions import (
    Effort,
    MemberCost,
    Observer,
    Progress,
    Skipped,
    Status,
    Suggestions,
    SuggestRequest,
)
from pytest_moa.target import Target

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.outcome import Outcome
    from moa_engine.session import Session
    from pytest_moa.running.executor import Executor
    from pytest_moa.settings import TestsSettings
    from pytest_moa.suggest.preparing import Clock
    from pytest_moa.suggest.task import SuggestTask


def suggest(request: SuggestRequest, progress: Observer | None = None) -> Suggestions:
    """Suggest tests. The first Ctrl-C ends the run with what was found so far.

    Raises:
        MoaError: a setting is wrong, nothing may or can be executed, or the record cannot be written.
    """
    from moa_engine.session import open_session, plan_for
    from pytest_moa.suggest.preparing import planned_task

    tell = progress or _untold
    given: dict[str, Any] = {"committee": request.committee, "budget": request.budget}
    flags = {name: value for name, value in given.items() if value is not None}
    with open_session(start=request.root, config=request.config, flags=flags) as session:
        settings = cast("TestsSettings", session.sections["tests"])
        committee = _committee(session, settings, request)
        effort = _effort(request, settings)
        targets, skipped = _wanted(request, settings)
        if not targets:
            return Suggestions(status="nothing", skipped=skipped, warnings=("no target is left",))
        if request.plan:
            task = planned_task(session, request, effort, targets, committee)
            return Suggestions(
                status="plan", skipped=skipped, plan=plan_for(session, task, committee).to_text()
            )
        return _executed(session, committee, replace(request, targets=targets), effort, skipped, tell)


def _executed(
    session: Session,
    committee: Committee,
    request: SuggestRequest,
    effort: Effort,
    skipped: tuple[Skipped, ...],
    tell: Observer,
) -> Suggestions:
    from moa_engine.session import plan_for, run_task
    from pytest_moa.suggest.baseline import Baseline
    from pytest_moa.suggest.linting import linted, linter_of
    from pytest_moa.suggest.preparing import Clock, task_for
    from pytest_moa.suggest.starting import started
    from pytest_moa.suggest.verifying import verified
    from pytest_moa.suggest.waiting import Telling, Waiting

    tell = telling = Telling(tell)
    clock = Clock(time.monotonic(), effort.seconds)
    with started(request, effort.workers) as (executor, request, unusable):
        skipped = (*skipped, *unusable)
        baseline = Baseline.measured(request, executor, clock.baseline, tell)
        skipped = (*skipped, *baseline.skipped)
        if not baseline.briefs:
            return Suggestions(
                status="nothing", skipped=skipped, sandbox=executor.mechanism, warnings=("no target is left",)
            )
        task, processes = task_for(session, request, effort, committee, executor, baseline, clock, tell)
        try:
            plan = plan_for(session, task, committee)
            waiting = Waiting(telling, task.models, task.execute_ahead)
            outcome = run_task(session, task, committee, plan, waiting)
        finally:
            processes.close()
        result = linted(_result(outcome, task), task, linter_of(request))
        executor.deadline = clock.last()
        result = verified(result, task, executor, baseline.open_mutants, tell)
    return _assembled(result, outcome, executor, skipped, (*baseline.warnings, *_late(task)), clock)


def _committee(session: Session, settings: TestsSettings, request: SuggestRequest) -> Committee:
    from moa_engine.committee import build_committee
    from moa_engine.config_check import refusal, unknown_name
    from moa_engine.plugins import member_kinds, subject_reading
    from pytest_moa.proposers.foreign import with_foreign
    from pytest_moa.proposers.proposer import standing_members

    standing = standing_members(settings)
    kinds = sorted(subject_reading(member_kinds(session.plugins)))
    if unknown := [kind for kind in standing if kind not in kinds]:
        place = ("tests", "proposers")
        raise refusal(unknown_name(place, "kind of proposer", kind, kinds) for kind in unknown)
    committee = with_foreign(build_committee(session.settings, session.plugins, standing=standing), request)
    if not committee.members:
        raise ConfigError(
            "nobody is on the committee: no model is configured, and [tool.moa.tests] proposers is empty",
            hint="leave `proposers` out for the usual ones, or configure a model: moa init",
        )
    return committee


def _effort(request: SuggestRequest, settings: TestsSettings) -> Effort:
    """What the request says, and the project's settings where it says nothing."""
    return Effort(
        settings.max if request.max is None else request.max,
        settings.seconds if request.seconds is None else request.seconds,
        settings.workers if request.workers is None else request.workers,
    )


def _wanted(
    request: SuggestRequest, settings: TestsSettings
) -> tuple[tuple[Target, ...], tuple[Skipped, ...]]:
    """The targets without those that `exclude` names."""
    if not settings.exclude:
        return request.targets, ()
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(settings.exclude)
    out = [target for target in request.targets if spec.match_file(target.path)]
    kept = tuple(target for target in request.targets if target not in out)
    return kept, tuple(Skipped(target.name, "[tool.moa.tests] exclude names its file") for target in out)


def _result(outcome: Outcome[Suggestions], task: SuggestTask) -> Suggestions:
    """The run's result; of one that was cut off, with what had been found and executed by then."""
    from pytest_moa.suggest.salvage import salvaged

    if outcome.status == "complete":
        return outcome.result or Suggestions(status="nothing")
    return salvaged(outcome, task) or outcome.result or Suggestions(status="nothing")


def _late(task: SuggestTask) -> list[str]:
    """A sentence where time was too short to search for tests of all targets."""
    late = len(task.subject.late) if isinstance(task.subject, SuggestSubject) else 0
    return [f"the time was too short to search for tests of {late} targets"] if late else []


def _assembled(
    result: Suggestions,
    outcome: Outcome[Suggestions],
    executor: Executor,
    skipped: tuple[Skipped, ...],
    warnings: tuple[str, ...],
    clock: Clock,
) -> Suggestions:
    interrupted = any(warning.startswith("interrupted") for warning in outcome.warnings)
    status: Status = result.status
    if interrupted:
        status = "interrupted"
    elif outcome.status != "complete":
        status = "partial"
    wrong = tuple(f"{member.name}: {error}" for member in outcome.members for error in member.errors)
    return replace(
        result,
        run=outcome.run,
        calls=outcome.calls + outcome.cached,
        costs=tuple(
            MemberCost(
                one.name,
                one.kind,
                one.model,
                one.calls,
                one.cached,
                one.failed,
                one.tokens_in,
                one.tokens_out,
                one.cost_usd,
                round(one.seconds, 3),
            )
            for one in outcome.members
        ),
        cost_usd=outcome.cost_usd,
        seconds=round(time.monotonic() - clock.start, 3),
        status=status,
        sandbox=executor.mechanism,
        targets=tuple(
            replace(one, trusted=(one.target.module, one.target.qualname) not in executor.untrusted)
            for one in result.targets
        ),
        warnings=tuple(dict.fromkeys((*warnings, *result.warnings, *outcome.warnings, *wrong))),
        skipped=skipped,
    )


def _untold(_: Progress) -> None:
    """Nobody watches the run."""
