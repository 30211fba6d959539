"""Make a program smaller and more natural while it still kills the same mutants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from pytest_moa.search.hunt import Hunt, Known
from pytest_moa.search.neighbours import simpler
from pytest_moa.search.program import Argument, Program

#: Variants that are tried for one program, and seconds.
MOST_TRIED, SECONDS = 500, 0.6


def shrunk(hunt: Hunt, known: Known, wanted: frozenset[str]) -> Known:
    """The smallest variant found that still kills the wanted mutants; `known` itself if there is none."""
    best, tried, until = known, 0, time.monotonic() + SECONDS
    order = sorted(wanted)  # the mutants that variants fail at first come first
    seen = {known.program.source}
    progressing = True
    while progressing:
        progressing = False
        cost = hunt.cost_of(best.program)
        for variant in variants(best.program, hunt):
            if variant.source in seen or hunt.cost_of(variant) >= cost:
                continue
            seen.add(variant.source)
            tried += 1
            if tried > MOST_TRIED or time.monotonic() > until:
                return best
            smaller = _still(hunt, best, variant, order)
            if smaller is not None:
                best, progressing = smaller, True
                break
    return best


def _still(hunt: Hunt, known: Known, variant: Program, wanted: list[str]) -> Known | None:
    found = hunt.run_original(variant)
    if found is None:
        return None
    program, run, hits, seconds = found
    if (run.raised is not None) != known.raised or (
        run.raised is not None and not run.deliberate and not known.accidental
    ):
        return None
    for position, name in enumerate(wanted):
        if not hunt.tells(program, run.facts, name, seconds):
            wanted.insert(0, wanted.pop(position))
            return None
    facts = hunt.stable(program, run.facts)
    if len(facts) < len(run.facts) and not all(hunt.tells(program, facts, name, seconds) for name in wanted):
        return None
    made = hunt._known(program, run, facts, hits, seconds)
    made.kills = set(wanted)
    return made


def variants(program: Program, hunt: Hunt) -> Iterator[Program]:
    """Smaller programs: without a step, without an argument, with a simpler argument."""
    for index in range(len(program.steps) - 1):
        smaller = program.without(index)
        if smaller is not None:
            yield smaller
    for index, step in enumerate(program.steps):
        for at, argument in enumerate(step.arguments):
            if not step.form and (argument.name or at == len(step.arguments) - 1):
                fewer = (*step.arguments[:at], *step.arguments[at + 1 :])
                yield program.with_step(index, replace(step, arguments=fewer))
    for index, step in enumerate(program.steps):
        for at, argument in enumerate(step.arguments):
            if step.role == "world":
                continue
            callee = hunt.generator.callee_of(step, program)
            for other in [*hunt.taste.natural(callee, step, at), *simpler(argument.value)]:
                arguments = list(step.arguments)
                arguments[at] = Argument(argument.name, other)
                yield program.with_step(index, replace(step, arguments=tuple(arguments)))
