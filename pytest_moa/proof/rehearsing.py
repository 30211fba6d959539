"""The search with the project's tests: as they are, their recorded calls, and amplified."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from pytest_moa.proof.changes import ModuleSource
from pytest_moa.proof.clues import amplifier_for
from pytest_moa.proof.hunting import PATIENCE, Hunt
from pytest_moa.proof.public import publicly
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.suite import Body, Suite
from pytest_moa.sandbox import Limits

#: Programs of one batch.
BATCH = 120
#: Known programs that half of the others are made near to, at either end.
FOREMOST = 12
#: Programs of one changed function that others are made near to.
MOST_KNOWN = 150
#: Programs given what the changed statements name that others are made near to.
MOST_POINTED = 8


class Rehearsal:
    """Rounds over the changed functions that tests reach."""

    def __init__(
        self,
        hunt: Hunt,
        suite: Suite,
        bodies: Sequence[Body],
        sources: Mapping[str, tuple[ModuleSource | None, ModuleSource | None]],
    ) -> None:
        self.hunt = hunt
        self.suite = suite
        self.rng = random.Random(0)  # noqa: S311 - repeatable on purpose
        self.known: defaultdict[str, list[Snippet]] = defaultdict(list)
        self.reached: defaultdict[str, set[str]] = defaultdict(set)
        self.rounds: defaultdict[str, int] = defaultdict(int)
        self.bodies = list(bodies)
        for body in bodies:
            for name in body.functions:
                # Cases that differ in a fixture only are one program here.
                if all(one.source != body.snippet.source for one in self.known[name]):
                    self.known[name].append(body.snippet)
        sources_of_bodies = [body.snippet.source for body in bodies]
        names = {name for file in suite.files.values() for name in (*file.imports, *file.definitions)}
        self.amplifiers = {
            name: amplifier_for(hunt.changed[name], sources, self.rng, sources_of_bodies, names)
            for name in self.known
            if name in hunt.changed
        }

    def as_they_are(self) -> None:
        """Run all bodies on both sides, and what is public in those that use private names.

        The latter, where base answers, take their place: what is made near to a private one shows nobody
        anything.
        """
        began = time.monotonic()
        public = {}
        for body in self.bodies:
            source = publicly(body.snippet.source)
            if source is not None:
                public[self._made(body.snippet, source, body.snippet.aim)] = body.snippet.source
        ran = self._run(list(public), patience=2 * PATIENCE)
        instead = {public[snippet]: snippet for snippet, raised in ran if not raised and snippet in public}
        for name, known in self.known.items():
            self.known[name] = [instead.get(one.source, one) for one in known]
        for at in range(0, len(self.bodies), BATCH):
            self._run([body.snippet for body in self.bodies[at : at + BATCH]], patience=4 * PATIENCE)
        for name in self.amplifiers:
            self.hunt.tallies[name].seconds += (time.monotonic() - began) / len(self.amplifiers)

    def recorded(self, paths: Mapping[str, str]) -> list[Snippet]:
        """Calls that tests make at entries of changed functions; `paths` by module."""
        functions = [
            [entry.module, paths[entry.module], entry.qualname]
            for name in self.amplifiers
            for entry in self.hunt.changed[name].entries
            if entry.module in paths
        ]
        indices = sorted({self.suite.base_items[body.snippet.item] for body in self.bodies[:80]})
        if not functions or not indices:
            return []
        args = {"indices": indices, "functions": functions}
        ended = self.suite.pair.base.call(
            "pytest_moa.proof.tests_side:recorded", args, Limits(wall=10, cpu=10)
        )
        if ended.status != "returned":
            return []
        by_path = {path: module for module, path in paths.items()}
        found = []
        for one in ended.value:
            path, _, qualname = one["function"].partition("::")
            module = by_path[path]
            found.append(
                Snippet(one["source"], module, f"{module}:{qualname}", ("recorded",), tuple(one["imports"]))
            )
        return found

    def round(self) -> bool:
        """One batch for the function that has waited longest for its risk; False if there is none left."""
        open_ = [name for name in self.amplifiers if not self.hunt.kept.done_with(name)]
        if not open_:
            return False
        name = min(open_, key=lambda one: (self.rounds[one] + 1) / self.hunt.changed[one].risk)
        began = time.monotonic()
        if self.rounds[name] == 0:
            self._pointed(name)
        else:
            amplifier, known = self.amplifiers[name], self.known[name]
            starts = [self._start(known) for _ in range(BATCH)]
            made = [(start, amplifier.near(start.source)) for start in starts]
            self._run([self._made(start, source, name) for start, source in made if source], name)
        self.rounds[name] += 1
        self.hunt.tallies[name].seconds += time.monotonic() - began
        return True

    def _pointed(self, name: str) -> None:
        """What the changed statements name, given to calls; then the other arguments exchanged, too."""
        amplifier = self.amplifiers[name]
        foremost = self.known[name][:FOREMOST]
        for edited in (amplifier.pieced, amplifier.shorter):
            self._run(self._turns([(one, edited(one.source)) for one in foremost], name), name)
        first = self._turns([(one, amplifier.pointed(one.source)) for one in self.known[name]], name)
        answered = [one for one, raised in self._run(first, name) if not raised][:MOST_POINTED]
        self.known[name][FOREMOST // 2 : FOREMOST // 2] = answered
        self._run(self._turns([(one, amplifier.exchanged(one.source)) for one in answered], name), name)

    def _turns(self, made: Sequence[tuple[Snippet, Sequence[str]]], name: str) -> list[Snippet]:
        """Programs of each start in turn, as many as a batch has."""
        turns = zip_longest(*([self._made(start, one, name) for one in found] for start, found in made))
        return [one for turn in turns for one in turn if one is not None][:BATCH]

    def _made(self, start: Snippet, source: str, name: str) -> Snippet:
        by = tuple(dict.fromkeys((*start.by, "amplified")))
        return Snippet(self.suite.with_imports(source, start.item), start.module, name, by, item=start.item)

    def _start(self, known: Sequence[Snippet]) -> Snippet:
        """A program to begin with: those that name what changed come first; new and short ones more often."""
        chance = self.rng.random()
        if chance < 0.5:
            return self.rng.choice(known[:FOREMOST])
        if chance < 0.75:
            return self.rng.choice(known[-FOREMOST:])
        return min(self.rng.sample(known, min(2, len(known))), key=lambda one: len(one.source))

    def _run(
        self, snippets: Sequence[Snippet], name: str = "", patience: float = PATIENCE
    ) -> list[tuple[Snippet, str]]:
        """Run programs, note those that reach more; gives what ran, and what each raised at base."""
        ran, results = self.hunt.consider(self.suite, snippets, patience)
        for snippet, result in zip(ran, results, strict=True):
            fresh = set(result["hits"]) - self.reached[name]
            self.reached[name] |= fresh
            if name and fresh and not result["raised"].startswith("builtins.SyntaxError"):
                self.known[name].append(snippet)
                if len(self.known[name]) > MOST_KNOWN:
                    del self.known[name][FOREMOST]
        return [(snippet, result["raised"]) for snippet, result in zip(ran, results, strict=True)]
