"""The test suggestions as a plug-in of the engine: their kinds of members, settings, task and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moa_engine.hookspecs import Command, MemberKind, hookimpl

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from moa_engine.config import Section
    from moa_engine.task import Task


@hookimpl
def moa_member_kinds() -> Sequence[MemberKind]:
    """One kind per proposer that runs no model."""
    from pytest_moa.proposers.proposer import KINDS, Proposer
    from pytest_moa.settings import ProposerSettings

    return [
        MemberKind(kind, ProposerSettings, Proposer.of_kind(kind), "subject", task="suggest")
        for kind in KINDS
    ]


@hookimpl
def moa_config_sections() -> Mapping[str, type[Section]]:
    """`[tool.moa.tests]`."""
    from pytest_moa.settings import TestsSettings

    return {"tests": TestsSettings}


@hookimpl
def moa_tasks() -> Sequence[type[Task[Any]]]:
    """Suggestions, so that their runs can be shown and replayed."""
    from pytest_moa.suggest.task import SuggestTask

    return [SuggestTask]


@hookimpl
def moa_commands() -> Sequence[Command]:
    """`moa mutate`."""
    return [Command("mutate", "measure how many mutants the existing tests kill", _arguments, _mutate)]


def _arguments(parser: ArgumentParser) -> None:
    from pytest_moa.mutate import add_arguments

    add_arguments(parser)


def _mutate(args: Namespace) -> int:
    from pytest_moa.mutate import run

    return run(args)
