"""The bodies of the record's entries: what a run, an attempt and an event look like as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from moa_engine.attempt import Attempt
from moa_engine.member import Message, PromptVersion
from moa_engine.record.texts import Kept, keep

Body = dict[str, Any]

#: Which fields of a body hold a kept text, by the body's type. An attempt's messages hold more.
_TEXTS = {
    "start": ("payload", "plan"),
    "attempt": ("text", "raw", "error"),
    "event": ("data",),
    "end": ("result", "outcome"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run besides attempts: an answer, facts, a settlement."""

    kind: str
    data: dict[str, Any]
    at: float  #: seconds since the epoch


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs.

    `status` is what the run ended with; "running" or "interrupted" for one that has no end yet.
    `cost` is the sum of what is known, in USD; None when nothing is.
    """

    id: str
    task: str
    committee: str
    status: str
    started: float  #: seconds since the epoch
    seconds: float
    calls: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class StoredRun:
    """All that the record holds of one run. `result` and `outcome` are None while it has no end."""

    id: str
    task: str
    committee: str
    seed: int
    version: str
    status: str
    started: float
    seconds: float
    payload: dict[str, Any]
    plan: dict[str, Any]
    attempts: tuple[Attempt, ...]
    events: tuple[Event, ...]
    result: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """An entry that is not an attempt, before its texts are put away."""

    type: Literal["start", "event", "end"]
    run: str
    fields: Mapping[str, Any]
    texts: Mapping[str, str]
    at: float


_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def written(entry: Attempt | Note, pieces: MutableMapping[bytes, bytes]) -> str:
    """The body of an entry as JSON in ASCII; its long texts join `pieces`."""
    if isinstance(entry, Note):
        texts = {name: keep(text, pieces) for name, text in entry.texts.items()}
        return _compact({"type": entry.type, "run": entry.run, "at": entry.at, **entry.fields, **texts})
    return _compact(
        {
            "type": "attempt",
            "run": entry.run,
            "id": entry.id,
            "key": entry.key,
            "member": entry.member,
            "kind": entry.kind,
            "model": entry.model,
            "endpoint": entry.endpoint,
            "role": entry.role,
            "layer": entry.layer,
            "unit": entry.unit,
            "sample": entry.sample,
            "number": entry.number,
            "purpose": entry.purpose,
            "prompt": [entry.prompt.name, entry.prompt.version],
            "messages": [[message.role, keep(message.content, pieces)] for message in entry.messages],
            "parameters": _plain(entry.parameters),
            "text": keep(entry.text, pieces),
            "raw": keep(entry.raw, pieces),
            "finish_reason": entry.finish_reason,
            "tokens_in": entry.tokens_in,
            "tokens_out": entry.tokens_out,
            "tokens_cached": entry.tokens_cached,
            "cost_usd": None if entry.cost_usd is None else str(entry.cost_usd),
            "started": entry.started,
            "seconds": entry.seconds,
            "error_code": entry.error_code,
            "error": keep(entry.error, pieces),
        }
    )


def attempt_from(body: Body, text: Callable[[Kept], str]) -> Attempt:
    """The attempt that a body describes; `text` restores its texts."""
    fields = {name: value for name, value in body.items() if name != "type"}
    fields.update(
        prompt=PromptVersion(*body["prompt"]),
        messages=tuple(Message(role, text(content)) for role, content in body["messages"]),
        cost_usd=None if body["cost_usd"] is None else Decimal(body["cost_usd"]),
        **{name: text(body[name]) for name in _TEXTS["attempt"]},
    )
    return Attempt(**fields)


def event_from(body: Body, text: Callable[[Kept], str]) -> Event:
    """The event that a body describes."""
    return Event(kind=body["kind"], data=json.loads(text(body["data"])), at=body["at"])


def readable(body: Body, text: Callable[[Kept], str]) -> Body:
    """A body with all its texts in place, for export: JSON texts as JSON, messages as the API names them."""
    full = dict(body)
    for name in _TEXTS[body["type"]]:
        whole = text(body[name])
        full[name] = whole if body["type"] == "attempt" else json.loads(whole)
    if body["type"] == "attempt":
        full["prompt"] = dict(zip(("name", "version"), body["prompt"], strict=True))
        full["messages"] = [{"role": role, "content": text(content)} for role, content in body["messages"]]
    return full


def texts_in(body: Body) -> Iterator[str]:
    """The hashes, in hexadecimal, of the pieces that a body names."""
    kept = [body[name] for name in _TEXTS[body["type"]]]
    if body["type"] == "attempt":
        kept += [content for _, content in body["messages"]]
    for one in kept:
        if not isinstance(one, str):
            yield from one


def _plain(value: Any) -> Any:
    # Parameters come from configuration files, where TOML allows dates, inf and nan. JSON does not.
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)
