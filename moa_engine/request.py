"""A question as a request to one member, and the same request once more after a broken answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from moa_engine.errors import BrokenAnswer
from moa_engine.member import Member, Message, Request
from moa_engine.prompts import load_prompt
from moa_engine.task import Question


def request_of(
    member: Member,
    question: Question,
    sample: int,
    answer_type: type[BaseModel] | None,
    subject: object | None,
    subject_digest: str,
    mask: Callable[[str], str],
) -> Request:
    """A question as it is put to this member, without secrets."""
    reads_subject = member.reads == "subject"
    return Request(
        messages=tuple(Message(m.role, mask(m.content)) for m in question.messages),
        prompt=question.prompt,
        answer_schema=_schema(answer_type),
        parameters=member.parameters,
        sample=sample,
        subject=subject if reads_subject else None,
        subject_digest=subject_digest if reads_subject else "",
    )


@cache
def _schema(answer_type: type[BaseModel] | None) -> Mapping[str, Any] | None:
    return None if answer_type is None else answer_type.model_json_schema()


def with_repair(request: Request, error: BrokenAnswer) -> Request:
    """The request once more, with the broken answer and what was wrong with it at its end."""
    asking = load_prompt("moa_engine", "repair").render(problem=error.message)
    return replace(
        request, messages=(*request.messages, Message("assistant", error.raw), Message("user", asking))
    )
