"""The hooks that a plug-in can implement (pluggy, entry point group `moa`).

The built-in kinds of members use the same hooks, from `moa_engine.builtin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pluggy

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from moa_engine.attempt import Attempt
    from moa_engine.config import MemberSettings, Section, Settings
    from moa_engine.member import Member
    from moa_engine.task import Task

hookspec = pluggy.HookspecMarker("moa")
hookimpl = pluggy.HookimplMarker("moa")


@dataclass(frozen=True, slots=True)
class MemberKind:
    """A kind of member: its name in the configuration, its settings, and how to make one."""

    name: str
    settings: type[MemberSettings]
    build: Callable[[str, Any, Settings], Member]  #: (name, the kind's settings, all settings)
    reads: Literal["messages", "subject"] = "messages"  #: what its members read: see `Member`
    task: str = ""  #: the only task whose subject its members read; "": they sit on every committee


@dataclass(frozen=True, slots=True)
class Command:
    """A command `moa NAME` that a plug-in brings."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]  #: returns the exit code; may raise `MoaError`


@hookspec
def moa_member_kinds() -> Sequence[MemberKind]:  # type: ignore[empty-body]
    """Kinds of members that this plug-in brings."""


@hookspec
def moa_config_sections() -> Mapping[str, type[Section]]:  # type: ignore[empty-body]
    """Sections of `[tool.moa]` that this plug-in reads, by key."""


@hookspec
def moa_tasks() -> Sequence[type[Task[Any]]]:  # type: ignore[empty-body]
    """Kinds of tasks, so that their runs can be shown and replayed."""


@hookspec
def moa_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Commands of `moa` that this plug-in brings."""


@hookspec
def moa_redact(text: str) -> Sequence[str]:  # type: ignore[empty-body]
    """Secrets found in `text`, verbatim; the engine masks them before anything is sent."""


@hookspec
def moa_generation(attempt: Attempt) -> None:
    """Called after each attempt of each generation, with what the record keeps of it."""
