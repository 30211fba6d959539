"""A recorded run in the order in which its page tells it: what was concluded, who said what, what it took.

Runs can be of any size, pages cannot: each list is cut at a length that somebody may still read, and the
page says how much was left out and where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_bot.formats.wording import STANDINGS, counted, evidence
from review_bot.server.charts import Stretch
from review_bot.server.history import RunRecord
from review_bot.server.rendering import seconds

Json = Mapping[str, Any]

#: How many findings are shown in full; how many of all else in one list; how many answers, proposals and
#: opinions in all.
FINDINGS, LISTED, SAID = 40, 100, 300


@dataclass(frozen=True, slots=True)
class Part:
    """A member in one layer: its attempts, what it proposed, what it thinks of others' proposals."""

    name: str
    kind: str
    model: str
    attempts: Sequence[Json]
    items: Sequence[Json]
    stances: Sequence[Json]

    @property
    def seconds(self) -> float:
        """From its first question to its last answer."""
        ends = [attempt["started"] + attempt["seconds"] for attempt in self.attempts]
        return max(ends) - min(attempt["started"] for attempt in self.attempts) if ends else 0.0

    @property
    def cost(self) -> float | None:
        """Of the answers that were asked for here; None when it is not known."""
        asked = [one for one in self.attempts if one["purpose"] != "cached" and not one["error_code"]]
        costs = [one["cost_usd"] for one in asked]
        return None if None in costs else sum(costs)

    @property
    def told(self) -> str:
        """What it came with, in a few words."""
        found = counted(len(self.items), "finding") if self.items else ""
        thought = counted(len(self.stances), "opinion") if self.stances else ""
        return ", ".join(filter(None, (found, thought))) or "nothing new"

    @property
    def cached(self) -> int:
        """Answers that came from the record."""
        return sum(attempt["purpose"] == "cached" for attempt in self.attempts)

    @property
    def failed(self) -> bool:
        """Whether none of its attempts gave an answer."""
        return bool(self.attempts) and all(attempt["error_code"] for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Layer:
    """All that was said in one layer."""

    number: int
    role: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class RunView:
    """What the page of a run shows. `review` is None where there is none."""

    layers: Sequence[Layer]
    groups: Sequence[tuple[str, str, Sequence[Json]]]  #: standing, what it means, findings
    rejected: Sequence[Json]
    more_findings: Sequence[Json]  #: beyond those that are shown in full
    facts: Sequence[str]
    review: Json | None
    each: int  #: how many of its answers, proposals and opinions are shown of each member in each layer
    titles: Mapping[str, str]  #: of all items, by id
    places: Mapping[str, str]  #: the finding that each item became part of


def view(record: RunRecord) -> RunView:
    """The page's view of a record."""
    document = record.document
    review = document["review"]
    findings: Sequence[Json] = review["findings"] if review else []
    standing = [one for one in findings if one["standing"] != "rejected"]
    full = standing[:FINDINGS]
    groups = [
        (name, meaning, found)
        for name, meaning in STANDINGS.items()
        if (found := [one for one in full if one["standing"] == name])
    ]
    layers = _layers(document)
    return RunView(
        layers=layers,
        each=max(SAID // (sum(len(layer.parts) for layer in layers) or 1), 3),
        groups=groups,
        rejected=[one for one in findings if one["standing"] == "rejected"],
        more_findings=standing[FINDINGS:],
        facts=list(map(_fact, document["facts"])),
        review=review,
        titles={item["id"]: title(item) for item in document["items"]},
        places={item: finding["id"] for finding in findings for item in finding["items"]},
    )


def timeline(document: Json) -> list[tuple[str, str, list[Stretch]]]:
    """When each member was asked and had answered, in seconds since the run began."""
    rows: dict[str, list[Json]] = defaultdict(list)
    for attempt in document["attempts"][: 4 * LISTED]:
        if attempt["purpose"] != "cached":
            rows[attempt["member"]].append(attempt)
    start = document["started"]
    return [
        (name, _answered(attempts), [_stretch(attempt, start) for attempt in attempts])
        for name, attempts in list(rows.items())[:LISTED]
    ]


def title(item: Json) -> str:
    """What an item says, in a line."""
    return str(item["body"].get("title") or item["body"])


def _layers(document: Json) -> list[Layer]:
    said: dict[tuple[int, str], dict[str, list[Json]]] = {}

    def place(layer: int, member: str) -> dict[str, list[Json]]:
        return said.setdefault((layer, member), {"attempts": [], "items": [], "stances": []})

    for attempt in document["attempts"]:
        place(attempt["layer"], attempt["member"])["attempts"].append(attempt)
    for item in document["items"]:
        place(item["layer"], item["author"])["items"].append(item)
    for stance in document["stances"]:
        place(stance["layer"], stance["member"])["stances"].append(stance)
    layers = []
    for number in sorted({layer for layer, _ in said}):
        parts = [_part(name, own) for (layer, name), own in said.items() if layer == number]
        roles = {attempt["role"] for part in parts for attempt in part.attempts}
        layers.append(Layer(number, "aggregator" if roles == {"aggregator"} else "proposer", parts))
    return layers


def _part(name: str, own: Mapping[str, list[Json]]) -> Part:
    attempts = own["attempts"]
    kind, model = (attempts[0]["kind"], attempts[0]["model"]) if attempts else ("", "")
    return Part(name, kind, model, attempts, own["items"], own["stances"])


def _stretch(attempt: Json, start: float) -> Stretch:
    began = attempt["started"] - start
    kind = "bad" if attempt["error_code"] else attempt["role"]
    about = f"layer {attempt['layer']}, {attempt['role']}, {attempt['seconds']:.2f} s"
    told = f"{about}: {attempt['error_code']}" if attempt["error_code"] else about
    return Stretch(began, began + attempt["seconds"], kind, told)


def _answered(attempts: Iterable[Json]) -> str:
    times = [attempt["seconds"] for attempt in attempts if not attempt["error_code"]]
    return seconds(sum(times)) if times else "no answer"


def _fact(fact: Json) -> str:
    return evidence({**fact["data"], **fact})
