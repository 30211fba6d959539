"""What the engine brings itself, through the hooks that every plug-in uses.

Nothing heavy is imported before a member is built: chat members bring the HTTP client, local ones
the model runtime.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moa_engine.hookspecs import MemberKind, hookimpl

if TYPE_CHECKING:
    from moa_engine.config import ChatSettings, Settings
    from moa_engine.member import Member
    from moa_engine.task import Task


@hookimpl
def moa_member_kinds() -> Sequence[MemberKind]:
    """`chat`: a model behind an endpoint."""
    from moa_engine.config import ChatSettings

    return [MemberKind("chat", ChatSettings, _chat)]


@hookimpl
def moa_tasks() -> Sequence[type[Task[Any]]]:
    """Plain questions."""
    from moa_engine.ask import AskTask

    return [AskTask]


def _chat(name: str, own: ChatSettings, settings: Settings) -> Member:
    from moa_engine.chat import build

    return build(name, own, settings)
