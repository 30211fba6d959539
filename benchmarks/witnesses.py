"""How many real differences the proof finds, without a model, and whether it invents some.

    python -m benchmarks.witnesses --quixbugs FOLDER --cases FOLDER --seconds 60

`--quixbugs` is a checkout of that project: each program's correct version is the base, the defective one
the head. `--cases` is a folder of cases, each `ID/repo` (a git repository with the tags `base` and `head`)
and `ID/truth.json` with "kind" ("bug" or "clean"). Prints JSON. The dependencies of the cases' projects
must be installed in the environment that runs this. With `--config FILE`, a moa.toml, its chat members
propose calls where the search alone found nothing (`asked_calls`).
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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.asked_calls import asked_for_calls
from moa_engine.errors import MoaError
from pytest_moa.proof.behaviour import BehaviourChange, Proof
from pytest_moa.proof.prove import Sides, prove


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quixbugs", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="", help="ids or programs, separated by commas")
    parser.add_argument("--config", type=Path, help="a moa.toml with chat members, who propose calls")
    parser.add_argument("--model-seconds", type=float, default=300, help="for a round of their answers")
    parser.add_argument("--out", type=Path, help="a folder for each comparison's proof")
    given = parser.parse_args(arguments)
    only = frozenset(filter(None, given.only.split(",")))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, kind, sides in _all(given, Path(scratch)):
            if only and name not in only:
                continue
            row = measured(name, kind, sides, given)
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    print(json.dumps({"summary": summary(rows), "rows": rows}, indent=1))
    return 0


def _all(given: argparse.Namespace, scratch: Path) -> Iterator[tuple[str, str, Sides]]:
    if given.quixbugs:
        yield from quixbugs(given.quixbugs, scratch)
    if given.cases:
        yield from cases(given.cases, scratch)


def quixbugs(folder: Path, scratch: Path) -> Iterator[tuple[str, str, Sides]]:
    """The pairs; the tests of that project are left out."""
    for head in sorted((folder / "python_programs").glob("*.py")):
        base = folder / "correct_python_programs" / head.name
        if head.stem.endswith("_test") or head.stem in ("node", "__init__") or not base.is_file():
            continue
        sides = Sides(scratch / "quixbugs" / head.stem / "base", scratch / "quixbugs" / head.stem / "head")
        for side, file in ((sides.base, base), (sides.head, head)):
            side.mkdir(parents=True)
            shutil.copy(file, side)
        yield head.stem, "quixbugs", sides


def cases(folder: Path, scratch: Path) -> Iterator[tuple[str, str, Sides]]:
    """The cases, both commits as plain folders."""
    for case in sorted(folder.iterdir()):
        truth = json.loads((case / "truth.json").read_text())
        sides = Sides(scratch / case.name / "base", scratch / case.name / "head")
        for tag, side in (("base", sides.base), ("head", sides.head)):
            side.mkdir(parents=True)
            archive = subprocess.run(
                ["git", "-C", str(case / "repo"), "archive", tag], check=True, capture_output=True
            )
            subprocess.run(["tar", "-x", "-C", str(side)], input=archive.stdout, check=True)
        yield case.name, truth["kind"], sides


def measured(name: str, kind: str, sides: Sides, given: argparse.Namespace) -> dict[str, Any]:
    """One comparison; when the first witness was there, and what was found."""
    seconds: float = given.seconds
    out: Path | None = given.out
    began = time.monotonic()
    times: list[float] = []

    def found(_: BehaviourChange) -> None:
        times.append(round(time.monotonic() - began, 1))

    asked: dict[str, Any] = {}
    try:
        proof = prove(sides, None, seconds=seconds, found=found)
        if given.config and not proof.changes:
            with tempfile.TemporaryDirectory() as scratch:
                record = Path(scratch, "record.sqlite")
                config: Path = given.config
                asked = asked_for_calls(config, record, sides, proof, seconds, given.model_seconds, found)
            proof = replace(proof, changes=tuple(asked.pop("changes")))
        error = ""
    except MoaError as problem:
        proof, error = Proof(), problem.message
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.json").write_text(
            json.dumps({"times": times, "asked": asked, **proof.to_json()}, indent=1)
        )
    return {
        "name": name,
        "kind": kind,
        "witnesses": len(proof.changes),
        "differs": sorted({one.differs for one in proof.changes}),
        "ranks": sorted((one.rank for one in proof.changes), reverse=True),
        "found_by": sorted({by for one in proof.changes for by in one.found_by}),
        "first_after": times[0] if times else None,
        "executions": sum(one.executions for one in proof.searched),
        "seconds": round(time.monotonic() - began, 1),
        "error": error,
        **({"asked": bool(asked)} if given.config else {}),
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts by kind, and how many comparisons each proposer found a witness in."""
    found: dict[str, Any] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        mine = [row for row in rows if row["kind"] == kind]
        hits = [row for row in mine if row["witnesses"]]
        by = Counter(name for row in hits for name in row["found_by"])
        found[kind] = {
            "comparisons": len(mine),
            "with_witness": len(hits),
            "share": round(len(hits) / len(mine), 3),
            "found_by": dict(by.most_common()),
            "differs": dict(Counter(one for row in hits for one in row["differs"]).most_common()),
            **({"with_members": [row["name"] for row in hits if row["asked"]]} if "asked" in mine[0] else {}),
            "missed": [row["name"] for row in mine if not row["witnesses"]],
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
