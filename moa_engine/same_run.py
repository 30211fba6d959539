"""The same run once more: whom it did not wait for the first time, it does not ask now.

A layer that may close early leaves out whoever is slow, and later prompts show the answers of the
others. If the same run asked the slow ones again, later prompts would change, and all that follows
would be paid a second time.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moa_engine.assembly import fact_from_json
from moa_engine.committee import Committee
from moa_engine.ledger import Fact
from moa_engine.member import identity

if TYPE_CHECKING:
    from moa_engine.record import Record

#: One question to one member: its name, the layer, the sample, the unit.
Asked = tuple[str, int, int, str]


def run_key(
    task: str, payload: Mapping[str, Any], committee: Committee, *, seed: int, quorum: float, grace: float
) -> str:
    """SHA-256 over everything that decides what a run asks, and for whom it waits."""
    members = {
        name: [identity(member), dict(member.parameters), member.samples]
        for name, member in committee.members.items()
    }
    parts = [task, payload, members, committee.layers, committee.aggregators, seed, quorum, grace]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def left_out(record: Record, key: str, *, merges_late: bool) -> frozenset[Asked]:
    """The questions whose answers the newest complete run with this key did without.

    Where late answers are merged, the run did not do without them.
    """
    return frozenset(
        (said["member"], said["layer"], said["sample"], said["unit"])
        for said in (event.data for event in record.events_of(key) if event.kind == "answer")
        if said["error_code"] == "cancelled" or (said["late"] and not merges_late)
    )


def known_facts(record: Record, key: str) -> Mapping[int, Sequence[Fact]] | None:
    """The facts of the newest complete run with this key by layer; None without such a run."""
    events = record.events_of(key)
    if not events:
        return None
    found: defaultdict[int, list[Fact]] = defaultdict(list)
    for event in events:
        if event.kind == "facts":
            found[event.data["layer"]] += map(fact_from_json, event.data["facts"])
    return found
