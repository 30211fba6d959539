"""Candidates a second, sandbox and branch facts on, beside a process for each.

The candidates are a released package's own tests of one module, taken apart as a model's answers are. The
same files go to all: to our executor, to `python -m pytest FILE`, and to the command that CoverUp 0.6.3
runs for each candidate (without its `--isolate`, which makes no difference to one test). One worker.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import peer, sources
from pytest_moa.candidate import Candidate
from pytest_moa.code.definitions import definitions_of
from pytest_moa.project import Project
from pytest_moa.running.checking import LIMITS
from pytest_moa.running.executor import Executor
from pytest_moa.running.pool import Job
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.splitting import Wanted, split

PACKAGE, VERSION = "toolz", "1.2.0"
MODULE, NAME, TESTS = "toolz/itertoolz.py", "toolz.itertoolz", "toolz/tests/test_itertoolz.py"
CANDIDATES = 48

#: Repeats that CoverUp asks of pytest-repeat unless told otherwise.
REPEATS = 5


def candidates(rounds: int, count: int = CANDIDATES) -> dict[str, Any]:
    """Rates of all, each round one after the other on the same candidates."""
    rates: dict[str, list[float]] = {}
    statuses: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        root = sources(PACKAGE, VERSION, Path(scratch))
        chosen = taken_apart(root, count)
        files = written(root / "candidates", chosen)
        for _ in range(rounds):
            measured, facts = by_executor(root, chosen)
            statuses = Counter(facts)
            measured["pytest FILE"] = by_pytest(root, files)
            measured["CoverUp's command, once"] = by_coverup(root, files, 1)
            measured[f"CoverUp's command, {REPEATS} repeats"] = by_coverup(root, files, REPEATS)
            for name, seconds in measured.items():
                rates.setdefault(name, []).append(round(len(chosen) / seconds, 2))
    middle = {name: statistics.median(some) for name, some in rates.items()}

    def over(ours: str, theirs: str) -> float:
        return round(middle[ours] / middle[theirs], 1)

    return {
        "what": f"{len(chosen)} tests of {MODULE} of {PACKAGE} {VERSION}, one worker; candidates/s",
        "candidates/s": rates,
        "once, over pytest FILE": over("once, with branches", "pytest FILE"),
        "once, over CoverUp's command": over("once, with branches", "CoverUp's command, once"),
        "judged, over pytest FILE": over("judged", "pytest FILE"),
        f"judged, over CoverUp's command with {REPEATS} repeats": over(
            "judged", f"CoverUp's command, {REPEATS} repeats"
        ),
        "goals": {"over pytest FILE": 12, "over CoverUp's command": 18},
        "verdicts": dict(statuses),
    }


def taken_apart(root: Path, count: int) -> list[Candidate]:
    """So many from all over the package's own test file, which then goes: they shall be new."""
    text = (root / TESTS).read_text(encoding="utf-8")
    definitions = definitions_of((root / MODULE).read_text(encoding="utf-8"))
    names = [one.qualname for one in definitions.functions]
    home = Home(NAME, frozenset(names))
    found = split(text, [Wanted(f"{NAME}:{name}", name) for name in names], home)
    (root / TESTS).unlink()
    some = found[:CANDIDATES]
    return some[:: max(1, len(some) // count)][:count]


def written(folder: Path, chosen: Sequence[Candidate]) -> list[str]:
    """One file for each candidate, for those who run files."""
    folder.mkdir()
    for number, one in enumerate(chosen):
        (folder / f"test_{number}.py").write_text(one.module_source(), encoding="utf-8")
    return [f"{folder.name}/test_{number}.py" for number in range(len(chosen))]


def by_executor(root: Path, chosen: Sequence[Candidate]) -> tuple[dict[str, float], list[str]]:
    """Seconds of running each once with branches as a peer does, and of all that a candidate must survive.

    Starting what is warm is in "with the start"; the tests that the project has are run before, once.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    project = Project.find(root)
    began = time.perf_counter()
    with Executor(project, [project.module(root / MODULE)], workers=1) as executor:
        executor.existing()
        started = time.perf_counter()
        executor.collected.run([_once(executor, one) for one in chosen])
        once = time.perf_counter() - started
        start = started - began
        started = time.perf_counter()
        facts = executor.check(chosen)
        judged = time.perf_counter() - started
    seconds = {"once, with branches": once, "judged": judged, "judged, with the start": judged + start}
    return seconds, [one.status for one in facts.values()]


def _once(executor: Executor, candidate: Candidate) -> Job:
    step = {"id": candidate.id, "name": candidate.name, "text": candidate.module_source()}
    args = {"candidate": step, "folder": str(executor.folder(NAME)), "module": NAME}

    def done(ended: Any) -> None:
        assert ended.status == "returned", ended
        assert ended.value["status"] == "passes", ended.value

    return Job("pytest_moa.running.jobs:candidate", args, done, limits=LIMITS)


def by_pytest(root: Path, files: Sequence[str]) -> float:
    return _each(root, files, "-m", "pytest", "-q")


def by_coverup(root: Path, files: Sequence[str], repeats: int) -> float:
    plugin = ("-p", "pytest_repeat", f"--count={repeats}") if repeats > 1 else ()
    slipcover = ("-m", "slipcover", "--branch", "--json", "--out", "coverage.json")
    return _each(root, files, *slipcover, "-m", "pytest", *plugin, "-qq", "-x", "--disable-warnings")


def slipcover_python() -> Path:
    return peer("coverup", "slipcover==1.0.18", "pytest==9.2.0", "pytest-repeat==0.9.4")


def _each(root: Path, files: Sequence[str], *command: str) -> float:
    """Seconds of a process for each file, in an environment that has what the command needs and no more."""
    python = slipcover_python()
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(root)}
    shutil.rmtree(root / ".pytest_cache", ignore_errors=True)
    started = time.perf_counter()
    for file in files:
        done = subprocess.run([str(python), *command, file], cwd=root, env=environ, capture_output=True)
        assert done.returncode == 0, done.stdout.decode()
    return time.perf_counter() - started
