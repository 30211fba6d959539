"""What a generated test suite is worth, whoever wrote it: the modules to test, and how suites are judged.

Each module comes from the package registry, without its tests. Tests that do not pass on the module as it is
are broken and left out. The others run against mutants made by `independent_mutants`, again under other hash
seeds and orders, under coverage.py, and through the linter.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.independent_mutants import IndependentMutant, independent_mutants
from benchmarks.peers import BUILD, sources

#: Seconds that a suite may run on the module as it is.
SUITE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a released package. `needs` are what it imports besides the standard library."""

    package: str
    version: str
    path: str
    python_path: str
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.package}/{Path(self.path).name}"

    @property
    def dotted(self) -> str:
        """As it is imported."""
        return ".".join(Path(self.path).relative_to(self.python_path).with_suffix("").parts)


MODULES = (
    Module("python-slugify", "9.2.0", "slugify/slugify.py", ".", ("text-unidecode==1.3",)),
    Module("itsdangerous", "2.2.0", "src/itsdangerous/timed.py", "src"),
    Module("iniconfig", "2.3.1", "src/iniconfig/_parse.py", "src"),
    Module("cachetools", "8.0.1", "src/cachetools/_cachedmethod.py", "src"),
    Module("toolz", "1.2.0", "toolz/dicttoolz.py", "."),
    Module("humanize", "4.17.0", "src/humanize/filesize.py", "src"),
)


def unpacked(module: Module, scratch: Path) -> Path:
    """The package's sources without its tests, and an empty folder for new ones."""
    root = sources(module.package, module.version, scratch)
    for name in ("tests", "test", "testing", "toolz/tests", "conftest.py", "tox.ini", "pytest.ini"):
        place = root / name
        shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
    (root / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\npythonpath = ["{module.python_path}"]\n'
    )
    (root / "tests").mkdir()
    return root


def environment(module: Module, root: Path) -> dict[str, str]:
    """The command's environment: what the module needs is beside it, not installed into ours."""
    paths = [str(root / module.python_path)]
    if module.needs:
        beside = BUILD.absolute() / "needs" / module.package
        if not beside.exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(beside)]
            subprocess.run([*pip, *module.needs], check=True)
        paths.append(str(beside))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOA_", "PYTEST_"))}
    return {**clean, "PYTHONPATH": os.pathsep.join(paths), "MOA_RECORD": str(root / "record.sqlite")}


@dataclass
class Suite:
    """The tests in `root`/tests, run in a process of their own each time, other plug-ins switched off."""

    module: Module
    root: Path
    environ: Mapping[str, str]
    kept: int = 0  #: tests that pass, those that are expected to fail included
    broken: int = 0
    seconds: float = SUITE_SECONDS

    @classmethod
    def of(cls, module: Module, root: Path, environ: Mapping[str, str]) -> Suite:
        """The suite, its broken tests found and left out."""
        shutil.copy(Path(__file__).with_name("suite_plugin.py"), root)
        suite = cls(module, root, {**environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
        outcomes = root / "outcomes.json"
        began = time.perf_counter()
        code = suite.run(root, {"SUITE_OUTCOMES": str(outcomes)}, "--continue-on-collection-errors")
        suite.seconds = time.perf_counter() - began
        if code == -1:  # it did not end and has told nothing: no test of it is known to pass
            suite.broken = sum(max(1, file.read_text().count("def test_")) for file in suite.files)
        told = json.loads(outcomes.read_text()) if outcomes.exists() else {}
        for name, outcome in told.items():
            if outcome == "not collected" and (root / name).is_file():
                (root / name).rename(root / f"{name}.broken")
        suite.kept = sum(outcome == "passed" for outcome in told.values())
        suite.broken += sum(outcome in ("failed", "not collected") for outcome in told.values())
        left_out = [name for name, outcome in told.items() if outcome != "passed"]
        (root / "left_out.json").write_text(json.dumps(left_out))
        return suite

    @property
    def files(self) -> list[Path]:
        return sorted((self.root / "tests").rglob("test_*.py"))

    def run(self, root: Path, variables: Mapping[str, str], *options: str, seconds: float = 0) -> int:
        """Run it as it is in `root`, which may be a copy: pytest's exit code, -1 if it was stopped."""
        return self._ended([sys.executable, "-m", "pytest", *options], root, variables, seconds)

    def _ended(self, command: list[str], root: Path, variables: Mapping[str, str], seconds: float = 0) -> int:
        python_path = self.environ["PYTHONPATH"].replace(str(self.root), str(root))
        environ = {**self.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"}
        environ["PYTHONPATH"] = f"{root}{os.pathsep}{python_path}"
        if "SUITE_OUTCOMES" not in variables:
            environ["SUITE_LEFT_OUT"] = str(root / "left_out.json")
        quiet = ["-q", "-p", "suite_plugin", "-p", "no:cacheprovider", "--tb=no", "tests"]
        process = subprocess.Popen(
            [*command, *quiet],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return process.wait(seconds or SUITE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return -1

    def against_mutants(self, most: int, until: float = float("inf")) -> dict[str, Any]:
        """How many mutants the kept tests kill. Each runs in a copy of the whole package.

        Mutants that were not reached at the time `until` (of `time.monotonic`) are not counted.
        """
        chosen = chosen_mutants(self.module, self.root, most)
        limit = max(5.0, 10 * self.seconds)

        def killed(mutant: IndependentMutant) -> bool | None:
            if not self.kept:
                return False
            if time.monotonic() > until:
                return None
            with tempfile.TemporaryDirectory() as scratch:
                copied = Path(scratch) / "package"
                shutil.copytree(self.root, copied)
                (copied / self.module.path).write_text(mutant.source, encoding="utf-8")
                return self.run(copied, {}, "-x", seconds=limit) != 0

        with ThreadPoolExecutor(2) as pool:
            verdicts = list(pool.map(killed, chosen))
        lines = (self.root / self.module.path).read_text(encoding="utf-8").splitlines()
        survivors = [
            f"{one.line} {one.what}: {lines[one.line - 1].strip()}"
            for one, dead in zip(chosen, verdicts, strict=True)
            if dead is False
        ]
        judged = [dead for dead in verdicts if dead is not None]
        return {"mutants": len(judged), "killed": sum(judged), "survivors": survivors}

    def flaky(self, reruns: int) -> int:
        """Reruns under other hash seeds and orders that did not pass."""
        if not self.kept:
            return 0

        def failed(seed: int) -> bool:
            variables = {"PYTHONHASHSEED": str(seed), "SUITE_SHUFFLED": str(seed)}
            return self.run(self.root, variables, "-x") != 0

        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(failed, range(1, reruns + 1)))

    def branches(self) -> float:
        """The share of the module's branches that the kept tests take."""
        if not self.kept:
            return 0.0
        coverage = [sys.executable, "-m", "coverage"]
        data = {"COVERAGE_FILE": str(self.root / ".coverage")}
        include = f"--include={self.root / self.module.path}"
        self._ended([*coverage, "run", "--branch", include, "-m", "pytest"], self.root, data)
        report = self.root / "coverage.json"
        command = [*coverage, "json", "-q", "-o", str(report)]
        told = subprocess.run(command, cwd=self.root, env={**os.environ, **data}, capture_output=True)
        assert told.returncode == 0, told.stdout + told.stderr
        totals = json.loads(report.read_text())["totals"]
        return float(totals["covered_branches"] / totals["num_branches"])

    def lint(self) -> int:
        """Findings of ruff's usual rules (E, F, I) in the files that can be collected."""
        ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--isolated", "--quiet"]
        ruff += ["--select", "E,F,I", "--output-format", "json", *map(str, self.files)]
        if not self.files:
            return 0
        done = subprocess.run(ruff, cwd=self.root, capture_output=True, text=True)
        return len(json.loads(done.stdout))


def chosen_mutants(module: Module, root: Path, most: int) -> list[IndependentMutant]:
    """All of the module's mutants, or a sample that is the same every time."""
    mutants = independent_mutants((root / module.path).read_text(encoding="utf-8"))
    return mutants if not most else random.Random(1).sample(mutants, min(most, len(mutants)))
