"""The search with a module's names: docstrings, proposals, recorded calls, then what is generated."""

from __future__ import annotations

import ast
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_moa.proof.amplifying import Amplifier
from pytest_moa.proof.boundaries import at_edges, edges_of
from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.clues import Sources, amplifier_for, constants_of
from pytest_moa.proof.contrasts import patterns_of
from pytest_moa.proof.hunting import PATIENCE, Hunt
from pytest_moa.proof.lane import ModuleLane
from pytest_moa.proof.sighting import Note
from pytest_moa.proof.snippet import Snippet
from pytest_moa.sandbox import Limits

#: Programs of one batch: the first ones are small, to have something soon.
FIRST_BATCH, BATCH = 150, 600
#: Of one batch, those that are made near to others.
AMPLIFIED = 120
#: Programs that others are made near to, by module.
MOST_KNOWN = 60
#: Rounds without a new program after which a place is left.
MOST_EMPTY = 3
#: Programs, the shortest, of which others at the edges are made in one round.
EDGED = 4


@dataclass(slots=True)
class Place:
    """A module with entries of one changed function."""

    function: ChangedFunction
    module: str
    qualnames: list[str]
    constants: list[str]  #: sources
    amplifier: Amplifier
    weight: float  #: its share of the rounds
    edges: list[int | float] = field(default_factory=list)  #: the code's numbers and their neighbours
    patterns: list[tuple[str, str]] = field(default_factory=list)  #: what changed, and what it became
    texts: list[str] = field(default_factory=list)  #: what only one of two such patterns matches
    edged: set[str] = field(default_factory=set)  #: sources of which programs at the edges were made
    answered: set[str] = field(default_factory=set)  #: sources of known programs that base did not refuse
    known: list[Snippet] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    rounds: int = 0
    fruitless: int = 0  #: rounds without a new branch since the last one
    empty: int = 0  #: rounds in which nothing new could be made


class Search:
    """Rounds of the search over all places, those with the highest risk more often."""

    def __init__(self, hunt: Hunt, lane: ModuleLane, places: Sequence[Place]) -> None:
        self.hunt = hunt
        self.lane = lane
        self.places = list(places)
        for place in self.places:
            self._learn_texts(place)

    def round(self) -> bool:
        """One batch at the place that has waited longest for its risk; False if there is none left."""
        open_ = [
            one
            for one in self.places
            if one.empty < MOST_EMPTY and not self.hunt.kept.done_with(one.function.name)
        ]
        if not open_:
            return False
        place = min(
            open_, key=lambda one: (one.rounds + 1) / one.weight / (0.5 ** min(one.fruitless // 6, 3))
        )
        began = time.monotonic()
        self._batch(place)
        self.hunt.tallies[place.function.name].seconds += time.monotonic() - began
        place.rounds += 1
        return True

    def _learn_texts(self, place: Place) -> None:
        if not place.patterns:
            return
        args = {"pairs": place.patterns}
        ended = self.lane.pair.base.call("pytest_moa.proof.contrasts:telling", args, Limits(wall=3, cpu=3))
        if ended.status == "returned":
            place.texts = list(ended.value)
            place.constants += map(repr, place.texts)

    def start_with(self, snippets: Sequence[Snippet]) -> None:
        """Run programs that others gave, remember them as seeds, and try the code's numbers in them."""
        self._run(snippets)
        for place in self.places:
            self._run(self._at_edges(place), place)

    def _batch(self, place: Place) -> None:
        made = self._generated(place, "docstrings" if place.rounds == 0 else "search")
        if place.rounds == 0:
            made += self._generated(place, "search", FIRST_BATCH)
        made += self._amplified(place, made)
        place.amplifier.rng.shuffle(made)
        made = [*self._at_edges(place), *made]
        before = len(place.reached)
        place.empty = 0 if self._run(made, place) else place.empty + 1
        place.fruitless = 0 if len(place.reached) > before else place.fruitless + 1

    def _run(self, snippets: Sequence[Snippet], place: Place | None = None) -> int:
        patience = PATIENCE if place is not None else 4 * PATIENCE
        ran, results = self.hunt.consider(self.lane, snippets, patience)
        for snippet, result in zip(ran, results, strict=True):
            wanted = (
                [place] if place is not None else [one for one in self.places if one.module == snippet.module]
            )
            for one in wanted:
                fresh = set(result["hits"]) - one.reached
                given = place is None and len(one.known) < MOST_KNOWN
                if fresh or given:
                    if not result["raised"] and not result["late"]:
                        one.answered.add(snippet.source)
                    one.reached |= fresh
                    one.known = [*one.known[-MOST_KNOWN:], snippet]
        return len(ran)

    def _at_edges(self, place: Place) -> list[Snippet]:
        """Known programs that base answered, with something empty, or the code's numbers, in them."""
        starts = [one for one in place.known if one.source in place.answered - place.edged]
        found = []
        for start in sorted(starts, key=lambda one: one.cost)[:EDGED]:
            place.edged.add(start.source)
            by = tuple(dict.fromkeys((*start.by, "literals")))
            found += [
                replace(start, source=source, code="", by=by)
                for source in at_edges(start.source, place.edges, place.texts)
            ]
        return found

    def _amplified(self, place: Place, made: Sequence[Snippet]) -> list[Snippet]:
        """Programs near to known and new ones, as tests are amplified."""
        starts = [*place.known, *place.known, *made[:AMPLIFIED]]
        found = []
        for start in place.amplifier.rng.choices(starts, k=AMPLIFIED) if starts else ():
            source = place.amplifier.near(start.source)
            if source is not None:
                by = tuple(dict.fromkeys((*start.by, "amplified")))
                found.append(replace(start, source=source, code="", by=by))
        return found

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
            why = "".join(ended.error.strip().splitlines()[-1:]) or ended.status
            said = f"of programs could not be made ({why})"
            self.hunt.notes[Note(f"batch {said}", f"batches {said}")] += 1
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
    sources: Sources,
) -> list[Place]:
    """Where to search for each changed function, by modules."""
    found: list[Place] = []
    for function in changed:
        by_module: defaultdict[str, list[str]] = defaultdict(list)
        steps: dict[str, int] = {}
        for entry in function.entries:
            by_module[entry.module].append(entry.qualname)
            steps.setdefault(entry.module, entry.steps)
        values = [one for one in constants_of(function, sources) if _is_literal(one)]
        constants = [repr(one) for one in values]
        rng = random.Random(0)  # noqa: S311 - repeatable on purpose
        found += [
            Place(
                function,
                module,
                names,
                constants,
                amplifier_for(function, sources, rng, ()),
                function.risk / (1 + steps[module]),
                edges_of(values),
                patterns_of(function, sources),
            )
            for module, names in by_module.items()
        ]
    return found


def _is_literal(value: Any) -> bool:
    try:
        ast.literal_eval(repr(value))
    except (ValueError, SyntaxError):  # inf
        return False
    return True
