"""Mutants a second of one module with its own tests, one worker, beside mutmut and cosmic-ray.

Whole commands are timed, each round one after the other. cosmic-ray writes the file and starts pytest anew
for each mutant, so it gets a sample, another one each round. Verdicts are compared where both tools change
the same lines to the same text.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.peers import peer, sources

PACKAGE, VERSION = "toolz", "1.2.0"
MODULE, TESTS = "toolz/dicttoolz.py", "toolz/tests/test_dicttoolz.py"
MUTMUT, COSMIC_RAY = "mutmut 3.8.1", "cosmic-ray 8.7.0"
COSMIC_RAY_MUTANTS = 13

#: A mutant by what its lines were and what they became, with whether tests failed.
Verdicts = Mapping[tuple[str, str], bool]


def mutants(rounds: int) -> dict[str, Any]:
    """Rates of all three, and the share of equal verdicts."""
    ours, theirs, rays = [], [], []
    seen_by_cosmic_ray: dict[tuple[str, str], bool] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            folder = Path(scratch, str(number))
            our_rate, report = by_moa(sources(PACKAGE, VERSION, folder / "moa"))
            mutated = sources(PACKAGE, VERSION, folder / "mutmut")
            their_rate = by_mutmut(mutated)
            ray_rate, some = by_cosmic_ray(sources(PACKAGE, VERSION, folder / "cosmic-ray"), number)
            ours.append(our_rate)
            theirs.append(their_rate)
            rays.append(ray_rate)
            seen_by_cosmic_ray |= some
        seen_by_mutmut = verdicts_of_mutmut(mutated)
    both, differing = compared(report, seen_by_mutmut)
    both_rays, differing_rays = compared(report, seen_by_cosmic_ray)
    return {
        "what": f"{MODULE} of {PACKAGE} {VERSION} with its own tests, one worker",
        "moa mutate, mutants/s": ours,
        f"{MUTMUT}, mutants/s": theirs,
        f"{COSMIC_RAY}, mutants/s ({COSMIC_RAY_MUTANTS} mutants a round)": rays,
        "over mutmut": round(statistics.median(ours) / statistics.median(theirs), 2),
        "over cosmic-ray": round(statistics.median(ours) / statistics.median(rays), 1),
        "goals": {"over mutmut": 5, "over cosmic-ray": 50, "agreement": 0.99},
        "mutants": {
            "moa": report["total"],
            "mutmut": len(seen_by_mutmut),
            "cosmic-ray": len(seen_by_cosmic_ray),
            "in both": both,
            "in both with cosmic-ray": both_rays,
        },
        "score": report["score"],
        "agreement": round(1 - len(differing) / both, 4) if both else None,
        "agreement with cosmic-ray": round(1 - len(differing_rays) / both_rays, 4) if both_rays else None,
        "differing": [*differing, *differing_rays],
        "sandbox": report["sandbox"],
    }


def by_moa(root: Path) -> tuple[float, dict[str, Any]]:
    command = [str(Path(sys.executable).with_name("moa")), "mutate", MODULE, "--tests", TESTS]
    command += ["--workers", "1", "--json", "-"]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return round(report["total"] / seconds, 1), report


def by_mutmut(root: Path) -> float:
    """Its rate over the whole command, as for ours."""
    (root / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        f'source_paths = ["toolz/"]\nonly_mutate = ["{MODULE}"]\n'
        f'pytest_add_cli_args_test_selection = ["{TESTS}"]\n'
    )
    mutmut = str(mutmut_python().with_name("mutmut"))
    start = time.perf_counter()
    subprocess.run([mutmut, "run", "--max-children", "1"], cwd=root, capture_output=True, check=True)
    seconds = time.perf_counter() - start
    listed = subprocess.run([mutmut, "results", "--all", "true"], cwd=root, capture_output=True, text=True)
    return round(len(re.findall(r"__mutmut_\d+: ", listed.stdout)) / seconds, 1)


def verdicts_of_mutmut(root: Path) -> Verdicts:
    """What it found in that folder: whether each mutant was killed."""
    driver = str(Path(__file__).with_name("mutmut_verdicts.py"))
    told = subprocess.run(
        [str(mutmut_python()), driver], cwd=root, capture_output=True, text=True, check=True
    )
    return {
        changed(one["diff"].splitlines()): one["status"] != "survived"
        for one in map(json.loads, told.stdout.splitlines())
    }


def mutmut_python() -> Path:
    return peer("mutmut", MUTMUT.replace(" ", "=="), "pytest==9.2.0")


def cosmic_ray_python() -> Path:
    return peer("cosmic-ray", COSMIC_RAY.replace(" ", "=="), "pytest==9.2.0")


def by_cosmic_ray(root: Path, number: int) -> tuple[float, dict[tuple[str, str], bool]]:
    """Its rate on the round's sample, and its verdicts there."""
    python = cosmic_ray_python()
    (root / "cr.toml").write_text(
        f'[cosmic-ray]\nmodule-path = "{MODULE}"\ntimeout = 30.0\n'
        f'test-command = "{python} -m pytest -x -q {TESTS}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    command = str(python.with_name("cosmic-ray"))
    subprocess.run([command, "init", "cr.toml", "cr.sqlite"], cwd=root, check=True)
    in_order = "SELECT job_id FROM mutation_specs ORDER BY start_pos_row, operator_name, occurrence"
    with closing(sqlite3.connect(root / "cr.sqlite")) as session, session:
        jobs = [job for (job,) in session.execute(in_order)]
        step = max(1, len(jobs) // COSMIC_RAY_MUTANTS)
        kept = set(jobs[number % step :: step][:COSMIC_RAY_MUTANTS])
        for job in set(jobs) - kept:
            session.execute("DELETE FROM mutation_specs WHERE job_id = ?", [job])
            session.execute("DELETE FROM work_items WHERE job_id = ?", [job])
    start = time.perf_counter()
    subprocess.run([command, "exec", "cr.toml", "cr.sqlite"], cwd=root, check=True)
    seconds = time.perf_counter() - start
    with closing(sqlite3.connect(root / "cr.sqlite")) as session:
        rows = session.execute("SELECT diff, test_outcome FROM work_results").fetchall()
    verdicts = {changed(diff.splitlines()): str(outcome).lower() != "survived" for diff, outcome in rows}
    return round(len(kept) / seconds, 2), verdicts


def changed(diff: list[str]) -> tuple[str, str]:
    """The lines that a diff takes away and those that it adds, without their indentation."""
    lines = [line for line in diff if not line.startswith(("---", "+++", "@@"))]
    before = "\n".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = "\n".join(line[1:].strip() for line in lines if line.startswith("+"))
    return _written_one_way(before), _written_one_way(after)


class _OneWay(ast.NodeTransformer):
    """What tools write in different ways: `not x in y`, and what a loop that shall not run goes over."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(ops=[ast.In()]) as inner):
                inner.ops = [ast.NotIn()]
                return inner
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        return node if node.elts else ast.Tuple([], node.ctx)


def _written_one_way(text: str) -> str:
    """A statement's head or a whole one as `ast` writes it; what is neither stays as it is."""
    try:
        return ast.unparse(_OneWay().visit(ast.parse(text + " pass" if text.endswith(":") else text)))
    except SyntaxError:
        return text


def compared(report: dict[str, Any], verdicts: Verdicts) -> tuple[int, list[str]]:
    """How many mutants both have, and those of them whose verdicts differ."""
    differing, both = [], 0
    for mutant in report["mutants"]:
        lines = changed(mutant["diff"].splitlines())
        if lines in verdicts:
            both += 1
            killed = mutant["status"] in ("killed", "timed_out")
            if killed != verdicts[lines]:
                differing.append(f"line {mutant['line']}: {' -> '.join(lines)}: moa {mutant['status']}")
    return both, differing
