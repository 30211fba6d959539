"""Which mutants the existing tests kill.

First the controls: a function whose tests fail with its own code compiled again has no verdicts. Then
mutants of function bodies, in forks that swap the code. Last what that cannot reach: definitions,
what runs while modules are imported, functions that nobody can find; their tests are collected anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pytest_moa.code.definitions import definitions_of
from pytest_moa.mutation import Mutant, identity, mutated_source
from pytest_moa.running.facts import MutantStatus, Verdict
from pytest_moa.running.pool import Job
from pytest_moa.warm import Ended

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor, Progress

#: CPU time of a mutant's tests: so many times their own, and so much on top.
TIMES: Final = 10.0
MORE: Final = 1.0

#: Seconds of work in one job: results come while it runs, but an interrupt loses what is under way.
_BATCH: Final = 1.0
_FORK: Final = 0.01


def kill(executor: Executor, mutants: Sequence[Mutant], progress: Progress | None) -> None:
    """Judge mutants by the existing tests, into `executor.verdicts`."""
    _Killing(executor, mutants, progress).run()


@dataclass
class Fresh:
    """What a module's tests do when they are collected with its own source."""

    passing: list[str] = field(default_factory=list)  #: node ids, in the order in which to run them
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    at_import: frozenset[str] = frozenset()  #: functions that run while modules are imported
    wrong: str = ""  #: why nothing can be said


class _Killing:
    def __init__(self, executor: Executor, mutants: Sequence[Mutant], progress: Progress | None) -> None:
        self.executor = executor
        self.tests = executor.existing().tests
        self.progress = progress
        self.wanted = [mutant for mutant in mutants if mutant.id not in executor.verdicts]
        self.total = len(self.wanted)
        self.done = 0
        self.sources = {
            name: module.path.read_text(encoding="utf-8") for name, module in executor.modules.items()
        }
        self.covering: dict[tuple[str, str], list[int]] = {}

    def run(self) -> None:
        fresh = self.fresh_controls({mutant.module for mutant in self.wanted})
        quick: list[Mutant] = []
        slow: list[Mutant] = []
        for mutant in self.wanted:
            module = fresh[mutant.module]
            if (
                mutant.scope == "definition"
                or mutant.qualname in module.at_import
                or mutant.qualname in self.executor.unprobed(mutant.module)
            ):
                slow.append(mutant)
            elif self.tests_of(mutant):
                quick.append(mutant)
            else:
                self.judged(Verdict(mutant, "not_covered"))
        self.controls({(mutant.module, mutant.qualname): mutant for mutant in quick})
        slow += self.quick(self.trusted(quick))
        self.slow(slow, fresh)

    def tests_of(self, mutant: Mutant) -> list[int]:
        place = (mutant.module, mutant.qualname)
        if place not in self.covering:
            self.covering[place] = self.executor.covering(*place)
        return self.covering[place]

    def judged(self, verdict: Verdict) -> None:
        self.executor.verdicts[verdict.mutant.id] = verdict
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)

    def trusted(self, mutants: Iterable[Mutant]) -> list[Mutant]:
        """Those of functions that passed their control; the others get their verdict."""
        kept = []
        for mutant in mutants:
            why = self.executor.untrusted.get((mutant.module, mutant.qualname), "")
            if why:
                self.judged(Verdict(mutant, "untrusted", message=why))
            else:
                kept.append(mutant)
        return kept

    def controls(self, functions: Mapping[tuple[str, str], Mutant]) -> None:
        """Run every function's tests with the function compiled again, unchanged."""
        by_id: dict[str, tuple[str, str]] = {}
        tasks = []
        for (module, qualname), one in functions.items():
            control = identity(self.sources[module], qualname, module)
            if control is None:
                continue
            by_id[control.id] = (module, qualname)
            tasks.append(self.task(control, self.tests_of(one)))

        def each(told: Mapping[str, Any]) -> None:
            place = by_id.pop(told["id"])
            if not told["installed"]:
                return  # its mutants will be collected anew, and have that control
            if told["status"] != "survived":
                killer = self.nodeid(told["killer"])
                self.executor.untrusted[place] = f"{killer} fails without any change: {told['message']}"

        self.run_tasks(tasks, each)

    def quick(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Judge by swapping code; gives those for which that is not possible."""
        by_id = {mutant.id: mutant for mutant in mutants}
        left: list[Mutant] = []

        def each(told: Mapping[str, Any]) -> None:
            mutant = by_id[told["id"]]
            if not told["installed"]:
                left.append(mutant)
                return
            killer = self.nodeid(told["killer"])
            status: MutantStatus = told["status"]
            killers = (killer,) if killer else ()
            self.judged(Verdict(mutant, status, killers, told["message"], told["seconds"]))

        self.run_tasks([self.task(mutant, self.tests_of(mutant)) for mutant in mutants], each)
        return left

    def task(self, mutant: Mutant, indices: list[int]) -> dict[str, Any]:
        seconds = sum(self.tests[index].seconds for index in indices)
        return {"mutant": mutant.to_json(), "indices": indices, "limit": MORE + TIMES * seconds}

    def run_tasks(self, tasks: Sequence[dict[str, Any]], each: Any) -> None:
        jobs = []
        batch: list[dict[str, Any]] = []
        seconds = 0.0
        for task in tasks:
            batch.append(task)
            seconds += _FORK + (task["limit"] - MORE) / TIMES
            if seconds > _BATCH:
                jobs.append(self.job(batch, each))
                batch, seconds = [], 0.0
        if batch:
            jobs.append(self.job(batch, each))
        self.executor.collected.run(jobs, self.executor.late)

    def job(self, batch: list[dict[str, Any]], each: Any) -> Job:
        """A job for some mutants. If it is ended in the middle, the one under way has been killed."""
        told: set[str] = set()

        def note(value: Mapping[str, Any]) -> None:
            told.add(value["id"])
            each(value)

        def done(ended: Ended) -> None:
            left = [task for task in batch if task["mutant"]["id"] not in told]
            if ended.status == "returned" or not left:
                return
            reason = {"killer": None, "message": f"the process has {ended.status}", "seconds": ended.seconds}
            each({"id": left[0]["mutant"]["id"], "installed": True, "status": "killed", **reason})
            if left[1:]:
                self.executor.collected.run([self.job(left[1:], each)], self.executor.late)

        limits = self.executor.limits(sum(task["limit"] for task in batch))
        return Job("pytest_moa.running.jobs:mutants", {"mutants": batch}, done, note, limits)

    def fresh_controls(self, modules: Iterable[str]) -> dict[str, Fresh]:
        """Collect and run each module's tests anew with its own source."""
        found: dict[str, Fresh] = {name: Fresh() for name in modules}
        importing: dict[str, list[str]] = {}

        def told_importing(ended: Ended) -> None:
            importing.update(ended.value or {})

        self.executor.collected.run(
            [Job("pytest_moa.running.imports:importing_files", {}, told_importing)], self.executor.late
        )
        jobs = []
        for name, fresh in found.items():
            indices = self._relevant(name, importing.get(name, []))
            fresh.files = list(dict.fromkeys(self.tests[index].file for index in indices))
            fresh.seconds = sum(self.tests[index].seconds for index in indices)
            if not indices:
                continue
            wanted = [self.tests[index].nodeid for index in indices]

            def done(ended: Ended, name: str = name, wanted: list[str] = wanted) -> None:
                self._controlled(found[name], name, wanted, ended)

            jobs.append(
                self.executor.fresh_job(
                    {**self._place(name, self.sources[name]), "files": fresh.files, "wanted": wanted}
                    | {"stop": False, "calls": True},
                    done,
                    limit=30 + TIMES * fresh.seconds,
                )
            )
        self.executor.fresh.run(jobs, self.executor.late)
        return found

    def _relevant(self, module: str, files: Sequence[str]) -> list[int]:
        """Passing tests that reach the module, then those whose files import it."""
        passing = [index for index, test in enumerate(self.tests) if test.outcome == "passed"]
        reach = [index for index in passing if self.tests[index].reached.get(module)]
        near = set(reach)
        rest = [index for index in passing if index not in near and self.tests[index].file in files]
        return [*self.executor.ordered(reach), *self.executor.ordered(rest)]

    def _controlled(self, fresh: Fresh, name: str, wanted: list[str], ended: Ended) -> None:
        told = ended.value if ended.status == "returned" else None
        if not told:
            fresh.wrong = f"its tests cannot be collected anew: {ended.error or ended.status}"
            return
        passed = set(told["passed"])
        fresh.passing = [nodeid for nodeid in wanted if nodeid in passed]
        if not fresh.passing:
            fresh.wrong = f"its tests fail when they are collected anew: {told['message']}"
        definitions = definitions_of(self.sources[name])
        at = [definitions.at(line) for line, _ in told["calls"]]
        fresh.at_import = frozenset(one.qualname for one in at if one is not None)

    def slow(self, mutants: Sequence[Mutant], controls: Mapping[str, Fresh]) -> None:
        """Judge in processes that collect anew."""
        jobs = []
        for mutant in mutants:
            fresh = controls[mutant.module]
            if fresh.wrong:
                self.executor.untrusted[(mutant.module, mutant.qualname)] = fresh.wrong
                self.judged(Verdict(mutant, "untrusted", message=fresh.wrong))
                continue
            if not fresh.passing:
                self.judged(Verdict(mutant, "not_covered"))
                continue

            def done(ended: Ended, mutant: Mutant = mutant) -> None:
                self._slow_verdict(mutant, ended)

            covering = {self.tests[index].nodeid for index in self.tests_of(mutant)}
            wanted = sorted(fresh.passing, key=lambda nodeid: nodeid not in covering)
            changed = mutated_source(self.sources[mutant.module], mutant)
            args = {**self._place(mutant.module, changed), "files": fresh.files, "wanted": wanted}
            jobs.append(self.executor.fresh_job(args, done, 2 + MORE + TIMES * fresh.seconds))
        self.executor.fresh.run(jobs, self.executor.late)

    def _slow_verdict(self, mutant: Mutant, ended: Ended) -> None:
        if ended.status != "returned":
            self.judged(Verdict(mutant, "killed", (), f"the process has {ended.status}", ended.seconds))
            return
        told = ended.value
        status: MutantStatus = told["status"]
        killers = tuple(each for each in told["killers"] if each)
        self.judged(Verdict(mutant, status, killers, told["message"], told["seconds"]))

    def _place(self, module: str, source: str) -> dict[str, str]:
        return {"module": module, "path": str(self.executor.modules[module].path), "source": source}

    def nodeid(self, index: int | None) -> str:
        """The node id at an index, "" for none."""
        return "" if index is None else self.tests[index].nodeid


def by_function(mutants: Iterable[Mutant]) -> dict[tuple[str, str], list[Mutant]]:
    """Mutants by (module, qualname), in order."""
    found: defaultdict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        found[(mutant.module, mutant.qualname)].append(mutant)
    return dict(found)
