"""Candidates as an `Executor` judges them: first whether they hold, then which mutants they kill."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant
from pytest_moa.suggest.judging import Executed
from pytest_moa.suggest.subject import Told

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor
    from pytest_moa.running.facts import CandidateFacts


class Execution:
    """The `Examiner` of a run. `mutants` are those that no existing test kills, `until` says when to end.

    `until` gives the time, by `time.monotonic`, until which one examination may take.
    """

    def __init__(self, executor: Executor, mutants: Sequence[Mutant], until: Callable[[], float]) -> None:
        self.executor = executor
        self.mutants = list(mutants)
        self.until = until

    def examine(
        self, candidates: Sequence[Candidate], stop: threading.Event, told: Told
    ) -> Mapping[str, Executed]:
        """What executing each candidate showed, by its id. A candidate that was not reached is left out."""
        executor = self.executor
        end = self.until()
        # Half of the time is for finding out which mutants they kill.
        executor.deadline = time.monotonic() + max(0.0, end - time.monotonic()) / 2

        def progress(says: str) -> Callable[[int, int], None]:
            def each(done: int, of: int) -> None:
                if stop.is_set():
                    executor.deadline = 0.0
                told(says, done, of)

            return each

        facts = dict(executor.check(candidates, progress("executing candidates")))
        passing = [one for one in candidates if one.id in facts and facts[one.id].status == "passes"]
        if passing and self.mutants and not stop.is_set():
            executor.deadline = end
            executor.kills(passing, self.mutants, progress("running mutants"))
            facts.update({one.id: executor.facts[one.id] for one in passing if one.id in executor.facts})
        return {name: _executed(found) for name, found in facts.items()}


def _executed(facts: CandidateFacts) -> Executed:
    return Executed(
        status=facts.status,
        message=facts.message,
        branches=frozenset(facts.branches),
        kills=frozenset(facts.kills),
        seconds=facts.seconds,
    )
