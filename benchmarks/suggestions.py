"""What the suggested tests are worth: mutants killed from an empty test file, with no model.

    python -m benchmarks.suggestions [--seconds 60] [--mutants 24] [--only NAME ...]
    python -m benchmarks.suggestions --config moa.toml [--model-seconds 300] ...  (`committees`)

Each package comes from the package registry, without its tests. `pytest --moa --moa-accept` writes tests
for one module; then they run against mutants made by `independent_mutants`, twenty times under other hash
seeds and orders, and through the linter. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.committees import runs_of, together
from benchmarks.independent_mutants import IndependentMutant, independent_mutants
from benchmarks.peers import BUILD, sources

RERUNS = 20


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


MODULES = (
    Module("python-slugify", "9.2.0", "slugify/slugify.py", ".", ("text-unidecode==1.3",)),
    Module("itsdangerous", "2.2.0", "src/itsdangerous/timed.py", "src"),
    Module("iniconfig", "2.3.1", "src/iniconfig/_parse.py", "src"),
    Module("cachetools", "8.0.1", "src/cachetools/_cachedmethod.py", "src"),
    Module("toolz", "1.2.0", "toolz/dicttoolz.py", "."),
    Module("humanize", "4.17.0", "src/humanize/filesize.py", "src"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for each module")
    parser.add_argument("--mutants", type=int, default=24, help="sampled from each module; 0 takes all")
    parser.add_argument("--max", type=int, default=10, help="tests to suggest for each module")
    parser.add_argument("--only", nargs="*", default=[], help="packages")
    parser.add_argument("--config", type=Path, help="a moa.toml with chat members")
    parser.add_argument("--model-seconds", type=float, default=300, help="for the models of a run, on top")
    options = parser.parse_args()
    modules = [module for module in MODULES if not options.only or module.package in options.only]
    if options.config:
        found = {module.name: with_members(module, options) for module in modules}
        print(json.dumps({"modules": found, **together(found)}, indent=2))
        return 0
    figures = {module.name: measured(module, options, {}, options.seconds) for module in modules}
    scores = [one["killed"] / one["mutants"] for one in figures.values() if one["mutants"]]
    print(
        json.dumps(
            {"modules": figures, "mean score": round(sum(scores) / len(scores), 3), "goal": 0.8}, indent=2
        )
    )
    return 0


def with_members(module: Module, options: argparse.Namespace) -> dict[str, Any]:
    """One module with and without models."""

    def measure(run: str, variables: Mapping[str, str], seconds: float) -> dict[str, Any]:
        found = measured(module, options, variables, seconds)
        print(json.dumps({module.name: {run: found}}), file=sys.stderr, flush=True)
        return found

    return runs_of(options.config, options.seconds, options.model_seconds, measure)


def measured(
    module: Module, options: argparse.Namespace, variables: Mapping[str, str], moa_seconds: float
) -> dict[str, Any]:
    """Suggest tests for one module, then try what was accepted."""
    with tempfile.TemporaryDirectory() as scratch:
        root = unpacked(module, Path(scratch))
        environ = environment(module, root)
        command = [sys.executable, "-m", "pytest", "--moa", "--moa-target", module.path, "--moa-accept"]
        command += ["--moa-seconds", str(moa_seconds), "--moa-max", str(options.max)]
        command += ["--moa-report", "report.json", "-q"]
        start = time.perf_counter()
        with_variables = {**environ, **variables}
        done = subprocess.run(command, cwd=root, env=with_variables, capture_output=True, text=True)
        seconds = round(time.perf_counter() - start, 1)
        tests = sorted(root.glob("tests/**/test_*.py"))
        kept = BUILD / "accepted" / module.package
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        (kept / "output.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
        for file in [*tests, root / "report.json"]:
            if file.exists():
                shutil.copy(file, kept)
        found = {
            "exit": done.returncode,
            "seconds": seconds,
            "tests": sum(file.read_text().count("\ndef test_") for file in tests),
            "broken": 0,
            **by_members(root / "report.json"),
        }
        if run_tests(root, environ) != 0:  # no test at all is no pass either
            return {
                **found,
                "mutants": len(chosen_mutants(module, root, options.mutants)),
                "killed": 0,
                "broken": int(found["tests"] > 0),
                "flaky reruns": 0,
                "why": done.stdout[-800:],
            }
        return {
            **found,
            **against_mutants(module, root, environ, options.mutants),
            "flaky reruns": flaky(root, environ),
            "lint": linted(root, tests),
        }


def by_members(report: Path) -> dict[str, Any]:
    """What the models did: how often they answered, what of it was executed, and how much was chosen."""
    if not report.exists():
        return {}
    told = json.loads(report.read_text(encoding="utf-8"))
    chat = [one["name"] for one in told["costs"] if one["kind"] in ("chat", "local")]
    members = {}
    for name in chat:
        cost = next(one for one in told["costs"] if one["name"] == name)
        proposed = [one for one in told["candidates"] if name in one["proposed_by"]]
        statuses = Counter(one["status"] for one in proposed)
        chosen = sum(name in one["proposed_by"] for one in told["suggestions"])
        members[name] = {
            "calls": cost["calls"],
            "failed": cost["failed"],
            "proposed": dict(statuses),
            "chosen": chosen,
        }
    return {"models": members, "warnings": told["warnings"]} if members else {}


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
    (root / "tests" / f"test_{Path(module.path).stem.strip('_')}.py").touch()
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


def run_tests(root: Path, environ: dict[str, str], *more: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no", *more]
    try:
        return subprocess.run(
            command, cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def chosen_mutants(module: Module, root: Path, most: int) -> list[IndependentMutant]:
    """All of the module's mutants, or a sample that is the same every time."""
    mutants = independent_mutants((root / module.path).read_text(encoding="utf-8"))
    return mutants if not most else random.Random(1).sample(mutants, min(most, len(mutants)))


def against_mutants(module: Module, root: Path, environ: dict[str, str], most: int) -> dict[str, Any]:
    """How many mutants the tests kill. Each runs in a copy of the whole package."""
    environ = {**environ, "PYTHONDONTWRITEBYTECODE": "1"}
    chosen = chosen_mutants(module, root, most)

    def killed(number: int) -> bool:
        with tempfile.TemporaryDirectory() as scratch:
            copied = Path(scratch) / "package"
            shutil.copytree(root, copied)
            (copied / module.path).write_text(chosen[number].source, encoding="utf-8")
            moved = {**environ, "PYTHONPATH": environ["PYTHONPATH"].replace(str(root), str(copied))}
            return run_tests(copied, moved) != 0

    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(killed, range(len(chosen))))
    lines = (root / module.path).read_text(encoding="utf-8").splitlines()
    survivors = [
        f"{one.line} {one.what}: {lines[one.line - 1].strip()}"
        for one, dead in zip(chosen, verdicts, strict=True)
        if not dead
    ]
    return {"mutants": len(chosen), "killed": sum(verdicts), "survivors": survivors}


def flaky(root: Path, environ: dict[str, str]) -> int:
    """Reruns, of twenty under other hash seeds and orders, that did not pass."""
    order = "import random\n\ndef pytest_collection_modifyitems(items):\n    random.shuffle(items)\n"
    (root / "shuffled.py").write_text(order)
    shuffled = {**environ, "PYTHONPATH": f"{root}{os.pathsep}{environ['PYTHONPATH']}"}
    return sum(
        run_tests(root, {**shuffled, "PYTHONHASHSEED": str(seed)}, "-p", "shuffled") != 0
        for seed in range(RERUNS)
    )


def linted(root: Path, tests: list[Path]) -> str:
    ruff = [
        str(Path(sys.executable).with_name("ruff")),
        "check",
        "--isolated",
        "--quiet",
        "--select",
        "E,F,I",
    ]
    done = subprocess.run([*ruff, *map(str, tests)], cwd=root, capture_output=True, text=True)
    return "clean" if done.returncode == 0 else done.stdout[-500:]


if __name__ == "__main__":
    sys.exit(main())
