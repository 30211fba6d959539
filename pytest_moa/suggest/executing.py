"""Candidates as an `Executor` judges them: first whether they hold, then which mutants they kill."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant
from pytest_moa.suggest.judging import Executed
from pytest_moa.suggest.subject import Told

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor
    from pytest_moa.running.facts import CandidateFacts

#: Candidates that are checked together, and of one target that are run under mutants together.
_CHECKED, _ROWS = 40, 12


class Execution:
    """The `Examiner` of a run. `mutants` are those that no existing test kills.

    `until` gives the time, by `time.monotonic`, until which one examination may take. Not every candidate
    is run under every mutant: of a group's candidates the later ones are only run under what the earlier
    ones have left. That gives each group's whole score, and so does not favour any of them.
    """

    def __init__(
        self, executor: Executor, mutants: Sequence[Mutant], until: Callable[[], float], workers: int
    ) -> None:
        self.executor = executor
        self.workers = workers
        self.until = until
        self._quick = [mutant for mutant in mutants if mutant.scope == "function"]
        self._slow = [mutant for mutant in mutants if mutant.scope != "function"]
        self._killed: defaultdict[str, set[str]] = defaultdict(set)

    def examine(
        self,
        candidates: Sequence[Candidate],
        groups: Mapping[str, str],
        stop: threading.Event,
        told: Told,
    ) -> Mapping[str, Executed]:
        """What executing each candidate showed, by its id. A candidate that was not reached is left out."""
        executor = self.executor
        end = self.until()
        half = time.monotonic() + max(0.0, end - time.monotonic()) / 2  # the rest is for mutants
        facts: dict[str, CandidateFacts] = {}

        def checking(before: int, done: int, _: int) -> None:
            if stop.is_set():
                executor.deadline = 0.0
            told("executing candidates", before + done, len(candidates))

        for first in range(0, len(candidates), _CHECKED):
            if stop.is_set() or (first and time.monotonic() > half):
                break
            executor.deadline = None  # a check that is cut short says nothing: what was begun is finished
            batch = candidates[first : first + _CHECKED]
            facts |= executor.check(batch, partial(checking, first))
        passing = [one for one in candidates if one.id in facts and facts[one.id].status == "passes"]
        executor.deadline = end
        self._kill(self._affordable(passing, facts, end), groups, stop, told)
        return {name: _executed(executor.facts[name]) for name in facts}

    def _kill(
        self, candidates: Sequence[Candidate], groups: Mapping[str, str], stop: threading.Event, told: Told
    ) -> None:
        """Run candidates under mutants, some of each group and target at a time; note what they kill."""
        executor = self.executor

        def killing(done: int, of: int) -> None:
            if stop.is_set():
                executor.deadline = 0.0
            told("running mutants", done, of)

        waiting: defaultdict[str, defaultdict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
        for one in candidates:
            waiting[groups[one.id]][one.target].append(one)
        while any(targets for targets in waiting.values()) and not stop.is_set() and not executor.late():
            for group, targets in waiting.items():
                rows = [one for target in targets.values() for one in target[:_ROWS]]
                waiting[group] = defaultdict(
                    list, {name: target[_ROWS:] for name, target in targets.items() if target[_ROWS:]}
                )
                left = [mutant for mutant in self._quick if mutant.id not in self._killed[group]]
                if rows and left:
                    executor.kills(rows, left, killing)
                    for one in rows:
                        self._killed[group].update(executor.facts[one.id].kills)
        if candidates and self._slow and not stop.is_set() and not executor.late():
            executor.kills(candidates, self._slow, killing)

    def _affordable(
        self, candidates: list[Candidate], facts: Mapping[str, CandidateFacts], end: float
    ) -> list[Candidate]:
        """Those that can be run under every mutant in time: the slowest give way to all others."""
        left = (end - time.monotonic()) * self.workers
        kept: list[Candidate] = []
        for one in sorted(candidates, key=lambda one: facts[one.id].seconds):
            left -= facts[one.id].seconds * len(self._quick)
            if left > 0 or not kept:
                kept.append(one)
        return [one for one in candidates if one in kept]


def _executed(facts: CandidateFacts) -> Executed:
    return Executed(
        status=facts.status,
        message=facts.message,
        branches=frozenset(facts.branches),
        kills=frozenset(facts.kills),
        seconds=facts.seconds,
    )
