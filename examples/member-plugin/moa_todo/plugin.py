"""What this package brings: one kind of member. Nothing else is imported before it is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from moa_engine.config import MemberSettings, Settings
from moa_engine.hookspecs import MemberKind, hookimpl


class TodoSettings(MemberSettings):
    """`[tool.moa.members.NAME]` of kind `todo`."""

    kind: Literal["todo"] = "todo"
    ticket: str = "[A-Z]+-[0-9]+|#[0-9]+"
    """A regular expression: what a TODO has to name."""


@hookimpl
def moa_member_kinds() -> Sequence[MemberKind]:
    """The kind `todo`; it reads the change itself, so only reviews can have it."""
    return [MemberKind("todo", TodoSettings, _build, reads="subject", task="review")]


def _build(name: str, own: TodoSettings, _settings: Settings) -> Any:
    from moa_todo.member import TodoMember

    return TodoMember(name, own)
