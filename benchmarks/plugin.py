"""The pytest plug-in's speed, beside peers in the same run.

    python -m benchmarks.plugin startup      a session of one test: installed and unused, against none
    python -m benchmarks.plugin mutants      mutants a second, against mutmut and cosmic-ray
    python -m benchmarks.plugin candidates   candidates a second, against a process for each

Each prints one JSON object. Peers are installed, pinned, into build/bench/peers when first needed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.candidates import candidates
from benchmarks.peers import peer, sources

PACKAGE, VERSION = "toolz", "1.2.0"
MODULE, TESTS = "toolz/dicttoolz.py", "toolz/tests/test_dicttoolz.py"
COSMIC_RAY_MUTANTS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=tuple(MEASURES))
    parser.add_argument("--rounds", type=int, default=0, help="default: 15 for startup, else 3")
    options = parser.parse_args()
    measure = MEASURES[options.what]
    print(json.dumps(measure(options.rounds or (15 if measure is startup else 3)), indent=2))
    return 0


def startup(rounds: int) -> dict[str, Any]:
    """CPU milliseconds of a session of one test, in turn without, with an empty plug-in and with ours."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_one.py").write_text("def test_one():\n    pass\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        Path(folder, "empty_plugin.py").touch()
        without, empty, with_it = [], [], []
        for _ in range(rounds + 1):
            without.append(cpu_ms(command, folder))
            empty.append(cpu_ms([*command, "-p", "empty_plugin"], folder))
            with_it.append(cpu_ms([*command, "-p", "pytest_moa.plugin"], folder))
        del without[0], empty[0], with_it[0]  # the first writes bytecode
    return {
        "what": "CPU ms of a session of one test",
        "no plug-in": {"min": min(without), "median": statistics.median(without)},
        "an empty plug-in": {"min": min(empty), "median": statistics.median(empty)},
        "ours, unused": {"min": min(with_it), "median": statistics.median(with_it)},
        "ours over an empty one": round(statistics.median(with_it) - statistics.median(empty), 1),
        "goal": 5,
    }


def cpu_ms(command: list[str], folder: str) -> float:
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": folder}
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return round(1000 * (usage.ru_utime + usage.ru_stime), 1)


def mutants(rounds: int) -> dict[str, Any]:
    """Mutants a second of one module with its own tests, one worker, and the share of equal verdicts."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            folder = Path(scratch, str(number))
            our_rate, report = by_moa(sources(PACKAGE, VERSION, folder / "moa"))
            their_rate, verdicts = by_mutmut(sources(PACKAGE, VERSION, folder / "mutmut"))
            ours.append(our_rate)
            theirs.append(their_rate)
        cosmic_ray = by_cosmic_ray(sources(PACKAGE, VERSION, Path(scratch, "cosmic-ray")))
    both, differing = compared(report, verdicts)
    return {
        "what": f"{MODULE} of {PACKAGE} {VERSION} with its own tests, one worker",
        "moa mutate, mutants/s": ours,
        "mutmut 3.8.1, mutants/s": theirs,
        f"cosmic-ray 8.7.0, mutants/s ({COSMIC_RAY_MUTANTS} mutants)": cosmic_ray,
        "over mutmut": round(statistics.median(ours) / statistics.median(theirs), 2),
        "over cosmic-ray": round(statistics.median(ours) / cosmic_ray, 1),
        "goals": {"over mutmut": 5, "over cosmic-ray": 50, "agreement": 0.99},
        "mutants": {"moa": report["total"], "mutmut": len(verdicts), "in both": both},
        "score": report["score"],
        "agreement": round(1 - len(differing) / both, 4) if both else None,
        "differing": differing,
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


def by_mutmut(root: Path) -> tuple[float, dict[tuple[str, str], bool]]:
    """Its rate, over the whole command as for ours, and whether each mutant (before, after) was killed."""
    python = peer("mutmut", "mutmut==3.8.1", "pytest==9.2.0")
    (root / "pyproject.toml").write_text(
        "[tool.mutmut]\n"
        f'source_paths = ["toolz/"]\nonly_mutate = ["{MODULE}"]\n'
        f'pytest_add_cli_args_test_selection = ["{TESTS}"]\n'
    )
    mutmut = str(python.with_name("mutmut"))
    start = time.perf_counter()
    subprocess.run([mutmut, "run", "--max-children", "1"], cwd=root, capture_output=True, check=True)
    seconds = time.perf_counter() - start
    listed = subprocess.run([mutmut, "results", "--all", "true"], cwd=root, capture_output=True, text=True)
    verdicts = {}
    for name, verdict in re.findall(r"(\S+__mutmut_\d+): (.+)", listed.stdout):
        shown = subprocess.run([mutmut, "show", name], cwd=root, capture_output=True, text=True).stdout
        lines = shown.splitlines()
        before = "\n".join(line[1:].strip() for line in lines if re.match(r"-(?!--)", line))
        after = "\n".join(line[1:].strip() for line in lines if re.match(r"\+(?!\+\+)", line))
        verdicts[before, after] = verdict.strip() != "survived"
    return round(len(verdicts) / seconds, 1), verdicts


def by_cosmic_ray(root: Path) -> float:
    python = peer("cosmic-ray", "cosmic-ray==8.7.0", "pytest==9.2.0")
    (root / "cr.toml").write_text(
        f'[cosmic-ray]\nmodule-path = "{MODULE}"\ntimeout = 30.0\n'
        f'test-command = "{python} -m pytest -x -q {TESTS}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    command = str(python.with_name("cosmic-ray"))
    subprocess.run([command, "init", "cr.toml", "cr.sqlite"], cwd=root, check=True)
    import sqlite3

    with sqlite3.connect(root / "cr.sqlite") as session:  # a sample: all of them take minutes
        kept = "SELECT job_id FROM work_items ORDER BY job_id LIMIT ?"
        session.execute(f"DELETE FROM mutation_specs WHERE job_id NOT IN ({kept})", [COSMIC_RAY_MUTANTS])
        session.execute(f"DELETE FROM work_items WHERE job_id NOT IN ({kept})", [COSMIC_RAY_MUTANTS])
    session.close()
    start = time.perf_counter()
    subprocess.run([command, "exec", "cr.toml", "cr.sqlite"], cwd=root, check=True)
    return round(COSMIC_RAY_MUTANTS / (time.perf_counter() - start), 2)


def compared(report: dict[str, Any], verdicts: dict[tuple[str, str], bool]) -> tuple[int, list[str]]:
    """How many mutants both have, and those of them whose verdicts differ. Lines are compared."""
    differing, both = [], 0
    for mutant in report["mutants"]:
        lines = [line for line in mutant["diff"].splitlines() if not line.startswith(("---", "+++", "@@"))]
        before = "\n".join(line[1:].strip() for line in lines if line.startswith("-"))
        after = "\n".join(line[1:].strip() for line in lines if line.startswith("+"))
        if (before, after) in verdicts:
            both += 1
            killed = mutant["status"] in ("killed", "timed_out")
            if killed != verdicts[before, after]:
                differing.append(f"line {mutant['line']}: {before} -> {after}: moa {mutant['status']}")
    return both, differing


MEASURES = {"startup": startup, "mutants": mutants, "candidates": candidates}

if __name__ == "__main__":
    sys.exit(main())
