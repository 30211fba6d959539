"""From settings to what is reviewed by whom: the same for a change on this machine and one on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.outcome import Outcome
    from moa_engine.session import Session
    from review_bot.change import Asked, Change
    from review_bot.finding import Review
    from review_bot.review_task import ReviewTask
    from review_bot.settings import ReviewSettings
    from review_bot.skipped import SkipRules


def committee_of(session: Session, settings: ReviewSettings) -> Committee:
    """Who reviews: the committee that is configured, and the reviewers that sit on every one.

    Raises:
        ConfigError: nobody does, or a reviewer is not known.
    """
    from moa_engine.committee import build_committee
    from moa_engine.config_check import refusal, unknown_name
    from moa_engine.plugins import member_kinds, subject_reading
    from review_bot.reviewers.reviewer import standing_members

    standing = standing_members(settings)
    kinds = sorted(subject_reading(member_kinds(session.plugins)))
    if unknown := [kind for kind in standing if kind not in kinds]:
        place = ("review", "reviewers")
        raise refusal(unknown_name(place, "kind of reviewer", kind, kinds) for kind in unknown)
    committee = build_committee(session.settings, session.plugins, standing=standing)
    if not committee.members:
        raise ConfigError(
            "nobody is on the committee: no model is configured, and [tool.moa.review] reviewers is empty",
            hint="leave `reviewers` out for the usual tools, or configure a model: moa init",
        )
    return committee


def rules_of(settings: ReviewSettings) -> SkipRules:
    """Which files are not reviewed."""
    from review_bot.skipped import SkipRules

    return SkipRules(settings.include, settings.exclude, settings.max_file_bytes)


def task_of(
    change: Change,
    committee: Committee,
    session: Session,
    settings: ReviewSettings,
    *,
    repository: Path | None,
    environ: Mapping[str, str],
    suggestions: Path | None = None,
    asked: Asked | None = None,
) -> ReviewTask:
    """The review of a change. `repository` has its commits; None where there is nothing but a patch."""
    from review_bot.proof.deciding import decide
    from review_bot.review_task import ReviewTask
    from review_bot.track import voices_of

    return ReviewTask(
        change,
        repository=repository,
        mask=session.redactor.mask,
        voices=voices_of(committee.members, settings),
        needed=settings.votes_needed,
        proof=decide(
            settings.prove,
            settings.prove_seconds,
            change,
            repository=repository is not None,
            environ=environ,
        ),
        layers=len(committee.layers),
        suggestions=suggestions,
        asked=asked,
    )


def nothing_of(task: ReviewTask) -> Outcome[Review]:
    """The outcome where there is nothing to ask anybody: complete, without a run, and it says why."""
    from moa_engine.ledger import Ledger
    from moa_engine.outcome import Outcome
    from review_bot.finding import Review

    left_out = len(task.change.not_reviewed)
    if left_out:
        why = f"each of its files ({left_out}) is left out"
    elif task.change.head and task.change.base == task.change.head:
        why = "both sides are one commit (HEAD^! is the last commit alone, --working what is not committed)"
    else:
        why = "the change is empty"
    return Outcome(
        run="",
        task=task,
        status="complete",
        result=Review(findings=[]),
        ledger=Ledger(),
        members=(),
        missing=(),
        aggregator="",
        calls=0,
        cached=0,
        cost_usd=0.0,
        seconds=0.0,
        masked_secrets=0,
        warnings=(f"nothing to review: {why}",),
    )
