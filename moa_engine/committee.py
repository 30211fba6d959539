"""A committee that is ready to work: its members, who proposes in which layer, who aggregates."""

from __future__ import annotations

from dataclasses import dataclass

from moa_engine.member import Member


@dataclass(frozen=True, slots=True)
class Committee:
    """Members by name, the proposers of each layer, and the aggregators in order of preference.

    `len(layers)` proposer layers are followed by one aggregation: the paper counts that as
    `len(layers) + 1`. With no aggregator the deterministic one concludes, without a call.
    """

    name: str
    members: dict[str, Member]
    layers: tuple[tuple[str, ...], ...]
    aggregators: tuple[str, ...] = ()

    async def aclose(self) -> None:
        """Release what the members hold (connections, loaded models)."""
        for member in self.members.values():
            await member.aclose()
