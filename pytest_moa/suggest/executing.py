"""Candidates as an `Executor` judges them: first whether they hold, then which mutants they kill."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant
from pytest_moa.suggest.judging import Executed
from pytest_moa.suggest.subject import Told

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor
    from pytest_moa.running.facts import CandidateFacts
    from pytest_moa.suggest.second_look import SecondLook

#: Candidates of one group and target in the first rounds and in all later ones. The first rounds are small:
#: on a busy machine there may be no time for more, and what was not run under mutants counts for nothing.
_ROWS = (3, 6, 12)

#: The group of candidates whose values were observed: of no use once there is nothing left to add.
OBSERVED = ""


class Execution:
    """The `Examiner` of a run. `mutants` are those that no existing test kills.

    `until` gives the time, by `time.monotonic`, until which one examination may take; `open_branches` are
    those of each target that no existing test takes, by its id.

    Candidates are executed in rounds, so that the first ones of every group and target are judged
    whatever the time allows. A group's later candidates are only run under what its earlier ones have
    left: that gives each group's whole score, and favours none. What `look` makes of a round's failing
    candidates belongs to the round and to their groups.
    """

    def __init__(
        self,
        executor: Executor,
        mutants: Sequence[Mutant],
        open_branches: Mapping[str, frozenset[str]],
        until: Callable[[], float],
        look: SecondLook,
    ) -> None:
        self.executor = executor
        self.until = until
        self.look = look
        self._quick = [mutant for mutant in mutants if mutant.scope == "function"]
        self._slow = [mutant for mutant in mutants if mutant.scope != "function"]
        self._branches = open_branches
        self._killed: defaultdict[str, set[str]] = defaultdict(set)
        self._taken: defaultdict[str, set[str]] = defaultdict(set)

    def examine(
        self,
        candidates: Sequence[Candidate],
        groups: Mapping[str, str],
        stop: threading.Event,
        told: Told,
    ) -> Mapping[str, Executed]:
        """What executing each candidate showed, by its id. One that was not reached is left out."""
        executor = self.executor
        end = self.until()
        done: list[Candidate] = []
        needless: dict[str, Executed] = {}
        observed: dict[str, tuple[Candidate, ...]] = {}
        groups = dict(groups)

        def progress(says: str, before: int, total: int, count: int, of: int) -> None:
            if stop.is_set():
                executor.deadline = 0.0
            told(says, before + count, total or of)

        killing = partial(progress, "running mutants", 0, 0)
        for rows in _rounds(candidates, groups):
            if stop.is_set() or (done and time.monotonic() > end):
                break
            skipped = [one for one in rows if groups[one.id] == OBSERVED and self._is_needless(one)]
            needless.update((one.id, _NEEDLESS) for one in skipped)
            batch = [one for one in rows if one.id not in needless]
            executor.deadline = None  # a check that is cut short says nothing: what was begun is finished
            executor.check(batch, partial(progress, "executing candidates", len(done), len(candidates)))
            seen = self._observed(batch, groups, end, stop)
            observed.update(seen)
            again = [] if stop.is_set() else self._new(seen, groups)
            executor.check(again, partial(progress, "executing observed calls", 0, len(again)))
            batch += again
            executor.deadline = end
            done += batch
            self._kill(batch, groups, end, killing)
        passing = [one for one in done if self._passes(one)]
        if passing and self._slow and not stop.is_set() and not executor.late():
            executor.kills(passing, self._slow, killing)
        judged = {one.id: executor.facts[one.id] for one in done if one.id in executor.facts}
        executed = {name: _executed(facts) for name, facts in judged.items()}
        for name, tests in observed.items():
            executed[name] = replace(executed[name], observed=tests)
        return {**needless, **executed}

    def _observed(
        self, batch: Sequence[Candidate], groups: Mapping[str, str], end: float, stop: threading.Event
    ) -> dict[str, tuple[Candidate, ...]]:
        """Of models' candidates that fail, by id: what their calls give, as candidates."""
        found: dict[str, tuple[Candidate, ...]] = {}
        for one in batch:
            facts = self.executor.facts.get(one.id)
            if facts is None or facts.status != "fails" or groups[one.id] not in self.look.members:
                continue
            if stop.is_set() or time.monotonic() > end:
                break
            found[one.id] = self.look.of(one)
        return found

    def _new(
        self, seen: Mapping[str, Sequence[Candidate]], groups: MutableMapping[str, str]
    ) -> list[Candidate]:
        """Those of the observed candidates that nobody has executed or will; they join the groups."""
        new: list[Candidate] = []
        for name, tests in seen.items():
            for one in tests:
                if one.id not in groups and one.id not in self.executor.facts:
                    groups[one.id] = groups[name]
                    new.append(one)
        return new

    def _kill(
        self,
        batch: Sequence[Candidate],
        groups: Mapping[str, str],
        end: float,
        progress: Callable[[int, int], None],
    ) -> None:
        """Run a round's candidates under what their groups have left; note what they kill and take."""
        by_group: defaultdict[str, list[Candidate]] = defaultdict(list)
        for one in batch:
            if self._passes(one):
                by_group[groups[one.id]].append(one)
        for group, rows in by_group.items():
            left = [mutant for mutant in self._quick if mutant.id not in self._killed[group]]
            rows = self._affordable(rows, len(left), end)
            if rows and left and not self.executor.late():
                self.executor.kills(rows, left, progress)
            for one in rows:
                self._killed[group].update(self.executor.facts[one.id].kills)
                if group == OBSERVED:
                    self._taken[one.target].update(self.executor.facts[one.id].branches)

    def _affordable(self, rows: Sequence[Candidate], mutants: int, end: float) -> list[Candidate]:
        """Those that can be run under so many mutants in time: the slowest give way to all others."""
        left = end - time.monotonic()
        kept: set[str] = set()
        for one in sorted(rows, key=lambda one: self.executor.facts[one.id].seconds):
            left -= self.executor.facts[one.id].seconds * mutants
            if left > 0 or not kept:
                kept.add(one.id)
        return [one for one in rows if one.id in kept]

    def _is_needless(self, candidate: Candidate) -> bool:
        """Whether observed candidates of its target kill and take already all that there is."""
        module, _, qualname = candidate.target.partition(":")
        killed = self._killed[OBSERVED]
        open_mutants = any(
            (mutant.module, mutant.qualname) == (module, qualname) and mutant.id not in killed
            for mutant in self._quick
        )
        left = self._branches.get(candidate.target, frozenset()) - self._taken[candidate.target]
        return not open_mutants and not left

    def _passes(self, candidate: Candidate) -> bool:
        facts = self.executor.facts.get(candidate.id)
        return facts is not None and facts.status == "passes"


_NEEDLESS = Executed("unjudged", "nothing was left for it to add")


def _rounds(candidates: Sequence[Candidate], groups: Mapping[str, str]) -> Iterator[list[Candidate]]:
    """The candidates, some of each group and target at a time."""
    waiting: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for one in candidates:
        waiting[groups[one.id], one.target].append(one)
    first = number = 0
    while first < max(map(len, waiting.values()), default=0):
        rows = _ROWS[min(number, len(_ROWS) - 1)]
        yield [one for some in waiting.values() for one in some[first : first + rows]]
        first += rows
        number += 1


def _executed(facts: CandidateFacts) -> Executed:
    return Executed(
        status=facts.status,
        message=facts.message,
        branches=frozenset(facts.branches),
        kills=frozenset(facts.kills),
        seconds=facts.seconds,
    )
