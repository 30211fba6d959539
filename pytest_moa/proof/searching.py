"""The search with a module's names: docstrings, proposals, recorded calls, then what is generated."""

from __future__ import annotations

import ast
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_moa.proof.changes import ChangedFunction, ModuleSource
from pytest_moa.proof.hunting import Hunt
from pytest_moa.proof.lane import ModuleLane
from pytest_moa.proof.snippet import Snippet
from pytest_moa.sandbox import Limits
from pytest_moa.search.clues import constants_in

#: Programs of one batch: the first ones are small, to have something soon.
FIRST_BATCH, BATCH = 150, 600
#: Programs that others are made near to, by module.
MOST_KNOWN = 60


@dataclass(slots=True)
class Place:
    """A module with entries of one changed function."""

    function: ChangedFunction
    module: str
    qualnames: list[str]
    constants: list[str]  #: sources
    known: list[Snippet] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    rounds: int = 0
    fruitless: int = 0  #: rounds without a new branch since the last one


class Search:
    """Rounds of the search over all places, those with the highest risk more often."""

    def __init__(self, hunt: Hunt, lane: ModuleLane, places: Sequence[Place]) -> None:
        self.hunt = hunt
        self.lane = lane
        self.places = list(places)

    def round(self) -> bool:
        """One batch at the place that has waited longest for its risk; False if there is none left."""
        open_ = [one for one in self.places if not self.hunt.done_with(one.function.name)]
        if not open_:
            return False
        place = min(
            open_, key=lambda one: (one.rounds + 1) / one.function.risk / (0.5 ** min(one.fruitless // 6, 3))
        )
        began = time.monotonic()
        self._batch(place)
        self.hunt.tallies[place.function.name].seconds += time.monotonic() - began
        place.rounds += 1
        return True

    def start_with(self, snippets: Sequence[Snippet]) -> None:
        """Run programs that others gave, and remember them as seeds."""
        self._run(snippets)

    def _batch(self, place: Place) -> None:
        made = self._generated(place, "docstrings" if place.rounds == 0 else "search")
        if place.rounds == 0:
            made += self._generated(place, "search", FIRST_BATCH)
        before = len(place.reached)
        self._run(made, place)
        place.fruitless = 0 if len(place.reached) > before else place.fruitless + 1

    def _run(self, snippets: Sequence[Snippet], place: Place | None = None) -> None:
        ran, results = self.hunt.consider(self.lane, snippets)
        for snippet, result in zip(ran, results, strict=True):
            wanted = (
                [place] if place is not None else [one for one in self.places if one.module == snippet.module]
            )
            for one in wanted:
                fresh = set(result["hits"]) - one.reached
                given = place is None and len(one.known) < MOST_KNOWN
                if fresh or given:
                    one.reached |= fresh
                    one.known = [*one.known[-MOST_KNOWN:], snippet]
                    self.hunt.tallies[one.function.name].reached |= set(result["hits"])

    def _generated(self, place: Place, mode: str, count: int = BATCH) -> list[Snippet]:
        args = {
            "module": place.module,
            "qualnames": place.qualnames,
            "count": count,
            "seed": place.rounds,
            "mode": mode,
            "constants": place.constants,
            "known": [{"source": one.source, "by": list(one.by)} for one in place.known],
        }
        limits = Limits(wall=10, cpu=10)
        ended = self.lane.pair.base.call("pytest_moa.proof.generating:generate", args, limits)
        if ended.status != "returned":
            self.hunt.notes[f"batches that could not be made: {ended.error.strip().splitlines()[-1:]}"] += 1
            return []
        return [
            Snippet(
                source=one["source"],
                module=place.module,
                aim=_aim(place, one["qualname"]),
                by=tuple(dict.fromkeys(one["by"])),
                imports=tuple(one["imports"]),
                code=one["code"],
            )
            for one in ended.value
        ]


def _aim(place: Place, qualname: str) -> str:
    name = f"{place.module}:{qualname}"
    return name if qualname in place.qualnames else f"{place.module}:{place.qualnames[0]}"


def places_of(
    changed: Sequence[ChangedFunction],
    sources: Mapping[str, tuple[ModuleSource | None, ModuleSource | None]],
) -> list[Place]:
    """Where to search for each changed function, by modules."""
    found: list[Place] = []
    for function in changed:
        by_module: defaultdict[str, list[str]] = defaultdict(list)
        for entry in function.entries:
            by_module[entry.module].append(entry.qualname)
        constants = _constants(function, *sources[function.module])
        found += [Place(function, module, names, constants) for module, names in by_module.items()]
    return found


def _constants(function: ChangedFunction, base: ModuleSource | None, head: ModuleSource | None) -> list[str]:
    """Constants of both versions of the changed code, as sources."""
    values: dict[str, None] = {}
    for side in (base, head):
        node: Any = None
        if side is not None:
            node = side.functions.get(function.qualname) or side.classes.get(function.qualname)
        if node is not None:
            values.update((repr(one), None) for one in constants_in(node) if _is_literal(one))
    return list(values)


def _is_literal(value: Any) -> bool:
    try:
        ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):  # inf
        return False
    return True
