"""Candidates as an `Executor` judges them: first whether they hold, then which mutants they kill."""

from __future__ import annotations

import threading
import time
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


#: Candidates that are checked together, and what is told meanwhile.
_BATCH, _CHECKING = 40, "executing candidates"


class Execution:
    """The `Examiner` of a run. `mutants` are those that no existing test kills, `until` says when to end.

    `until` gives the time, by `time.monotonic`, until which one examination may take.
    """

    def __init__(
        self, executor: Executor, mutants: Sequence[Mutant], until: Callable[[], float], workers: int
    ) -> None:
        self.executor = executor
        self.workers = workers
        self.mutants = list(mutants)
        self.until = until

    def examine(
        self, candidates: Sequence[Candidate], stop: threading.Event, told: Told
    ) -> Mapping[str, Executed]:
        """What executing each candidate showed, by its id. A candidate that was not reached is left out."""
        executor = self.executor
        end = self.until()
        half = time.monotonic() + max(0.0, end - time.monotonic()) / 2  # the rest is for mutants

        def killing(done: int, of: int) -> None:
            if stop.is_set():
                executor.deadline = 0.0
            told("running mutants", done, of)

        facts: dict[str, CandidateFacts] = {}
        for first in range(0, len(candidates), _BATCH):
            if stop.is_set() or (first and time.monotonic() > half):
                break
            # A check that is cut short says nothing: what was begun is finished.
            executor.deadline = None
            batch = candidates[first : first + _BATCH]
            facts |= executor.check(batch, partial(_checked, told, first, len(candidates)))
        passing = [one for one in candidates if one.id in facts and facts[one.id].status == "passes"]
        passing = self._affordable(passing, facts, end)
        if passing and self.mutants and not stop.is_set():
            executor.deadline = end
            executor.kills(passing, self.mutants, killing)
            facts |= {one.id: executor.facts[one.id] for one in passing if one.id in executor.facts}
        return {name: _executed(found) for name, found in facts.items()}

    def _affordable(
        self, candidates: list[Candidate], facts: Mapping[str, CandidateFacts], end: float
    ) -> list[Candidate]:
        """Those that can be run under every mutant in time: the slowest give way to all others."""
        left = (end - time.monotonic()) * self.workers
        kept: list[Candidate] = []
        for one in sorted(candidates, key=lambda one: facts[one.id].seconds):
            left -= facts[one.id].seconds * len(self.mutants)
            if left > 0 or not kept:
                kept.append(one)
        return [one for one in candidates if one in kept]


def _checked(told: Told, before: int, of: int, done: int, _: int) -> None:
    """How many candidates of all batches are done."""
    told(_CHECKING, before + done, of)


def _executed(facts: CandidateFacts) -> Executed:
    return Executed(
        status=facts.status,
        message=facts.message,
        branches=frozenset(facts.branches),
        kills=frozenset(facts.kills),
        seconds=facts.seconds,
    )
