"""The job of a warm process that has imported the target: search, and yield tests as they are found."""

from __future__ import annotations

import random
import sys
import time
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_moa.code import Probes
from pytest_moa.search.callers import aims_for
from pytest_moa.search.choice import Chooser, Chosen
from pytest_moa.search.examples import program_of, programs_in
from pytest_moa.search.execution import Runner
from pytest_moa.search.generation import Generator
from pytest_moa.search.guard import Guard, guarded
from pytest_moa.search.hunt import Hunt, progress
from pytest_moa.search.program import Program
from pytest_moa.search.rivals import Rivals
from pytest_moa.search.surface import Surface, surface_of
from pytest_moa.search.writing import Writer

#: Shares of the time after which what was found is written down.
CHECKPOINTS = (0.25, 0.5, 0.75, 0.88)
#: Until this share of the time private functions are only called by others, where others reach them.
PUBLIC_ONLY = 0.75


def search(_state: Any, args: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Find tests for functions of an imported module.

    `args`: "module" (dotted name), "path" (of its source), "qualnames" (list, or None for all),
    "seconds", "seed", "seeds" (sources of calls), "known" (ids of mutants that are killed already).

    Yields {"candidate": ..., "kills": [ids], "branches": [ids]} for each test and {"progress": ...}.
    """
    seconds = float(args.get("seconds", 60))
    yield from guarded(lambda guard: _search(args, seconds, guard), seconds + 5)


def _search(args: dict[str, Any], seconds: float, guard: Guard) -> Iterator[dict[str, Any]]:
    began = time.monotonic()
    module = sys.modules[args["module"]]
    with tokenize.open(args["path"]) as file:
        source = file.read()
    surface = surface_of(module, source)
    rng = random.Random(int(args.get("seed", 0)))  # noqa: S311 - repeatable on purpose
    rivals = Rivals(surface, args.get("qualnames"), frozenset(args.get("known", ())))
    probes = Probes.of(source, str(Path(args["path"])))
    probes.install(module)
    runner = Runner(module, watch_warnings="warn" in source)
    generator = Generator(surface, rng)
    hunt = Hunt(surface, generator, runner, probes, rivals, rng, guard)
    if args.get("qualnames") is not None:
        hunt.aims = aims_for(hunt.callers, args["qualnames"])
        outside = {one for one in hunt.aims if surface.callees[one].public} | hunt.callers.alone
        hunt.private_too = not hunt.aims & outside
    chooser = Chooser(hunt, Writer(module), args.get("qualnames"))
    yield {"progress": progress(hunt)}
    for program in _starting(surface, generator, args.get("seeds", ())):
        hunt.safe_point()
        hunt.consider(program)
    for share in CHECKPOINTS:
        hunt.private_too = hunt.private_too or share > PUBLIC_ONLY
        until = began + seconds * share
        while time.monotonic() < until and rivals.live:
            hunt.safe_point()
            hunt.consider(hunt.next_program())
        for chosen in chooser.tests(time.monotonic() + seconds * 0.08):
            yield _event(chosen)
        yield {"progress": progress(hunt)}
    for chosen in chooser.tests(began + seconds * 0.97):
        yield _event(chosen)
    for chosen in chooser.for_branches(began + seconds * 0.98):
        yield _event(chosen)
    yield {"progress": progress(hunt)}


def _starting(surface: Surface, generator: Generator, seeds: Sequence[str]) -> list[Program]:
    programs = [program_of(one, surface) for one in seeds]
    for callee in list(surface.callees.values()):
        programs += programs_in(callee.docstring, callee.qualname, surface)
    found = [one for one in programs if one is not None]
    for program in found:
        for step in program.steps:
            callee_ = generator.callee_of(step, program)
            for at, argument in enumerate(step.arguments):
                if callee_ is None:
                    continue
                if argument.value.source.isidentifier():
                    continue
                parameters = callee_.parameters
                name = argument.name or (parameters[at].name if at < len(parameters) else "")
                generator.seeds[callee_.qualname, name].append(argument.value)
    return found


def _event(chosen: Chosen) -> dict[str, Any]:
    return {
        "candidate": chosen.candidate.to_json(),
        "kills": sorted(chosen.kills),
        "branches": sorted(chosen.branches),
    }
