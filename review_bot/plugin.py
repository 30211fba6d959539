"""The reviewer as a plug-in of the engine: its kinds of members, its settings, its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moa_engine.hookspecs import Command, MemberKind, hookimpl

if TYPE_CHECKING:
    from moa_engine.config import Section
    from moa_engine.task import Task


@hookimpl
def moa_member_kinds() -> Sequence[MemberKind]:
    """One kind per reviewer that runs no model."""
    from review_bot.reviewers.reviewer import KINDS, Reviewer
    from review_bot.settings import ReviewerSettings

    return [MemberKind(kind, ReviewerSettings, Reviewer.of_kind(kind), "subject") for kind in KINDS]


@hookimpl
def moa_config_sections() -> Mapping[str, type[Section]]:
    """`[tool.moa.review]`, `[tool.moa.github]` and `[tool.moa.server]`."""
    from review_bot.github.settings import GithubSettings
    from review_bot.server.settings import ServerSettings
    from review_bot.settings import ReviewSettings

    return {"review": ReviewSettings, "github": GithubSettings, "server": ServerSettings}


@hookimpl
def moa_tasks() -> Sequence[type[Task[Any]]]:
    """Reviews, and what a bench has settled again, so that their runs can be shown and replayed."""
    from review_bot.bench.judge_task import JudgeTask
    from review_bot.bench.study_task import StudyTask
    from review_bot.review_task import ReviewTask

    return [ReviewTask, StudyTask, JudgeTask]


@hookimpl
def moa_commands() -> Sequence[Command]:
    """`moa bench` and `moa report`."""
    from review_bot.bench import command as bench
    from review_bot.page import command as report

    return [
        Command("bench", "measure a committee on your own code", bench.add_arguments, bench.run),
        Command("report", "show results and runs as a page", report.add_arguments, report.run),
    ]
