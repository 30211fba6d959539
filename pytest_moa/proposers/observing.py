"""A job of a warm process: make calls, and write down what they do as tests.

Runs inside a confined child, next to the search, whose parts it uses.
"""

from __future__ import annotations

import random
import sys
import time
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_moa.candidate import Candidate
from pytest_moa.search.examples import program_of
from pytest_moa.search.execution import Key, Run, Runner
from pytest_moa.search.generation import Generator
from pytest_moa.search.neighbours import neighbour
from pytest_moa.search.program import Argument, Program
from pytest_moa.search.surface import Surface, parameter_of, surface_of
from pytest_moa.search.taste import is_allowed
from pytest_moa.search.trial import passes
from pytest_moa.search.writing import Unwritable, Writer
from pytest_moa.values import Expression

#: Neighbours of each argument of a recorded call, and generated calls that are tried as a base.
_NEIGHBOURS, _BASES = 3, 30


def observe(_: Any, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make calls of a function and yield {"candidate": ...} for each that can be written as a test.

    `args`: "module", "path" (of its source), "qualname", "calls" (sources), "values" (sources to try for
    each parameter, one parameter at a time, in the first call that works), "vary" (whether arguments of
    calls are varied, too), "seconds".
    """
    until = time.monotonic() + float(args["seconds"])
    module = sys.modules[args["module"]]
    with tokenize.open(args["path"]) as file:
        surface = surface_of(module, file.read())
    runner = Runner(module)
    writer = Writer(module)
    seen: set[str] = set()
    for program in _programs(args, surface, runner):
        if time.monotonic() > until:
            return
        if program.source in seen:
            continue
        seen.add(program.source)
        candidate = _written(program, runner, writer, _is_misfit(program, surface))
        if candidate is not None:
            target = f"{args['module']}:{args['qualname']}"
            yield {"candidate": replace(candidate, target=target).to_json()}


def _programs(args: Mapping[str, Any], surface: Surface, runner: Runner) -> Iterator[Program]:
    generator = Generator(surface, random.Random(0))  # noqa: S311 - variety, not security
    given = [program_of(source, surface, args["qualname"]) for source in args["calls"]]
    calls = [program for program in given if program is not None]
    yield from calls
    if args["vary"]:
        for program in calls:
            yield from _varied(program, generator, surface)
    if args["values"]:
        base = _base(calls, args["qualname"], generator, surface, runner)
        if base is not None:
            yield from _with_values(base, args["values"], surface)


def _varied(program: Program, generator: Generator, surface: Surface) -> Iterator[Program]:
    """The program with one argument of its last call changed a little."""
    step = program.steps[-1]
    callee = surface.callees.get(program.target)
    if callee is None:
        return
    inputs = generator.inputs_for(callee)
    for at, argument in enumerate(step.arguments):
        for _try in range(_NEIGHBOURS):
            if (other := neighbour(argument.value, inputs)) is not None:
                yield _with_argument(program, at, Argument(argument.name, other))


def _base(
    calls: Sequence[Program], qualname: str, generator: Generator, surface: Surface, runner: Runner
) -> Program | None:
    """A call that returns, to change one argument of at a time."""
    callee = surface.callees.get(qualname)
    if callee is None:
        return None
    made = [generator.program(callee) for _ in range(_BASES)]
    made.sort(key=lambda program: program.cost)
    for program in (*calls, *made):
        run = runner.run(program)
        if run.raised is None and not run.timed_out:
            return program
    return None


def _with_values(base: Program, values: Mapping[str, Sequence[str]], surface: Surface) -> Iterator[Program]:
    step = base.steps[-1]
    callee = surface.callees.get(base.target)
    names = [parameter.name for parameter in callee.parameters] if callee is not None else []
    for at, argument in enumerate(step.arguments):
        name = argument.name or (names[at] if at < len(names) else "")
        for source in values.get(name, ()):
            yield _with_argument(base, at, Argument(argument.name, Expression(source)))
    given = {
        argument.name or names[at]
        for at, argument in enumerate(step.arguments)
        if argument.name or at < len(names)
    }
    for name in names:
        if name not in given:
            for source in values.get(name, ()):
                added = Argument(name, Expression(source))
                yield base.with_step(len(base.steps) - 1, replace(step, arguments=(*step.arguments, added)))


def _with_argument(program: Program, at: int, argument: Argument) -> Program:
    step = program.steps[-1]
    arguments = (*step.arguments[:at], argument, *step.arguments[at + 1 :])
    return program.with_step(len(program.steps) - 1, replace(step, arguments=arguments))


def _is_misfit(program: Program, surface: Surface) -> bool:
    """Whether the last call has an argument of another kind than declared."""
    callee = surface.callees.get(program.target)
    step = program.steps[-1]
    if callee is None or step.form:
        return False
    given = ((parameter_of(callee, one.name, at), one) for at, one in enumerate(step.arguments))
    return any(known and not is_allowed(one.value.source, known.declared) for known, one in given)


def _written(program: Program, runner: Runner, writer: Writer, misfit: bool) -> Candidate | None:
    """The test that holds what the program does, if that is the same twice and can be written.

    With an argument of another kind than declared only a deliberate exception is worth a test.
    """
    run = runner.run(program, write=True)
    again = runner.run(program)
    if run.timed_out or again.timed_out or (run.raised is not None and not run.deliberate):
        return None
    if misfit and run.raised is None:
        return None
    keys = _keys(program, run, again)
    try:
        candidate = writer.candidate(program, run, keys) if keys else None
    except Unwritable:
        return None
    if candidate is None or not passes(candidate):
        return None
    writer.taken.add(candidate.name)
    return candidate


def _keys(program: Program, run: Run, again: Run) -> list[Key]:
    """What is asserted: the result, or else up to three of its attributes; an error's type and message."""
    same = {key for key, seen in run.facts.items() if again.facts.get(key) == seen}
    if run.raised is not None:
        return [key for key in (("raised", "type"), ("raised", "message")) if key in same]
    last = len(program.steps) - 1
    written = run.written or {}
    if (last, "{}") in same and written.get((last, "{}")) is not None:
        return [(last, "{}")]
    parts = [
        key for key in same if key[0] == last and key[1].startswith("{}.") and written.get(key) is not None
    ]
    return sorted(parts, key=lambda key: (len(key[1]), key[1]))[:3]
