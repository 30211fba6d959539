"""Whether candidates pass, and go on passing: alone, in orders, under another hash seed, on another day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_moa.candidate import Candidate
from pytest_moa.code.definitions import definitions_of
from pytest_moa.mutation import control
from pytest_moa.running.facts import CandidateFacts, CandidateStatus
from pytest_moa.running.pool import Job
from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor, Progress

#: Seconds of one run of a candidate: what takes longer is "slow", whether it passes or not.
SLOW: Final = 2.0

#: What one candidate may use.
LIMITS: Final = Limits(wall=20.0, cpu=SLOW + 1, memory=1 << 30)

#: Candidates that run in one process under another hash seed.
_BATCH: Final = 40

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
        self.controls: dict[str, list[dict[str, Any]]] = {}  #: by target

    def run(self) -> None:
        alone = [self._alone(candidate) for candidate in self.candidates]
        self.executor.collected.run(alone, self.executor.late)
        by_module: dict[str, list[Candidate]] = {}
        for candidate in self.candidates:
            facts = self.executor.facts.get(candidate.id)
            if facts is not None and facts.status == "passes":
                by_module.setdefault(candidate.target.partition(":")[0], []).append(candidate)
        for module, passing in by_module.items():
            self._orders(module, self._elsewhere(passing))
            if self.executor.late():  # half a judgement is none
                for candidate in passing:
                    self.executor.facts.pop(candidate.id, None)

    def _judged(self, candidate: Candidate, facts: CandidateFacts) -> None:
        self.executor.facts[candidate.id] = facts
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, len(self.candidates))

    def _alone(self, candidate: Candidate) -> Job:
        args = {**self._step(candidate), "module": candidate.target.partition(":")[0]}

        def done(ended: Ended) -> None:
            self._judged(candidate, _alone_facts(ended))

        return Job("pytest_moa.running.jobs:candidate", args, done, limits=LIMITS)

    def _elsewhere(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """All once more under another hash seed and on another day, and without the code that they test.

        Gives those that pass there and fail without. What is wrong in company is looked at alone.
        """
        starts = range(0, len(candidates), _BATCH)
        batches = [candidates[start : start + _BATCH] for start in starts]
        runs = [self._run(each, shift=SHIFT, controls=True) for each in batches]
        self.executor.reseeded.run([run.job for run in runs], self.executor.late)
        for run, batch in zip(runs, batches, strict=True):
            for number, candidate in enumerate(batch):
                if self.executor.late():
                    return []
                self._look_closer(candidate, run.failures.get(number), run.controls.get(number))
        return [each for each in candidates if self.executor.facts[each.id].status == "passes"]

    def _look_closer(self, candidate: Candidate, failure: str | None, control: str | None) -> None:
        if control != "failed":  # whoever ran before it may have brought that about
            control = self._now([candidate], controls=True).controls.get(0)
        if control != "failed":
            self._changed(candidate, "vacuous", "it passes without the code that it is meant to test")
        if failure == "":
            return
        if message := self._now([candidate], seeded=True).wrong(0):
            self._changed(candidate, "flaky", f"under another hash seed: {message}")
        elif (run := self._now([candidate], shift=SHIFT)).wrong(0) and 0 in run.clocks:
            self._changed(candidate, "flaky", f"on another day: {run.wrong(0)}")

    def _orders(self, module: str, candidates: Sequence[Candidate]) -> None:
        """Among each other and with the existing tests, forwards and backwards."""
        suite = self._suite(module)
        left = list(candidates)
        for backwards in (False, True):
            while left and not self.executor.late():
                order: list[Any] = [*suite, *reversed(left)] if backwards else [*left, *suite]
                run = self._now(order)
                wrong = next((number for number in range(len(order)) if run.wrong(number)), None)
                if wrong is None:
                    break
                culprit = self._culprit(order, wrong)
                blamed = culprit if culprit is not None and not isinstance(order[culprit], int) else wrong
                candidate = order[blamed]
                if isinstance(candidate, int):  # a test of the user's own, which nobody else makes fail
                    suite.remove(candidate)
                    continue
                left.remove(candidate)
                message = run.wrong(wrong)
                if blamed == wrong:
                    self._changed(candidate, "flaky", f"after other tests: {message}")
                else:
                    name = self._name(order[wrong])
                    self._changed(candidate, "flaky", f"it makes {name} fail: {message}")

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
        return bool(self._now([*before, step]).wrong(len(before)))

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

    def _changed(self, candidate: Candidate, status: CandidateStatus, message: str) -> None:
        facts = self.executor.facts[candidate.id]
        self.executor.facts[candidate.id] = replace(facts, status=status, message=message)

    def _now(
        self, steps: Sequence[Any], *, seeded: bool = False, shift: float = 0.0, controls: bool = False
    ) -> _Run:
        """Run steps in one process, and wait."""
        run = self._run(steps, shift=shift, controls=controls)
        pool = self.executor.reseeded if seeded else self.executor.collected
        pool.run([run.job], self.executor.late)
        return run

    def _run(self, steps: Sequence[Any], *, shift: float = 0.0, controls: bool = False) -> _Run:
        places: dict[str, list[int]] = {}
        written: list[Any] = []
        for number, step in enumerate(steps):
            if isinstance(step, Candidate):
                places.setdefault(step.target, []).append(number)
            written.append(self._step(step) if isinstance(step, Candidate) else step)
        wanted = places.items() if controls else ()
        return _Run(
            {
                "steps": written,
                "shift": shift,
                "controls": [
                    {"mutants": self._controls(place), "steps": numbers} for place, numbers in wanted
                ],
            }
        )

    def _controls(self, target: str) -> list[dict[str, Any]]:
        """For a function its control; for a class its methods'; for anything else all of the module's."""
        if target not in self.controls:
            module, _, qualname = target.partition(":")
            source = self.executor.source(module)
            names = [definition.qualname for definition in definitions_of(source).functions]
            chosen = [name for name in names if f"{name}.".startswith(f"{qualname}.")] or names
            found = (control(source, name, module) for name in dict.fromkeys(chosen))
            self.controls[target] = [each.to_json() for each in found if each is not None]
        return self.controls[target]

    def _step(self, candidate: Candidate) -> dict[str, Any]:
        text = candidate.module_source()
        return {
            "candidate": {"id": candidate.id, "name": candidate.name, "text": text},
            "folder": str(self.executor.folder(candidate.target.partition(":")[0])),
        }

    def _name(self, step: int | Candidate) -> str:
        return self.executor.nodeids[step] if isinstance(step, int) else step.name


class _Run:
    """Steps in one process: how each failed ("" if it passed), by number, and what else was seen."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        self.failures: dict[int, str] = {}
        self.controls: dict[int, str] = {}
        self.clocks: set[int] = set()  #: steps that read a clock that was moved
        self.job = Job("pytest_moa.running.jobs:in_order", args, _ignored, self._each)

    def wrong(self, number: int) -> str:
        """How a step failed; one that did not come to its end has failed too."""
        return self.failures.get(number, "it ended the process")

    def _each(self, told: Mapping[str, Any]) -> None:
        number = told["step"]
        if "control" in told:
            self.controls[number] = told["control"]
            return
        message = (told["message"] or "it fails") if told["outcome"] == "failed" else ""
        self.failures[number] = self.failures.get(number) or message
        if told.get("clock"):
            self.clocks.add(number)


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
