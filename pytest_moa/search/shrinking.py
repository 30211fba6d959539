"""Make a program smaller and more natural while it still kills the same mutants."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from pytest_moa.search.hunt import Hunt, Known
from pytest_moa.search.neighbours import literal, simpler
from pytest_moa.search.program import READ, Argument, Program
from pytest_moa.values import Expression

#: Variants that are tried for one program, and seconds.
MOST_TRIED, SECONDS = 500, 0.6
#: The share of the mutants that may get lost, for a step that makes it cheaper by this much.
SPARE, WORTH_IT = 0.04, 4.0
#: Tried in the place of calls and names.
_PLAIN = tuple(map(Expression, ('"hello"', '"name"', "1", "None", '""', "[]", "{}")))


def shrunk(hunt: Hunt, known: Known, wanted: frozenset[str]) -> Known:
    """The smallest variant found that still kills the wanted mutants; `known` itself if there is none.

    Of many mutants a few may get lost if that makes it more natural: `kills` says what is left.
    """
    best, tried, until = known, 0, time.monotonic() + SECONDS
    order = sorted(wanted)  # the mutants that variants fail at first come first
    spare = int(len(order) * SPARE)
    seen = {known.program.source}
    progressing = True
    while progressing:
        progressing = False
        cost = hunt.cost_of(best.program)
        for variant in variants(best.program, hunt):
            if variant.source in seen:
                continue
            gain = cost - hunt.cost_of(variant)
            if gain <= 0:
                continue
            seen.add(variant.source)
            tried += 1
            if tried > MOST_TRIED or time.monotonic() > until:
                return best
            smaller = _still(hunt, best, variant, order, spare if gain > WORTH_IT else 0)
            if smaller is not None:
                best, progressing = smaller, True
                lost = [name for name in order if name not in best.kills]
                spare -= len(lost)
                order = [name for name in order if name in best.kills]
                break
    return best


def _still(hunt: Hunt, known: Known, variant: Program, wanted: list[str], spare: int) -> Known | None:
    found = hunt.run_original(variant)
    if found is None:
        return None
    program, run, hits, seconds = found
    if hunt.is_misfit(program) and (run.raised is None or not run.deliberate):
        return None
    if (run.raised is not None) != known.raised or (
        run.raised is not None and not run.deliberate and not known.accidental
    ):
        return None
    lost: set[str] = set()
    for position, name in enumerate(wanted):
        if not hunt.tells(program, run.facts, name, seconds):
            lost.add(name)
            if len(lost) > spare:
                wanted.insert(0, wanted.pop(position))
                return None
    kept = [name for name in wanted if name not in lost]
    facts = hunt.stable(program, run.facts)
    if len(facts) < len(run.facts) and not all(hunt.tells(program, facts, name, seconds) for name in kept):
        return None
    made = hunt._known(program, run, facts, hits, seconds)
    made.kills = set(kept)
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
    given = {step.name for step in program.steps}
    for index, step in enumerate(program.steps):
        if step.form == READ and step.role == "given":
            for other in simpler(Expression(step.callee)):
                yield program.with_step(index, replace(step, callee=other.source))
        for at, argument in enumerate(step.arguments):
            if step.role == "world":
                continue
            callee = hunt.generator.callee_of(step, program)
            plain = [] if literal(argument.value.source)[0] or argument.value.source in given else _PLAIN
            for other in [*hunt.taste.natural(callee, step, at), *plain, *simpler(argument.value)]:
                arguments = list(step.arguments)
                arguments[at] = Argument(argument.name, other)
                yield program.with_step(index, replace(step, arguments=tuple(arguments)))
