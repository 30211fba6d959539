"""A committee beside its controls: who sits in each run, and what the runs say together.

With `--config FILE` (a moa.toml with chat members) each module is measured several times, each time with
the deterministic proposers and

    deterministic             no model
    NAME x N                  one member alone, asked as often as the committee has members
    all                       every member, asked once
    deterministic, as long    no model, and all the seconds that the run with all took

No run knows answers of another: a record of its own each, and one deadline for the models of all.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: A run's name, its environment variables, its --moa-seconds: how many tests kill how many mutants.
Measure = Callable[[str, Mapping[str, str], float], dict[str, Any]]

ALONE, ALL, AS_LONG = "deterministic", "all", "deterministic, as long"


def chat_members(config: Path) -> list[str]:
    """The chat members of a moa.toml that are enabled."""
    tables = tomllib.loads(config.read_text(encoding="utf-8")).get("members", {})
    models = ("chat", "local")
    return [
        name
        for name, table in tables.items()
        if table.get("kind", "chat") in models and table.get("enabled", True)
    ]


def runs_of(config: Path, seconds: float, model_seconds: float, measure: Measure) -> dict[str, Any]:
    """All runs on one module."""
    names = chat_members(config)
    found = {ALONE: measure(ALONE, {}, seconds)}
    for name in names:
        run = f"{name} x {len(names)}"
        found[run] = measure(run, _seated(config, names, [name], model_seconds), seconds)
    found[ALL] = measure(ALL, _seated(config, names, names, model_seconds), seconds)
    found[AS_LONG] = measure(AS_LONG, {}, max(seconds, found[ALL]["seconds"]))
    return found


def _seated(config: Path, names: list[str], seated: list[str], model_seconds: float) -> dict[str, str]:
    """Variables for a run with some of the members, each asked so often that all runs ask equally often."""
    variables = {"MOA_CONFIG": str(config.absolute()), "MOA_STRAGGLERS__LAYER_DEADLINE": str(model_seconds)}
    for name in names:
        key = f"MOA_MEMBERS__{name.upper().replace('-', '_').replace('.', '_')}"
        variables[f"{key}__ENABLED"] = "true" if name in seated else "false"
        variables[f"{key}__SAMPLES"] = str(len(names) // len(seated))
    return variables


def together(modules: Mapping[str, Mapping[str, dict[str, Any]]]) -> dict[str, Any]:
    """Every run's sums, and in points what all members add to each control."""
    names = list(next(iter(modules.values())))
    sums = {
        run: {
            key: sum(found[run][key] for found in modules.values())
            for key in ("mutants", "killed", "seconds", "broken", "flaky reruns")
        }
        for run in names
    }
    for run, one in sums.items():
        scores = [found[run]["killed"] / found[run]["mutants"] for found in modules.values()]
        one["mean score"] = round(sum(scores) / len(scores), 4)
    single = [run for run in names if run not in (ALONE, ALL, AS_LONG)]
    best = max(single, key=lambda run: sums[run]["mean score"])
    gains = {
        f"over {run}": round(100 * (sums[ALL]["mean score"] - sums[run]["mean score"]), 1)
        for run in (ALONE, best, AS_LONG)
    }
    return {"in all": sums, "best member alone": best, "points": gains, "goal": 5}
