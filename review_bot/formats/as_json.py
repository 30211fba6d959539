"""The review as JSON, `review/1`: everything that is known, for programs. Schema: docs/review-1.schema.json.

The text is ASCII: what is not is written as JSON escapes, so that no terminal or log can be steered
by a model's words. Lone surrogates, which strict parsers refuse, become U+FFFD.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from review_bot.formats.well_formed import well_formed
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

SCHEMA = "review/1"


def render(outcome: Outcome[Review], change: Change) -> str:
    """The outcome as one JSON object, ended by a newline."""
    return json.dumps(well_formed(to_json(outcome, change)), indent=2) + "\n"


def to_json(outcome: Outcome[Review], change: Change) -> dict[str, Any]:
    """The object behind the text. "base" and "head" are "" where that side is no commit."""
    review = outcome.result
    return {
        "schema": SCHEMA,
        "base": change.base,
        "head": change.head,
        "status": outcome.status,
        "findings": [finding.model_dump(mode="json") for finding in review.findings] if review else [],
        "members": list(_members(outcome)),
        "not_reviewed": [{"path": file.path, "why": file.why} for file in change.not_reviewed],
        "masked_secrets": outcome.masked_secrets,
        "run": outcome.run,
        "cost_usd": outcome.cost_usd,
        "seconds": outcome.seconds,
        "calls": outcome.calls,
        "cached": outcome.cached,
        "missing": list(outcome.missing),
        "aggregator": outcome.aggregator,
        "objections": list(review.objections) if review else [],
        "unplaced": [finding.model_dump(mode="json") for finding in review.unplaced] if review else [],
        "behaviour": [one.model_dump(mode="json") for one in review.behaviour] if review else [],
        "proof": review.proof.model_dump(mode="json") if review and review.proof else None,
        "suggested_tests": [one.model_dump(mode="json") for one in review.suggested.tests] if review else [],
        "suggested_tests_patch": review.suggested.patch if review else "",
        "warnings": list(outcome.warnings),
        "notes": list(change.notes),
    }


def _members(outcome: Outcome[Review]) -> Iterator[dict[str, Any]]:
    """Each member's part, with how much its word counts and what a bench found of it."""
    voices = getattr(outcome.task, "voices", {})
    for member in outcome.members:
        voice = voices.get(member.name, Voice(""))
        yield {**member.to_json(), "weight": voice.weight, "track_record": voice.track}
