"""The order of things: imports, proposals, the first generated programs, the tests, then all in turns.

Each lap of the search ends before the time does, for what was seen in it has still to be proved.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_moa.project import Project
from pytest_moa.proof.clock import TimeIsOver
from pytest_moa.proof.gathering import Comparison, import_names
from pytest_moa.proof.hunting import Hunt
from pytest_moa.proof.lane import ModuleLane
from pytest_moa.proof.pair import Live, Pair, Tree, awaited
from pytest_moa.proof.rehearsing import Rehearsal
from pytest_moa.proof.searching import Search, places_of
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.suite import Suite, collecting, likely_files
from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmFailed, WarmProcess

#: Shares of the whole time: of what is generated before the tests are there, of running the tests once.
FIRST, REACHING = 0.1, 0.25
#: Shares of the whole time after which what was seen is proved: most is left for that once.
LAPS = (0.75, 0.92)
#: How the rest is shared between what is generated and what the tests are amplified to.
GENERATED, AMPLIFIED = 0.4, 0.6


@dataclass(slots=True)
class Failures:
    """Why modules could not be imported, by name."""

    base: dict[str, str] = field(default_factory=dict)
    head: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Turns:
    """What still has programs to run."""

    search: Search
    searching: bool
    rehearsal: Rehearsal | None = None


class Campaign:
    """One comparison while it runs."""

    def __init__(
        self,
        base: Tree,
        head: Tree,
        comparison: Comparison,
        hunt: Hunt,
        *,
        confined: bool,
        workers: int = 2,
    ) -> None:
        self.workers = workers
        self.trees = base, head
        self.comparison = comparison
        self.hunt = hunt
        self.confined = confined
        self.failures = Failures()
        self.notes: list[str] = []
        self.clock = hunt.clock
        self.began = time.monotonic()
        self.deadline = self.clock.until
        self.seconds = self.deadline - self.began
        self._spent = {"search": 0.0, "tests": 0.0}

    def run(self, proposed: Sequence[Snippet]) -> None:
        """Search until the time is over or nothing is left to do."""
        threads = ThreadPoolExecutor(1)
        with self._pair() as pair:
            suite = self._suite()
            try:
                self._searched(pair, proposed, suite, threads)
                self._until(1)
                self.hunt.finish_accidents()
            except WarmFailed as error:
                self.notes.append(f"a process that runs the code has gone: {error.message}")
            except TimeIsOver:
                pass  # what is pending tells
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                lives = [pair.base, pair.head, *((suite.pair.base, suite.pair.head) if suite else ())]
                for fault, count in Counter(one for live in lives for one in live.faults).items():
                    self.notes.append(f"FAULT in pytest-moa itself ({count} times): {fault}")
                if suite is not None:
                    suite.pair.close()

    def _searched(
        self, pair: Pair, proposed: Sequence[Snippet], suite: Suite | None, threads: ThreadPoolExecutor
    ) -> None:
        """Laps of the search, and proofs after each."""
        turns: Turns | None = None
        for share in LAPS:
            self._until(share)
            try:
                if turns is None:
                    self._note_failures(pair, pair.start())
                    started = threads.submit(self._reached, suite) if suite is not None else None
                    self.hunt.replayer.warm_up()
                    turns = self._begun(pair, proposed)
                    self._before_tests(turns, started)
                    if suite is not None and started is not None:
                        turns.rehearsal = self._rehearsal(suite, started, turns.search)
                self._in_turns(turns)
            except TimeIsOver:
                if turns is None:
                    self.notes.append("both versions could not be imported in time")
                    return
            self._until(1)
            self.hunt.finish()

    def _until(self, share: float) -> None:
        """Begin a phase that ends at this share of the time."""
        self.clock.until = self.began + self.seconds * share

    def _pair(self) -> Pair:
        def live(tree: Tree, modules: Mapping[str, Path]) -> Live:
            wanted = {name: str(modules[name]) for name in self.comparison.modules if name in modules}
            return Live(
                lambda: WarmProcess(
                    root=tree.root,
                    preload="pytest_moa.proof.side:imported",
                    preload_args={"root": str(tree.root), "modules": wanted},
                    python_path=[str(path) for path in tree.python_path],
                    readable=[tree.root, *tree.python_path],
                    limits=Limits(wall=30, cpu=30),
                    confined=self.confined,
                ),
                self.clock,
            )

        base, head = self.trees
        lives = live(base, self.comparison.base_modules), live(head, self.comparison.head_modules)
        return Pair(*lives, self.workers)

    def _suite(self) -> Suite | None:
        base, head = self.trees
        project = Project.find(base.root)
        files = [
            path.relative_to(base.root)
            for path in likely_files(project, self.comparison.changed)
            if path.is_relative_to(base.root)
        ]
        if not files:
            return None
        first = collecting(base, self.comparison.base_modules, files, self.clock, confined=self.confined)
        second = collecting(head, self.comparison.head_modules, files, self.clock, confined=self.confined)
        return Suite(Pair(first, second, self.workers), base.root)

    def _note_failures(self, pair: Pair, reports: tuple[Any, Any]) -> None:
        for report, live, known in zip(
            reports, (pair.base, pair.head), (self.failures.base, self.failures.head), strict=True
        ):
            if report is not None:
                known.update(report["errors"])
            else:
                known.update(dict.fromkeys(self.comparison.modules, live.failure))

    def usable(self, module: str) -> bool:
        """Whether a module is live on both sides."""
        there = module in self.comparison.base_modules and module in self.comparison.head_modules
        return there and module not in self.failures.base and module not in self.failures.head

    def _begun(self, pair: Pair, proposed: Sequence[Snippet]) -> Turns:
        comparison = self.comparison
        modules = [module for module in comparison.modules if self.usable(module)]
        self.hunt.branches = {
            one.name: frozenset(f"{one.module} {branch}" for branch in told.get(one.qualname, ()))
            for one in comparison.changed
            for told in [pair.base.report["branches"].get(one.module, {}) if pair.base.report else {}]
        }
        lane = ModuleLane(pair, {module: import_names(comparison, module) for module in modules})
        places = [
            place for place in places_of(comparison.changed, comparison.sources) if place.module in modules
        ]
        search = Search(self.hunt, lane, places)
        search.start_with([one for one in proposed if one.module in modules])
        return Turns(search, searching=bool(places))

    def _before_tests(self, turns: Turns, started: Future[str] | None) -> None:
        """The first programs, until the tests are there."""
        until = self.began + self.seconds * FIRST
        while turns.searching and not self.hunt.over:
            if started is None or (time.monotonic() >= until and started.done()):
                break
            turns.searching = turns.search.round()

    def _in_turns(self, turns: Turns) -> None:
        """Generated programs and amplified tests, by their shares."""
        hunt, spent = self.hunt, self._spent
        while not hunt.over and (turns.searching or turns.rehearsal is not None):
            tests = turns.rehearsal is not None and (
                not turns.searching or spent["tests"] / AMPLIFIED <= spent["search"] / GENERATED
            )
            began = time.monotonic()
            if tests and turns.rehearsal is not None:
                turns.rehearsal = turns.rehearsal if turns.rehearsal.round() else None
            else:
                turns.searching = turns.search.round()
            spent["tests" if tests else "search"] += time.monotonic() - began

    def _reached(self, suite: Suite) -> str:
        """Collect the tests and see which reach what changed; why there are none, "" if there are."""
        why = suite.start()
        if not why:
            modules = suite.pair.base.report["modules"]
            branches = {module: told["branches"] for module, told in modules.items()}
            suite.reach(self.comparison.changed, branches, self.seconds * REACHING)
        return why

    def _rehearsal(self, suite: Suite, started: Future[str], search: Search) -> Rehearsal | None:
        why = awaited(started, self.clock)
        if why:
            self.notes.append(why)
            return None
        hunt = self.hunt
        rehearsal = Rehearsal(hunt, suite, suite.bodies(self.comparison.changed), self.comparison.sources)
        if not rehearsal.bodies:
            self.notes.append("no test of the project reaches what changed")
            return None
        rehearsal.as_they_are()
        paths = {name: str(path) for name, path in self.comparison.base_modules.items()}
        search.start_with(rehearsal.recorded(paths))
        return rehearsal
