"""What a committee is, apart from where its models are: machines that agree on it measure the same thing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.session import Session
    from review_bot.settings import ReviewSettings

Shape = Mapping[str, Any]


def shape_of(session: Session, settings: ReviewSettings, committee: Committee) -> Shape:
    """All that decides what is asked and how it is counted, as JSON; without endpoints and keys."""
    members = {
        name: {
            "kind": member.kind,
            "model": member.model,
            "family": member.family,
            "samples": member.samples,
            "context_window": member.context_window,
            "parameters": dict(member.parameters),
        }
        for name, member in committee.members.items()
    }
    shape = {
        "version": version("pytest-moa"),
        "seed": session.settings.seed,
        "layers": committee.layers,
        "aggregators": committee.aggregators,
        "review": settings.model_dump(
            mode="json", include={"include", "exclude", "max_file_bytes", "track", "votes_needed"}
        ),
        **{f"member {name}": member for name, member in members.items()},
    }
    plain: Shape = json.loads(json.dumps(shape))
    return plain


def digest_of(shape: Shape) -> str:
    """A name for it."""
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def difference(wanted: Shape, here: Shape) -> str:
    """In what two committees differ, for people; "" where they do not."""
    for part in [*wanted, *here]:
        one, other = wanted.get(part), here.get(part)
        if one == other:
            continue
        if one is None or other is None:
            return f"{part} is only {'here' if one is None else 'there'}"
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            inner = difference(one, other)
            return f"{part}: {inner}"
        return f"{part} is {json.dumps(one)} there and {json.dumps(other)} here"
    return ""
