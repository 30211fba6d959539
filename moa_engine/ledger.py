"""The ledger: everything that the members said, none of it ever removed.

Members fill it layer by layer with items (a finding, a test), stances on items and plain answers;
executed evidence joins as facts. An aggregator can only *map* what is there: `settle` checks its
decisions, and whatever it forgot stays under its author's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Position = Literal["agree", "dispute", "unsure"]
Verdict = Literal["kept", "merged", "disputed", "rejected"]


@dataclass(frozen=True, slots=True)
class Answer:
    """How one question to one member ended: with a value, or with an error.

    `value` is the task's answer type, or a string for plain text; None when there is an error.
    """

    member: str
    layer: int
    sample: int
    unit: str
    value: BaseModel | str | None
    generation: str = ""  #: the id in the record of the attempt that gave the value
    error: str = ""  #: why there is no value, for people
    error_code: str = ""  #: `CallError.code`, or "cancelled"
    late: bool = False  #: came after its layer had closed
    cut: bool = False  #: ended in the middle; the value is what of it is whole


@dataclass(frozen=True, slots=True)
class Item:
    """One finding, test or other thing that somebody proposed. `body` has the task's item type."""

    id: str
    author: str
    layer: int
    body: BaseModel
    sample: int = 0
    generation: str = ""


@dataclass(frozen=True, slots=True)
class Stance:
    """What one member thinks of somebody's item."""

    item: str
    member: str
    layer: int
    position: Position
    why: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was executed, not said. `item` is None when it is about the whole subject."""

    kind: str
    text: str
    item: str | None = None
    supports: bool | None = None  #: True confirms the item, False refutes it, None does neither
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is known in a run, in an order that does not depend on who was fast."""

    seed: int = 0
    answers: tuple[Answer, ...] = ()
    items: tuple[Item, ...] = ()
    stances: tuple[Stance, ...] = ()
    facts: tuple[Fact, ...] = ()

    def of_layer(self, layer: int) -> tuple[Answer, ...]:
        """The answers of one layer that have a value."""
        return tuple(a for a in self.answers if a.layer == layer and a.value is not None)

    def shuffled(self, things: Sequence[Any], key: Any) -> list[Any]:
        """`things` in an order drawn from the recorded seed: the same for every reader, and neutral."""
        return sorted(things, key=lambda thing: _digest(self.seed, key(thing)))

    def with_facts(self, facts: Iterable[Fact]) -> Ledger:
        """This ledger with more facts."""
        return replace(self, facts=(*self.facts, *facts))


def item_id(author: str, layer: int, sample: int, unit: str, index: int, body: BaseModel) -> str:
    """The id of an item: eight hex digits that say nothing about the author to whoever reads them."""
    return _digest(author, layer, sample, unit, index, body.model_dump(mode="json"))[:8]


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Decision(BaseModel):
    """An aggregator's word on one item, or on several that say the same."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ids: list[str] = Field(description="ids of the items; more than one when they make the same claim")
    verdict: Verdict = Field(description="what becomes of them")
    reason: str = Field(default="", description="why; required for rejected and disputed")


@dataclass(frozen=True, slots=True)
class Settled:
    """One group of items and what became of it. `by` is "" where no aggregator decided."""

    ids: tuple[str, ...]
    verdict: Verdict
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A checked mapping: every item of the ledger is in exactly one group.

    `objections` says, for the record, what of the aggregator's answer was refused and why.
    """

    groups: tuple[Settled, ...]
    objections: tuple[str, ...] = ()


def settle(items: Sequence[Item], decisions: Sequence[Decision], by: str) -> Settlement:
    """Check an aggregator's decisions against the ledger; nothing can vanish.

    Unknown ids are refused; an id that is used twice keeps its first decision; a rejection without
    a reason does not count; items that no decision mentions come back as they are.
    """
    open_ids = {item.id: None for item in items}
    known = set(open_ids)
    groups: list[Settled] = []
    objections: list[str] = []
    for decision in decisions:
        taken: list[str] = []
        for raw in decision.ids:
            item = raw.strip()
            if item in open_ids:
                del open_ids[item]
                taken.append(item)
            elif item in known:
                objections.append(f"{item} was decided twice; the first decision stands")
            else:
                objections.append(f"{item} is not the id of any item")
        if not taken:
            continue
        verdict, reason = decision.verdict, decision.reason.strip()
        if verdict == "rejected" and not reason:
            objections.append(f"{', '.join(taken)}: rejected without a reason, so kept")
            verdict = "kept"
        groups.append(Settled(tuple(taken), verdict, reason, by))
    groups.extend(Settled((item,), "kept") for item in open_ids)
    return Settlement(tuple(groups), tuple(objections))
