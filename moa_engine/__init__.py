"""Committees of language models: layers, aggregation that cannot lose anything, and a record of it all.

The names below are the public interface; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # not typing's: that takes 10 ms to import, before `cli` can catch Ctrl-C
if TYPE_CHECKING:
    from typing import Any

    from moa_engine.ask import AskTask
    from moa_engine.committee import Committee, build_committee
    from moa_engine.errors import MoaError
    from moa_engine.hookspecs import MemberKind, hookimpl
    from moa_engine.ledger import Answer, Decision, Fact, Item, Ledger, Stance, settle
    from moa_engine.member import Member, Message, PromptVersion, Reply, Request
    from moa_engine.outcome import Outcome
    from moa_engine.record import Record
    from moa_engine.session import Session, conduct, open_session, plan_for, run_task
    from moa_engine.task import Ask, Contribution, Patience, Question, Synthesis, Task

_HOMES = {
    "ask": ("AskTask",),
    "committee": ("Committee", "build_committee"),
    "errors": ("MoaError",),
    "hookspecs": ("MemberKind", "hookimpl"),
    "ledger": ("Answer", "Decision", "Fact", "Item", "Ledger", "Stance", "settle"),
    "member": ("Member", "Message", "PromptVersion", "Reply", "Request"),
    "outcome": ("Outcome",),
    "record": ("Record",),
    "session": ("Session", "conduct", "open_session", "plan_for", "run_task"),
    "task": ("Ask", "Contribution", "Patience", "Question", "Synthesis", "Task"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "Ask",
    "AskTask",
    "Committee",
    "Contribution",
    "Decision",
    "Fact",
    "Item",
    "Ledger",
    "Member",
    "MemberKind",
    "Message",
    "MoaError",
    "Outcome",
    "Patience",
    "PromptVersion",
    "Question",
    "Record",
    "Reply",
    "Request",
    "Session",
    "Stance",
    "Synthesis",
    "Task",
    "build_committee",
    "conduct",
    "hookimpl",
    "open_session",
    "plan_for",
    "run_task",
    "settle",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
