"""The configured committee, in words: who sits on it, who aggregates, which rules hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from moa_engine.committee import build_committee

if TYPE_CHECKING:
    from moa_engine.session import Session


def status_lines(session: Session) -> Iterator[str]:
    """One line for the committee, one for each member, and one for each rule that is set.

    Raises:
        ConfigError: the committee cannot be built.
    """
    settings = session.settings
    committee = build_committee(settings, session.plugins)
    layers = len(committee.layers) + bool(committee.aggregators)
    yield f"committee: {committee.name}, {layers} layer{'s' if layers != 1 else ''}"
    for member in committee.members.values():
        where = f" at {member.endpoint}" if member.endpoint else ""
        samples = f", {member.samples} samples" if member.samples > 1 else ""
        yield f"  {member.name}: {member.kind} {member.model}{where}, family {member.family}{samples}"
    if not committee.members:
        yield "  no model is configured: deterministic members only (moa init looks for models)"
    yield f"  aggregator: {', '.join([*committee.aggregators, 'deterministic'])}"
    if settings.local_only:
        yield "  egress: loopback and private addresses only"
    if settings.allow_hosts:
        yield f"  egress: {', '.join(settings.allow_hosts)} only"
    if settings.budget is not None:
        yield f"  budget: ${settings.budget:g} a run"
    yield f"record: {session.record.path}"
