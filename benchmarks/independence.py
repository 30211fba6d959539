"""How often intervals hold the truth, and how far effective votes are from it, with simulated members.

    python -m benchmarks.independence                  all, 200 repetitions of each
    python -m benchmarks.independence --repetitions 1000

The members' errors correlate as one asks for; the truth is an integral, not an estimate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.share_intervals import shares
from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.independence import independence
from moa_engine.bench.measures import measures
from moa_engine.bench.simulated import (
    SimulatedMember,
    alike,
    simulate,
    true_effective_votes,
    true_mean_phi,
    true_phi,
)

MEMBERS = 5
PHIS = (0.0, 0.3, 0.6, 0.9)
ERROR_RATE = 0.3

#: Cases, hunks a case, and how much of their difficulty they share.
DESIGNS = {
    "400 cases of one hunk": (400, 1, 0.0),
    "400 cases of five hunks": (400, 5, 0.5),
    "40 cases of five hunks": (40, 5, 0.5),
}

#: Different skills and different correlations in one panel.
MIXED = [
    SimulatedMember(rate, loading)
    for rate, loading in ((0.1, 0.3), (0.2, 0.9), (0.3, 0.6), (0.4, 0.95), (0.5, 0.0))
]


def coverage(repetitions: int) -> dict[str, Any]:
    found = {}
    for name, (cases, hunks, shared) in DESIGNS.items():
        panels = {f"phi {phi}": [alike(phi, ERROR_RATE)] * MEMBERS for phi in PHIS} | {"mixed": MIXED}
        found[name] = {
            panel: _held(members, cases, hunks, shared, repetitions) for panel, members in panels.items()
        }
    return found


def _held(
    members: Sequence[SimulatedMember], cases: int, hunks: int, shared: float, repetitions: int
) -> dict[str, Any]:
    mean, votes = true_mean_phi(members), true_effective_votes(members)
    pairs = [(one, other) for one in range(len(members)) for other in range(one)]
    truth = {pair: true_phi(members[pair[0]], members[pair[1]]) for pair in pairs}
    held = {"mean phi": 0, "effective votes": 0, "phi of a pair": 0}
    off: list[float] = []
    for seed in range(repetitions):
        table = simulate(members, cases=cases, hunks_a_case=hunks, shared_in_case=shared, seed=seed)
        found = independence(table)
        assert found.mean_phi is not None
        assert found.effective_votes is not None
        held["mean phi"] += found.mean_phi.low <= mean <= found.mean_phi.high
        held["effective votes"] += found.effective_votes.low <= votes <= found.effective_votes.high
        for one, other in pairs:
            phi = found.phi(one, other)
            held["phi of a pair"] += phi is not None and phi.low <= truth[one, other] <= phi.high
        off.append(found.effective_votes.value / votes - 1)
    of = {"mean phi": repetitions, "effective votes": repetitions, "phi of a pair": repetitions * len(pairs)}
    return {
        "truth": {"mean phi": round(mean, 4), "effective votes": round(votes, 4)},
        "held": {name: round(times / of[name], 4) for name, times in held.items()},
        "effective votes, mean off by": round(statistics.mean(off), 4),
        "effective votes, within 10 %": round(sum(abs(one) <= 0.1 for one in off) / repetitions, 4),
    }


def speed() -> dict[str, Any]:
    table = simulate([alike(0.5, ERROR_RATE)] * 12, cases=2000, hunks_a_case=5, shared_in_case=0.5, seed=1)
    start = time.process_time()
    independence(table)
    between = time.process_time()
    measures(_result(table))
    return {
        "what": "12 members, 10,000 hunks: seconds of CPU",
        "independence": round(between - start, 2),
        "all measures": round(time.process_time() - between, 2),
    }


def _result(table: ErrorTable) -> dict[str, Any]:
    """A result file of these members: every third hunk is clean."""
    hunks = [
        {
            "id": str(hunk),
            "case": str(case),
            "kind": "planted" if hunk % 3 else "clean",
            "defect": "off-by-one",
        }
        for hunk, case in enumerate(table.case_of)
    ]
    panels = [
        {
            "name": name,
            "what": "member",
            "calls": table.cases,
            "verdicts": [_verdict(hunk, bool(wrong)) for hunk, wrong in enumerate(row)],
        }
        for name, row in zip(table.members, table.wrong, strict=True)
    ]
    return {"cases": {"hunks": hunks}, "panels": panels}


def _verdict(hunk: int, wrong: bool) -> dict[str, Any]:
    said = {"named": not wrong, "accused": not wrong} if hunk % 3 else {"named": False, "accused": wrong}
    confidence = (hunk % 10) / 10 if said["accused"] else None
    return {"hunk": str(hunk), **said, "by_place": said["named"], "confidence": confidence, "findings": []}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=200)
    args = parser.parse_args()
    result = {
        "what": f"{MEMBERS} members, error rate {ERROR_RATE}, {args.repetitions} repetitions; nominal 0.95",
        "coverage": coverage(args.repetitions),
        "shares held": shares(args.repetitions),
        "speed": speed(),
        "goals": {"held": 0.93, "effective votes, mean off by": 0.1, "seconds": 10},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
