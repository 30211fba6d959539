"""The offline reviewer: CPU of a small review, of the same again, of --version; memory of large ones.

    python -m benchmarks.review small     CPU seconds of commands, children included
    python -m benchmarks.review large     peak memory and CPU from 1,000 to 50,000 changed lines

Each prints one JSON object. Memory is the largest of the command's processes, not their sum.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LINES_PER_FILE = 1_000
SIZES = (1_000, 5_000, 10_000, 25_000, 50_000)


def measured(command: list[str], folder: Path) -> dict[str, Any]:
    """CPU seconds, wall seconds and peak memory (MB) of one command, and what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MOA_")}
    environ["MOA_RECORD"] = str(folder / "record.sqlite")
    environ["MOA_REVIEW__PROVE"] = "off"
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "wall_s": round(time.perf_counter() - start, 3),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "exit": process.returncode,
        "out": out.decode(),
    }


def review_bot(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("review-bot")), *arguments]


def small(rounds: int) -> dict[str, Any]:
    """The example's change: the median of some rounds of each command."""
    from examples.make_repository import make_repository

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_repository(folder / "parcels")
        review = review_bot("review", "HEAD~1", "--repo", str(folder / "parcels"), "--format", "json")
        first, again, version = [], [], []
        for _ in range(rounds):
            folder.joinpath("record.sqlite").unlink(missing_ok=True)
            first.append(measured(review, folder))
            again.append(measured(review, folder))
            version.append(measured(review_bot("--version"), folder))
    assert json.loads(again[0]["out"])["calls"] == 0
    return {
        "review": {**median(first), "goal_cpu_s": 1.5},
        "same review again": {**median(again), "calls": 0, "goal_wall_s": 1.0},
        "--version": {**median(version), "goal_cpu_s": 0.15},
        "rounds": rounds,
    }


def median(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {
        name: sorted(run[name] for run in runs)[len(runs) // 2] for name in ("cpu_s", "wall_s", "peak_mb")
    }


def large() -> dict[str, Any]:
    """Changes of growing size, in files of a thousand lines."""
    rows = []
    for lines in SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            repository(folder / "large", lines // LINES_PER_FILE)
            command = review_bot("review", "HEAD~1", "--repo", str(folder / "large"), "--format", "json")
            run = measured(command, folder)
            report = json.loads(run.pop("out"))
            rows.append(
                {"lines": lines, **run, "findings": len(report["findings"]), "status": report["status"]}
            )
    first, last = rows[0], rows[-1]
    growth = (last["cpu_s"] - first["cpu_s"]) / (last["lines"] - first["lines"])
    return {
        "rows": rows,
        "peak_mb": max(row["peak_mb"] for row in rows),
        "goal_peak_mb": 400,
        "cpu_ms_per_1000_lines": round(growth * 1e6, 2),
    }


def repository(folder: Path, files: int, lines_per_file: int = LINES_PER_FILE) -> None:
    """Python files of functions of four lines, every line of which changes in the last commit."""
    folder.mkdir()

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    git("init", "--quiet")
    for version in ("1", "2"):
        for number in range(files):
            body = "".join(
                f"def function_{line}(value: int) -> int:\n    total = value + {version}{line}\n"
                f"    print(total, {version})\n    return total * {version}\n"
                for line in range(lines_per_file // 4)
            )
            folder.joinpath(f"module_{number}.py").write_text(
                body.replace("function_", f"function_{version}_")
            )
        git("add", "--all")
        git("commit", "--quiet", "--message", f"version {version}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("small", "large"))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    result = small(args.rounds) if args.what == "small" else large()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
