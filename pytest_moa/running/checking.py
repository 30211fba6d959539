"""Whether candidates pass, and go on passing: alone, in orders, under another hash seed, on another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_moa.candidate import Candidate
from pytest_moa.running.facts import CandidateFacts, CandidateStatus
from pytest_moa.running.pool import Job, Pool
from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor, Progress

#: Seconds of one run of a candidate: what takes longer is "slow", whether it passes or not.
SLOW: Final = 2.0

#: What one candidate may use.
LIMITS: Final = Limits(wall=20.0, cpu=SLOW + 1, memory=1 << 30)

#: Seconds that it may take with its target's body replaced by a raise.
_CONTROL: Final = 1.0

#: The other day: another year, month, weekday and hour.
SHIFT: Final = 400 * 86_400.0 + 5 * 3_600.0 + 7 * 60.0

#: Seconds that existing tests may take in a run together with candidates.
_SUITE_SECONDS: Final = 10.0


def check(executor: Executor, candidates: Sequence[Candidate], progress: Progress | None) -> None:
    """Judge candidates, into `executor.facts`."""
    _Checking(executor, candidates, progress).run()


class _Checking:
    def __init__(
        self, executor: Executor, candidates: Sequence[Candidate], progress: Progress | None
    ) -> None:
        self.executor = executor
        unknown = {each.id: each for each in candidates if each.id not in executor.facts}
        self.candidates = list(unknown.values())
        self.progress = progress
        self.done = 0

    def run(self) -> None:
        alone = [self._alone(candidate) for candidate in self.candidates]
        self.executor.collected.run(alone, self.executor.late)
        by_module: dict[str, list[Candidate]] = {}
        for candidate in self.candidates:
            facts = self.executor.facts.get(candidate.id)
            if facts is not None and facts.status == "passes":
                by_module.setdefault(candidate.target.partition(":")[0], []).append(candidate)
        for module, passing in by_module.items():
            left = self._elsewhere(passing)
            self._orders(module, left)

    def _judged(self, candidate: Candidate, facts: CandidateFacts) -> None:
        self.executor.facts[candidate.id] = facts
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, len(self.candidates))

    def _alone(self, candidate: Candidate) -> Job:
        module, _, qualname = candidate.target.partition(":")
        args = {**self._step(candidate), "module": module, "qualname": qualname, "limit": _CONTROL}

        def done(ended: Ended) -> None:
            self._judged(candidate, _alone_facts(ended))

        return Job("pytest_moa.running.jobs:candidate", args, done, limits=LIMITS)

    def _elsewhere(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """All once more under another hash seed and on another day; gives those that pass."""
        failed = self._failures(self.executor.reseeded, candidates, SHIFT, whatever=True)
        for candidate in [each for each in candidates if each.id in failed]:
            seeded = self._failures(self.executor.reseeded, [candidate], 0.0)
            shifted = self._failures(self.executor.collected, [candidate], SHIFT)
            if seeded:
                self._flaky(candidate, f"under another hash seed: {seeded[candidate.id]}")
            elif shifted:
                self._flaky(candidate, f"on another day: {shifted[candidate.id]}")
        return [each for each in candidates if self.executor.facts[each.id].status == "passes"]

    def _failures(
        self, pool: Pool, candidates: Sequence[Candidate], shift: float, *, whatever: bool = False
    ) -> dict[str, str]:
        """Which of them fail in one process, one after another, and how."""
        steps = [self._step(each) for each in candidates]
        told = _run(self.executor, pool, steps, shift, whatever=whatever)
        return {
            candidate.id: told[number]
            for number, candidate in enumerate(candidates)
            if told.get(number, "it ended the process")
        }

    def _orders(self, module: str, candidates: Sequence[Candidate]) -> None:
        """Among each other and with the existing tests, forwards and backwards."""
        suite = self._suite(module)
        left = list(candidates)
        for backwards in (False, True):
            while left and not self.executor.late():
                steps: list[Any] = [self._step(each) for each in left]
                order = [*suite, *reversed(steps)] if backwards else [*steps, *suite]
                told = _run(self.executor, self.executor.collected, order, 0.0)
                wrong = next((number for number in range(len(order)) if told.get(number, "ended")), None)
                if wrong is None:
                    break
                culprit = self._culprit(order, wrong)
                named = left if not backwards else list(reversed(left))
                shift = len(suite) if backwards else 0
                blamed = culprit if culprit is not None and not isinstance(order[culprit], int) else wrong
                if isinstance(order[blamed], int):
                    suite = [index for index in suite if index != order[blamed]]  # a test of the user's own
                    continue
                candidate = named[blamed - shift]
                left.remove(candidate)
                message = told.get(wrong) or "the process ended"
                if blamed == wrong:
                    self._flaky(candidate, f"after other tests: {message}")
                else:
                    self._flaky(candidate, f"it makes {self._name(order[wrong])} fail: {message}")

    def _culprit(self, order: Sequence[Any], wrong: int) -> int | None:
        """The one step before which makes this one fail, if one alone does."""
        low, high = 0, wrong
        while high - low > 1:
            middle = (low + high) // 2
            if self._fails_after(order[low:middle], order[wrong]):
                high = middle
            elif self._fails_after(order[middle:high], order[wrong]):
                low = middle
            else:
                return None
        return low if high > low and self._fails_after(order[low:high], order[wrong]) else None

    def _fails_after(self, before: Sequence[Any], step: Any) -> bool:
        told = _run(self.executor, self.executor.collected, [*before, step], 0.0)
        return bool(told.get(len(before), "ended"))

    def _suite(self, module: str) -> list[Any]:
        """Existing tests that reach the module, as many as fit."""
        chosen: list[Any] = []
        seconds = 0.0
        for index, test in enumerate(self.executor.existing().tests):
            if test.outcome == "passed" and test.reached.get(module):
                seconds += test.seconds
                if seconds > _SUITE_SECONDS:
                    break
                chosen.append(index)
        return chosen

    def _flaky(self, candidate: Candidate, message: str) -> None:
        facts = self.executor.facts[candidate.id]
        self.executor.facts[candidate.id] = replace(facts, status="flaky", message=message)

    def _step(self, candidate: Candidate) -> dict[str, Any]:
        text = candidate.module_source()
        return {
            "candidate": {"id": candidate.id, "name": candidate.name, "text": text},
            "folder": str(self.executor.folder(candidate.target.partition(":")[0])),
        }

    def _name(self, step: Any) -> str:
        return self.executor.nodeids[step] if isinstance(step, int) else str(step["candidate"]["name"])


def _run(
    executor: Executor, pool: Pool, steps: Sequence[Any], shift: float, *, whatever: bool = False
) -> dict[int, str]:
    """Run steps in one process: for each that ran "" or how it failed.

    Under a shift only failures count during which a clock was read, unless `whatever`.
    """
    told: dict[int, str] = {}

    def each(value: Mapping[str, Any]) -> None:
        failed = value["outcome"] == "failed" and (whatever or value.get("clock", True))
        message = (value["message"] or "it fails") if failed else ""
        told[value["step"]] = told.get(value["step"]) or message

    job = Job("pytest_moa.running.jobs:in_order", {"steps": list(steps), "shift": shift}, _ignored, each)
    pool.run([job], executor.late)
    return told


def _ignored(_: Ended) -> None:
    """What it did not yield says enough."""


def _alone_facts(ended: Ended) -> CandidateFacts:
    if ended.status == "returned":
        told = ended.value
        status: CandidateStatus = told["status"]
        message = told["message"]
        if status == "passes" and told["seconds"] > SLOW:
            status, message = "slow", f"it takes {told['seconds']:.1f} s"
        return CandidateFacts(status, message, tuple(told["branches"]), told["seconds"])
    if ended.status == "timed_out":
        return CandidateFacts("slow", ended.error, seconds=ended.seconds)
    message = ended.error.strip().splitlines()[-1] if ended.error.strip() else ended.status
    status = "broken" if ended.status == "raised" else "unsafe"
    return CandidateFacts(status, f"it ended the process: {message}", seconds=ended.seconds)
