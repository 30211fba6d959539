"""The pytest plug-in beside other ways to run candidates and mutants, and beside other test generators.

Speed: candidates against a process each and CoverUp's command, mutants against mutmut and cosmic-ray, with
verdicts compared; a session in which the plug-in is not used. Worth: suites that pytest-moa, Pynguin and
Hypothesis' ghostwriter write in equal time, and those of pytest-moa and CoverUp with one small local model;
all judged by mutants that no tool here has made, by branches, reruns in other orders, and ruff.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata

from benchmarks.candidates import candidates, slipcover_python
from benchmarks.local_models import LLAMA_CPP, weights
from benchmarks.mutants import COSMIC_RAY, MUTMUT, cosmic_ray_python, mutants, mutmut_python
from benchmarks.peers import NoPython
from benchmarks.plugin import startup
from benchmarks.side_by_side import generators
from benchmarks.side_by_side.comparison import Absent, Comparison, Plot
from benchmarks.side_by_side.generators import COVERUP, HYPOTHESIS, LITELLM, OURS, PYNGUIN, PYTEST
from benchmarks.side_by_side.plugin_speed import Part, candidates_part, mutants_part, startup_part
from benchmarks.side_by_side.plugin_suites import alone_part, in_equal_time, model_part, with_model
from benchmarks.suites import MODULES

#: Seconds for all of it, and what of them is kept for judging the suites that a model helped to write.
BUDGET, JUDGING = 530, 30

#: How an environment fails to be made or a command to run.
CANNOT = (OSError, subprocess.SubprocessError, NoPython, RuntimeError)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="of candidates and mutants")
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--search-seconds", type=float, default=12, help="Pynguin's search for each module")
    parser.add_argument("--modules", nargs="*", default=["toolz", "iniconfig"], help="for generators")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--model-seconds", type=float, default=80, help="for each that asks the model")
    parser.add_argument("--model-module", default="humanize")


def measure(options: argparse.Namespace) -> Comparison:
    _install(options.model)
    ends = time.monotonic() + BUDGET
    absent: list[Absent] = []
    chosen = {module.package: module for module in MODULES}

    def generated() -> Part:
        modules = [chosen[one] for one in options.modules]
        return alone_part(in_equal_time(modules, options.search_seconds, ends))

    def asked() -> Part:
        # Three runs: with the model, CoverUp, and without the model.
        seconds = min(options.model_seconds, (ends - time.monotonic() - JUDGING) / 3)
        if seconds < 30:
            raise TimeoutError(f"{max(0, seconds):.0f} s of {BUDGET} were left, less than an answer takes")
        return model_part(with_model(chosen[options.model_module], options.model, seconds, ends))

    parts: list[Part] = []
    measures: dict[str, Callable[[], Part]] = {
        "a session without the plug-in": lambda: startup_part(startup(5)),
        "CoverUp's command": lambda: candidates_part(candidates(options.rounds, options.candidates)),
        f"{MUTMUT} and {COSMIC_RAY}": lambda: mutants_part(mutants(options.rounds)),
        f"{PYNGUIN} and {HYPOTHESIS}": generated,
        f"{COVERUP} with a local model": asked,
    }
    for beside, part in measures.items():
        began = time.monotonic()
        try:
            parts.append(part())
        except (*CANNOT, AssertionError) as problem:
            absent.append(Absent(beside, str(problem) or type(problem).__name__))
        print(f"Beside {beside}: {time.monotonic() - began:.0f} s.", file=sys.stderr, flush=True)
    return Comparison(
        title="The pytest plug-in beside its peers",
        summary=" ".join(part.sentence for part in parts if part.sentence),
        tables=tuple(table for part in parts for table in part.tables),
        plots=tuple(_plots(parts)),
        goals=tuple(goal for part in parts for goal in part.goals),
        absent=(*absent, *(one for part in parts for one in part.absent)),
        versions={
            OURS: metadata.version("pytest-moa"),
            **dict(one.split() for one in (MUTMUT, COSMIC_RAY, PYNGUIN, HYPOTHESIS, COVERUP)),
            **dict(one.split("==") for one in (LITELLM, PYTEST, LLAMA_CPP)),
            **{module.package: module.version for module in MODULES},
        },
    )


def _install(model: str) -> None:
    """Everything that is needed from the registry, before the time counts."""
    environments = (mutmut_python, cosmic_ray_python, slipcover_python)
    peers = (generators.pynguin, generators.hypothesis, generators.coverup, lambda: weights(model))
    for install in (*environments, *peers):
        with suppress(*CANNOT):  # it is tried, and told, again where it is needed
            install()


def _plots(parts: list[Part]) -> list[Plot]:
    rates = tuple(point for part in parts for point in part.rates)
    scores = tuple(point for part in parts for point in part.scores)
    plots = [
        Plot(
            "rates",
            "bars",
            "Candidates and mutants a second, one worker",
            rates,
            x="",
            y="a second",
            alt="Bars: candidates and mutants a second of pytest-moa and its peers",
        ),
        Plot(
            "scores",
            "bars",
            "Mutants killed by the suites",
            scores,
            x="",
            y="% of the mutants",
            alt="Bars: share of mutants that each generator's kept tests kill, by module",
        ),
    ]
    return [plot for plot in plots if plot.points]
