"""What the suggested tests are worth: mutants killed from an empty test file, with no model.

    python -m benchmarks.suggestions [--seconds 60] [--mutants 24] [--only NAME ...]
    python -m benchmarks.suggestions --config moa.toml [--model-seconds 300] ...  (`committees`)

`pytest --moa --moa-accept` writes tests for one module of a released package; `suites` judges them, with
twenty reruns. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.committees import runs_of, together
from benchmarks.peers import BUILD
from benchmarks.suites import MODULES, Module, Suite, environment, unpacked

RERUNS = 20


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
        start = time.perf_counter()
        done = suggest(module, root, {**environ, **variables}, moa_seconds, options.max)
        seconds = round(time.perf_counter() - start, 1)
        suite = Suite.of(module, root, environ)
        keep(module, suite, done.stdout + done.stderr)
        found = {
            "exit": done.returncode,
            "seconds": seconds,
            "tests": sum(file.read_text().count("\ndef test_") for file in suite.files),
            "broken": suite.broken,
            **by_members(root / "report.json"),
            **suite.against_mutants(options.mutants),
            "branches": round(suite.branches(), 3),
            "flaky reruns": suite.flaky(RERUNS),
            "lint": suite.lint(),
        }
        return found if suite.kept else {**found, "why": done.stdout[-800:]}


def suggest(
    module: Module, root: Path, environ: Mapping[str, str], seconds: float, most: int
) -> subprocess.CompletedProcess[str]:
    """Have tests written into an empty file for that module, with a report beside it."""
    (root / "tests" / f"test_{Path(module.path).stem.strip('_')}.py").touch()
    command = [sys.executable, "-m", "pytest", "--moa", "--moa-target", module.path, "--moa-accept"]
    command += ["--moa-seconds", str(seconds), "--moa-max", str(most)]
    command += ["--moa-report", "report.json", "-q"]
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True)


def keep(module: Module, suite: Suite, output: str) -> None:
    """Leave what was written and said where it can be read afterwards."""
    kept = BUILD / "accepted" / module.package
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    (kept / "output.txt").write_text(output, encoding="utf-8")
    for file in [*suite.files, suite.root / "report.json"]:
        if file.exists():
            shutil.copy(file, kept)


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


if __name__ == "__main__":
    sys.exit(main())
