"""The facade: a project's tests, mutants and candidates, executed in warm processes.

    with Executor(project, [project.module(path)], workers=2) as executor:
        executor.existing()
        executor.check(candidates)
        executor.kills(None, mutants)

Everything that is known stays in `verdicts` and `facts`, also when an interrupt ends a method early.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from moa_engine.errors import MoaError
from pytest_moa.candidate import Candidate
from pytest_moa.code.definitions import definitions_of
from pytest_moa.mutation import Mutant
from pytest_moa.project import Project, SourceModule
from pytest_moa.running.alive import SIGN
from pytest_moa.running.facts import CandidateFacts, ExistingTest, ExistingTests, Kills, Verdict
from pytest_moa.running.nested import PATIENCE
from pytest_moa.running.pool import Job, Pool
from pytest_moa.sandbox import Limits
from pytest_moa.warm import Ended, WarmFailed, WarmProcess

#: Called with how many of how many are done, in the thread that called the executor.
Progress = Callable[[int, int], object]

#: What one run of the project's own tests may use: they are no strangers, and some are slow.
SUITE: Final = Limits(
    wall=900, cpu=900, memory=4 << 30, processes=256, file_bytes=1 << 30, output_bytes=64 << 20
)

#: Variables that decide which plug-ins pytest loads: the user's choice stays.
_PLUGINS: Final = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS")

_COLLECTED: Final = "pytest_moa.running.warm_session:collected"
_UNCOLLECTED: Final = "pytest_moa.running.fresh_session:uncollected"


class CannotMeasure(MoaError):
    """Nothing can be executed: pytest does not start, or a module cannot be imported."""


class Executor:
    """Executes tests of `project` that concern `modules`; a context manager.

    `folders` says where candidates of a module will live (its conftests apply); by default next to the
    test that reaches most of the module. `deadline` is by `time.monotonic`; what is not done by then
    stays unknown. `record` what imports run: it takes time, and spares many mutants the slow path.
    """

    def __init__(
        self,
        project: Project,
        modules: Sequence[SourceModule],
        *,
        workers: int = 2,
        confined: bool = True,
        folders: Mapping[str, Path] | None = None,
        deadline: float | None = None,
        record: bool = False,
    ) -> None:
        self.project = project
        self.modules = {module.name: module for module in modules}
        self.folders = dict(folders or {})
        self.deadline = deadline
        self.record = record
        self.verdicts: dict[str, Verdict] = {}
        self.facts: dict[str, CandidateFacts] = {}
        self.slow_files: set[str] = set()  #: that will be collected anew
        self.untrusted: dict[tuple[str, str], str] = {}
        self.collected = Pool(lambda: self._warm(_COLLECTED, 0), workers)
        self.reseeded = Pool(lambda: self._warm(_COLLECTED, 1), workers)
        self.fresh = Pool(lambda: self._warm(_UNCOLLECTED, 0), workers)
        self.mechanism = ""
        self.confined = confined
        self.broken: dict[str, str] = {}  #: path -> why the module cannot be measured
        self._report: dict[str, Any] = {}
        self._existing: ExistingTests | None = None
        self._found: dict[int, ExistingTest] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the first warm process, import the modules in it and collect the tests.

        Raises:
            CannotMeasure: pytest cannot start, forks of it do not run, or none of the modules can be
            imported; why. Others that
            cannot are in `broken` then, and no longer in `modules`.
        """
        try:
            self._report = self.collected.start()
        except WarmFailed as error:
            raise CannotMeasure(_told(error)) from error
        self._check_forks()
        for name, told in self._report["modules"].items():
            shown = self.project.shown(self.modules[name].path)
            if told["error"]:
                self.broken[shown] = f"it cannot be imported as {name}: {told['error']}"
            elif told["name"] != name:
                self.broken[shown] = f"the tests import it as {told['name']} and not as {name}"
            else:
                continue
            if len(self.broken) == len(self._report["modules"]):
                raise CannotMeasure(f"{shown}: {self.broken[shown]}")
            del self.modules[name]

    def _check_forks(self) -> None:
        """What a plug-in or a conftest does at a fork would else look like tests that fail."""
        ends: list[Ended] = []
        self.collected.run([Job("pytest_moa.running.alive:alive", {}, ends.append)])
        for ended in ends:
            if ended.status != "returned" or ended.value != [SIGN]:
                said = (ended.error.strip().splitlines() or [ended.status])[-1]
                raise CannotMeasure(
                    f"the tests cannot be run in forks, which a plug-in or a conftest.py breaks: {said}",
                    hint="`-p no:NAME` in addopts leaves a plug-in out, in case it is not needed",
                )

    def close(self) -> None:
        """End all processes."""
        for pool in (self.collected, self.reseeded, self.fresh):
            pool.close()

    @property
    def known_tests(self) -> ExistingTests:
        """What `existing` found, as far as it has come."""
        return self._existing or self._so_far()

    @property
    def threads(self) -> list[str]:
        """Names of threads that importing has started; no fork has them."""
        return list(self._report["threads"])

    @property
    def nodeids(self) -> list[str]:
        """Node ids of the collected tests, by index."""
        return [item["nodeid"] for item in self._report["items"]]

    @property
    def branches(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """All branches of each module, by function."""
        return {
            name: {qualname: frozenset(ids) for qualname, ids in told["branches"].items()}
            for name, told in self._report["modules"].items()
        }

    def unprobed(self, module: str) -> frozenset[str]:
        """Functions of the module whose branches cannot be seen, since no function object was found."""
        return frozenset(self._report["modules"][module]["missing"])

    def placed(self, mutant: Mutant) -> Mutant:
        """The mutant as one of a function, where its source only lets fear that the import runs that."""
        ran = self._report["modules"][mutant.module]["ran"]
        if ran is None or mutant.scope == "function" or mutant.qualname in ran:
            return mutant
        definition = definitions_of(self.source(mutant.module)).at(mutant.line)
        if definition is None or definition.qualname != mutant.qualname:
            return mutant
        return replace(mutant, scope="function") if mutant.line >= definition.body_line else mutant

    def source(self, module: str) -> str:
        """The module's source."""
        return self.modules[module].path.read_text(encoding="utf-8")

    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def existing(self, progress: Progress | None = None) -> ExistingTests:
        """Run the project's tests once, in their order in one process: outcomes, and what each reaches."""
        if self._existing is not None:
            return self._existing
        items = self._report["items"]
        found = self._found

        def each(told: Mapping[str, Any]) -> None:
            item = items[told["index"]]
            found[told["index"]] = ExistingTest(
                item["nodeid"],
                item["file"],
                told["outcome"],
                told["seconds"],
                told["message"],
                {name: frozenset(ids) for name, ids in told["reached"].items()},
            )
            if progress is not None:
                progress(len(found), len(items))

        def done(ended: Ended) -> None:
            left = [index for index in range(len(items)) if index not in found]
            if ended.status != "returned" and left:  # whichever ran has ended the process with it
                item = items[left[0]]
                message = f"it ended the process: {ended.error.strip().splitlines()[-1:] or ended.status}"
                found[left[0]] = ExistingTest(item["nodeid"], item["file"], "failed", 0.0, message)

        while len(found) < len(items) and not self.late():
            left = [index for index in range(len(items)) if index not in found]
            job = Job("pytest_moa.running.jobs:existing", {"indices": left}, done, each, SUITE)
            self.collected.run([job], self.late)
        self._existing = self._so_far()
        return self._existing

    def _so_far(self) -> ExistingTests:
        errors = {error["path"]: error["message"] for error in self._report.get("errors", ())}
        return ExistingTests(tuple(self._found[index] for index in sorted(self._found)), errors)

    def check(
        self, candidates: Sequence[Candidate], progress: Progress | None = None
    ) -> dict[str, CandidateFacts]:
        """Execute candidates in every way that they must survive; facts by candidate id."""
        from pytest_moa.running.checking import check

        check(self, candidates, progress)
        return {each.id: self.facts[each.id] for each in candidates if each.id in self.facts}

    def kills(
        self,
        candidates: Sequence[Candidate] | None,
        mutants: Sequence[Mutant],
        progress: Progress | None = None,
    ) -> Kills:
        """Which mutants are killed by candidates, or with None by the existing tests, and by whom."""
        if candidates is None:
            from pytest_moa.running.killing import kill

            kill(self, mutants, progress)
            known = self.verdicts
            verdicts = {each.id: known.get(each.id, Verdict(each, "unknown")) for each in mutants}
            return Kills(verdicts, dict(self.untrusted))
        from pytest_moa.running.columns import kill_with

        return kill_with(self, candidates, mutants, progress)

    def folder(self, module: str) -> Path:
        """Where candidates for the module live."""
        if module not in self.folders:
            reached: dict[Path, int] = {}
            for test in self.existing().tests:
                folder = Path(test.file).parent
                reached[folder] = reached.get(folder, 0) + len(test.reached.get(module, ()))
            best = max(reached, key=lambda folder: reached[folder], default=None)
            usual = next((path for path in self.project.test_paths if path.is_dir()), self.project.root)
            self.folders[module] = best if best is not None and reached[best] else usual
        return self.folders[module]

    def covering(self, module: str, qualname: str) -> list[int]:
        """Indices of the passing tests that reach a function, in the order in which to run them."""
        ids = self.branches[module].get(qualname, frozenset())
        tests = self.existing().tests
        return self.ordered(
            [
                index
                for index, test in enumerate(tests)
                if test.outcome == "passed" and not ids.isdisjoint(test.reached.get(module, ()))
            ]
        )

    def ordered(self, indices: Collection[int]) -> list[int]:
        """Fastest first, but tests of a file together: they share fixtures."""
        tests = self.existing().tests
        fastest: dict[str, float] = {}
        for index in indices:
            file = tests[index].file
            fastest[file] = min(fastest.get(file, tests[index].seconds), tests[index].seconds)
        return sorted(
            indices,
            key=lambda index: (fastest[tests[index].file], tests[index].file, tests[index].seconds, index),
        )

    def fresh_job(self, args: Mapping[str, Any], done: Callable[[Ended], None], limit: float) -> Job:
        """A job that collects with a changed module (see `fresh_session.fresh`)."""
        return Job(
            "pytest_moa.running.fresh_session:fresh",
            {"candidates": None, "wanted": None, "stop": True, "limit": limit, **args},
            done,
            limits=self.limits(limit),
        )

    def limits(self, seconds: float) -> Limits:
        """Limits for a job that takes at most so many seconds of CPU time in its forks."""
        return replace(SUITE, wall=seconds * PATIENCE + 30, cpu=seconds + 30)

    def _warm(self, preload: str, hash_seed: int) -> WarmProcess:
        project = self.project
        roots = dict.fromkeys([*project.python_path, *(each.import_root for each in self.modules.values())])
        args = {
            "root": str(project.root),
            "ini": str(project.ini) if project.ini else None,
            "tests": [str(path) for path in project.test_paths],
            "folders": [str(path) for path in self.folders.values()],
            "options": list(project.options),
            "modules": {name: str(module.path) for name, module in self.modules.items()},
            "record": self.record,
            "rewrite": sorted(self.slow_files),
            "imports": self._report["imported"] if preload == _UNCOLLECTED else [],
        }
        process = WarmProcess(
            root=project.root,
            preload=preload,
            preload_args=args,
            python_path=[str(path) for path in roots],
            readable=[*roots, *project.installed_path, *project.test_paths],
            limits=SUITE,
            confined=self.confined,
            environ={name: os.environ[name] for name in _PLUGINS if name in os.environ},
            hash_seed=hash_seed,
        )
        self.mechanism = process.mechanism.name
        return process


#: Lines in which pytest says why it cannot start.
_WRONG: Final = re.compile(r"^(?:ERROR:? |E   |INTERNALERROR> (?=\w+(?:\.\w+)*: ))\s*(.*)", re.MULTILINE)


def _told(error: WarmFailed) -> str:
    """What pytest said when it could not start, in a line."""
    wrong = _WRONG.findall(error.output)
    lines = [line.strip() for line in error.output.splitlines() if line.strip()]
    said = "; ".join(wrong[:3]) or (lines[-1] if lines else error.message)
    return f"pytest cannot start in this project: {said}"
