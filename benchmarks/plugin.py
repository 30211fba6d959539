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
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.candidates import candidates
from benchmarks.mutants import mutants


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


MEASURES = {"startup": startup, "mutants": mutants, "candidates": candidates}

if __name__ == "__main__":
    sys.exit(main())
