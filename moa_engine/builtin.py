"""What the engine brings itself, through the hooks that every plug-in uses.

The HTTP client is not imported before a chat member is built, the model runtime not before it is used.
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
    """`chat`, a model behind an endpoint, and `local`, a model in this process."""
    from moa_engine.config import ChatSettings
    from moa_engine.local_model import LocalSettings, build

    return [MemberKind("chat", ChatSettings, _chat), MemberKind("local", LocalSettings, build)]


@hookimpl
def moa_tasks() -> Sequence[type[Task[Any]]]:
    """Plain questions."""
    from moa_engine.ask import AskTask

    return [AskTask]


def _chat(name: str, own: ChatSettings, settings: Settings) -> Member:
    from moa_engine.chat import build

    return build(name, own, settings)
