"""One attempt of one generation: the row that the record keeps, and the key under which it is found again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from moa_engine.member import Member, Message, PromptVersion, Request, identity

#: "cached" marks an answer that was taken from an earlier attempt: nothing was called, nothing spent.
Purpose = Literal["first", "retry", "hedge", "repair", "cached"]
SeatRole = Literal["proposer", "aggregator"]

#: Raised when what the key covers changes, so that old answers are not taken for new questions.
KEY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who was asked what, and what came of it. Times in seconds, `started` since the epoch.

    `error_code` is "" for an answer that could be used, else `CallError.code` or "cancelled".
    `cost_usd` is None when the price or the usage is not known.
    """

    id: str  #: unique in the record
    run: str
    key: str
    member: str
    kind: str
    model: str
    endpoint: str
    role: SeatRole
    layer: int
    unit: str
    sample: int
    number: int  #: 1 for the first attempt at this question
    purpose: Purpose
    prompt: PromptVersion
    messages: tuple[Message, ...]
    parameters: dict[str, Any]
    text: str
    raw: str
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    tokens_cached: int | None
    cost_usd: Decimal | None
    started: float
    seconds: float
    error_code: str = ""
    error: str = ""


def request_key(member: Member, request: Request) -> str:
    """SHA-256 over everything that decides the answer: model, endpoint, parameters, messages, sample."""
    parts = {
        "v": KEY_VERSION,
        "member": identity(member),
        "messages": [[message.role, message.content] for message in request.messages],
        "parameters": dict(request.parameters),
        "schema": request.answer_schema,
        "sample": request.sample,
        "subject": request.subject_digest,
    }
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
