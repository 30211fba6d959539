"""Which mutants the existing tests kill.

First the controls: what is only compiled or executed again, unchanged, must leave all tests passing. Then
mutants, in forks that put them into the imported module. Last those for which that cannot be done
rightly or whose control failed: their tests are collected anew by a process that imports the mutant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pytest_moa.mutation import Mutant, identity, mutated_source
from pytest_moa.running.facts import MutantStatus, Verdict
from pytest_moa.running.pool import Job
from pytest_moa.warm import Ended, WarmFailed

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor, Progress

#: CPU time of a mutant's tests: so many times their own, and so much on top, in a module that is executed
#: again or imported anew some more. What pytest does around a test is in no test's own time.
TIMES: Final = 10.0
MORE: Final = 0.3
MORE_AGAIN: Final = 1.0
_AROUND: Final = 0.001

#: Seconds of a mutant's tests up to which it is tried in a fork with others.
TOGETHER: Final = 0.1

#: Seconds of work in one job: results come while it runs, but an interrupt loses what is under way.
_BATCH: Final = 1.0
_FORK: Final = 0.005


def kill(executor: Executor, mutants: Sequence[Mutant], progress: Progress | None) -> None:
    """Judge mutants by the existing tests, into `executor.verdicts`."""
    _Killing(executor, mutants, progress).run()


@dataclass
class Fresh:
    """What a module's tests do when they are collected with its own source."""

    passing: list[str] = field(default_factory=list)  #: node ids, in the order in which to run them
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    wrong: str = ""  #: why nothing can be said


class _Killing:
    def __init__(self, executor: Executor, mutants: Sequence[Mutant], progress: Progress | None) -> None:
        self.executor = executor
        self.tests = executor.existing().tests
        self.progress = progress
        self.given = {mutant.id: mutant for mutant in mutants if mutant.id not in executor.verdicts}
        self.wanted = [executor.placed(mutant) for mutant in self.given.values()]
        self.total = len(self.wanted)
        self.done = 0
        self.sources = {name: executor.source(name) for name in executor.modules}
        self.importing: dict[str, list[str]] | None = None
        self.covering: dict[tuple[str, str], list[int]] = {}

    def run(self) -> None:
        if self.executor.late():
            return  # not all tests may have run: what they reach is not known
        doubted = self.controls()
        certain = [mutant for mutant in self.wanted if _place(mutant) not in doubted]
        slow = [mutant for mutant in self.wanted if _place(mutant) in doubted]
        slow += self.quick(certain)
        self.slow(slow, self.fresh_controls({mutant.module for mutant in slow}), doubted)

    def _importing(self, module: str) -> list[str]:
        """Test files that import the module. All modules are asked for at once, when one is needed."""
        if self.importing is None:
            found = self.importing = {}

            def done(ended: Ended) -> None:
                found.update(ended.value or {})

            job = Job("pytest_moa.running.imports:importing_files", {}, done)
            self.executor.collected.run([job], self.executor.late)
        return self.importing.get(module, [])

    def tests_of(self, mutant: Mutant) -> list[int]:
        """Indices of the tests to run: those that reach the function, or that import the module."""
        place = _place(mutant)
        if place not in self.covering:
            module, qualname = place
            probed = qualname and qualname not in self.executor.unprobed(module)
            covering = self.executor.covering(module, qualname) if probed else self._relevant(module)
            self.covering[place] = covering
        return self.covering[place]

    def judged(self, verdict: Verdict) -> None:
        name = verdict.mutant.id
        self.executor.verdicts[name] = replace(verdict, mutant=self.given[name])
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)

    def controls(self) -> dict[tuple[str, str], str]:
        """Run the tests of every function with it compiled again, and of every module executed again,
        unchanged. Gives those for which something fails then, and what.
        """
        doubted: dict[tuple[str, str], str] = {}
        by_id: dict[str, tuple[str, str]] = {}
        tasks = []
        for place, one in {_place(mutant): mutant for mutant in self.wanted}.items():
            module, qualname = place
            source = self.sources[module]
            control = identity(source, qualname, module) if qualname else _same(module)
            if control is not None and self.tests_of(one):
                by_id[control.id] = place
                tasks.append(self.task(control, self.tests_of(one)))

        def each(told: Mapping[str, Any]) -> None:
            if told["installed"] and told["status"] != "survived":
                killer = self.nodeid(told["killer"])
                doubted[by_id[told["id"]]] = f"{killer} fails without any change: {told['message']}"

        self.run_tasks(tasks, each)
        return doubted

    def quick(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Judge by swapping code; gives those for which that is not possible."""
        by_id = {mutant.id: mutant for mutant in mutants}
        left: list[Mutant] = []

        def each(told: Mapping[str, Any]) -> None:
            mutant = by_id[told["id"]]
            if not told["installed"]:
                left.append(mutant)
                return
            if not self.tests_of(mutant):
                self.judged(Verdict(mutant, "not_covered"))
                return
            killer = self.nodeid(told["killer"])
            status: MutantStatus = told["status"]
            killers = (killer,) if killer else ()
            self.judged(Verdict(mutant, status, killers, told["message"], told["seconds"]))

        self.run_tasks([self.task(mutant, self.tests_of(mutant)) for mutant in mutants], each)
        return left

    def task(self, mutant: Mutant, indices: list[int]) -> dict[str, Any]:
        own = sum(self.tests[index].seconds for index in indices)
        seconds = own + _AROUND * len(indices)
        more = MORE if mutant.scope == "function" else MORE_AGAIN
        return {
            "mutant": mutant.to_json(),
            "indices": indices,
            "limit": more + TIMES * seconds,
            "together": own < TOGETHER,
            "control": mutant.operator == "identity",
        }

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
        found: dict[str, Fresh] = {}
        jobs = []
        for name in modules:
            indices = self._relevant(name)
            self.executor.slow_files |= {self.tests[index].file for index in indices}
            fresh = found[name] = Fresh(
                files=list(dict.fromkeys(self.tests[index].file for index in indices)),
                seconds=sum(self.tests[index].seconds for index in indices),
            )
            if not indices:
                continue
            wanted = [self.tests[index].nodeid for index in indices]
            args = {**self._changed(name, self.sources[name]), "files": fresh.files, "wanted": wanted}
            done = partial(_controlled, fresh, wanted)
            jobs.append(self.executor.fresh_job({**args, "stop": False}, done, 30 + TIMES * fresh.seconds))
        try:
            self.executor.fresh.run(jobs, self.executor.late)
        except WarmFailed as error:  # such as where pytest itself needs the module: the quick have their say
            why = error.message.strip().splitlines()[-1].removeprefix("RuntimeError: ")
            for fresh in found.values():
                fresh.wrong = f"its tests cannot be collected anew: {why}"
        return found

    def _relevant(self, module: str) -> list[int]:
        """Passing tests that reach the module, then those whose files import it."""
        passing = [index for index, test in enumerate(self.tests) if test.outcome == "passed"]
        reach = [index for index in passing if self.tests[index].reached.get(module)]
        near = set(reach)
        files = set(self._importing(module))
        rest = [index for index in passing if index not in near and self.tests[index].file in files]
        return [*self.executor.ordered(reach), *self.executor.ordered(rest)]

    def slow(
        self,
        mutants: Sequence[Mutant],
        controls: Mapping[str, Fresh],
        doubted: Mapping[tuple[str, str], str],
    ) -> None:
        """Judge in processes that collect anew. What was doubted is not, once its tests pass there."""
        jobs = []
        for mutant in mutants:
            fresh, place = controls[mutant.module], _place(mutant)
            covering = {self.tests[index].nodeid for index in self.tests_of(mutant)}
            wrong = fresh.wrong or (doubted.get(place, "") if not covering <= set(fresh.passing) else "")
            if wrong:
                self.executor.untrusted[place] = wrong
                self.judged(Verdict(mutant, "untrusted", message=wrong))
                continue
            if not fresh.passing:
                self.judged(Verdict(mutant, "not_covered"))
                continue
            wanted = sorted(fresh.passing, key=lambda nodeid: nodeid not in covering)
            changed = mutated_source(self.sources[mutant.module], mutant)
            args = {**self._changed(mutant.module, changed), "files": fresh.files, "wanted": wanted}
            done = partial(self._slow_verdict, mutant)
            jobs.append(self.executor.fresh_job(args, done, 2 + MORE_AGAIN + TIMES * fresh.seconds))
        self.executor.fresh.run(jobs, self.executor.late)

    def _slow_verdict(self, mutant: Mutant, ended: Ended) -> None:
        if ended.status != "returned":
            self.judged(Verdict(mutant, "killed", (), f"the process has {ended.status}", ended.seconds))
            return
        told = ended.value
        status: MutantStatus = told["status"]
        if status == "survived" and not self.tests_of(mutant):
            status = "not_covered"  # it runs when it is imported, and no test calls it
        killers = tuple(each for each in told["killers"] if each)
        self.judged(Verdict(mutant, status, killers, told["message"], told["seconds"]))

    def _changed(self, module: str, source: str) -> dict[str, str]:
        return {"module": module, "path": str(self.executor.modules[module].path), "source": source}

    def nodeid(self, index: int | None) -> str:
        """The node id at an index, "" for none."""
        return "" if index is None else self.tests[index].nodeid


def _controlled(fresh: Fresh, wanted: Sequence[str], ended: Ended) -> None:
    if ended.status != "returned":
        fresh.wrong = f"its tests cannot be collected anew: {ended.error or ended.status}"
        return
    passed = set(ended.value["passed"])
    fresh.passing = [nodeid for nodeid in wanted if nodeid in passed]
    if not fresh.passing:
        fresh.wrong = f"its tests fail when they are collected anew: {ended.value['message']}"


def _place(mutant: Mutant) -> tuple[str, str]:
    """What a control is for: a function, or all definitions of a module."""
    return mutant.module, mutant.qualname if mutant.scope == "function" else ""


def _same(module: str) -> Mutant:
    """The control of a module's definitions: its own source, executed again."""
    return Mutant(f"{module} again", module, "", "definition", "identity", 1, 0, 1, 0, "", "")


def by_function(mutants: Iterable[Mutant]) -> dict[tuple[str, str], list[Mutant]]:
    """Mutants by (module, qualname), in order."""
    found: defaultdict[tuple[str, str], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        found[(mutant.module, mutant.qualname)].append(mutant)
    return dict(found)
