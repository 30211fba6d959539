"""Programs for the entries of one module, as source: drawn from what its code says, or near to known ones."""

from __future__ import annotations

import ast
import contextlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_moa.proof import running, structures
from pytest_moa.proof.kinds import Draw, Kinds
from pytest_moa.proof.snippet import ARGUMENT, END, SEEN, instrumented
from pytest_moa.search.examples import program_of, programs_in
from pytest_moa.search.generation import Generator
from pytest_moa.search.inputs import tokens_of
from pytest_moa.search.program import Program, Step
from pytest_moa.search.surface import Callee, Surface
from pytest_moa.search.variation import Variation

#: Seconds for learning which arguments construct the module's classes.
LEARNING = 0.25


def generate(state: Mapping[str, Any], args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Make "count" programs for "qualnames" of "module", by "seed".

    "known" are sources of programs to be near to, each with its proposer; "constants" are sources of the
    other version's. "mode" is "docstrings" (only those), or "search". Gives [{"source", "code",
    "imports", "qualname", "by"}].
    """
    surface: Surface = state["surfaces"][args["module"]]
    _add_constants(surface, args["qualnames"], [ast.literal_eval(one) for one in args["constants"]])
    rng = random.Random(args["seed"])  # noqa: S311 - repeatable on purpose
    generator = Generator(surface, rng)
    wanted = _callees(surface, args["qualnames"])
    examples = [
        (example, ("docstrings",))
        for callee in surface.callees.values()
        for example in programs_in(callee.docstring, callee.qualname, surface)
    ]
    examples = [(_spoken(program), by) for program, by in examples]
    if args["mode"] == "docstrings":
        return list(_written(examples))
    known = [(program_of(one["source"], surface), tuple(one["by"])) for one in args["known"]]
    starts = [*((program, by) for program, by in known if program is not None), *examples]
    _learn_arguments(generator, [program for program, _ in starts])
    _learn_constructors(generator, surface, rng)
    made = list(_made(generator, wanted, starts, args["count"], rng))
    return [
        *_written(made),
        *_untyped(surface, wanted, args["count"] // 3, rng),
        *_entered(generator, wanted, args["count"] // 6),
    ]


def _made(
    generator: Generator,
    wanted: Sequence[str],
    starts: Sequence[tuple[Program, tuple[str, ...]]],
    count: int,
    rng: random.Random,
) -> Iterator[tuple[Program, tuple[str, ...]]]:
    near = [(program, by) for program, by in starts if program.target in wanted] or list(starts)
    variation = Variation(generator)
    for _ in range(count):
        if near and rng.random() < 0.5:
            program, by = rng.choice(near)
            changed: Program | None = program
            for _ in range(rng.choice((1, 1, 2, 3))):
                changed = variation.neighbour(changed) or changed if changed is not None else None
            if changed is not None and changed.steps:
                yield changed, (*by, "amplified")
        elif wanted:
            callee = generator.surface.callees[rng.choice(wanted)]
            with contextlib.suppress(KeyError, IndexError):
                drawn = _spoken(generator.program(callee))
                if drawn.steps:
                    yield drawn, ("annotations", "literals")


def _untyped(
    surface: Surface, wanted: Sequence[str], count: int, rng: random.Random
) -> Iterator[dict[str, Any]]:
    """Calls of functions whose parameters have no annotations."""
    functions = [
        callee
        for callee in (surface.callees[name] for name in wanted)
        if callee.kind == "function" and callee.qualname in surface.clues and _unannotated(surface, callee)
    ]
    for callee in functions:
        node = surface.clues[callee.qualname].node
        links = structures.links_of(node)
        if links is not None:
            sources = [
                structures.program(callee.name, node, links, rng) for _ in range(count // len(functions))
            ]
        else:
            sources = list(_accepted(surface, callee, count // len(functions), rng))
        for source in dict.fromkeys(sources):
            yield {
                "source": source,
                "code": "",
                "imports": [],
                "qualname": callee.qualname,
                "by": ["search"],
            }


def _entered(generator: Generator, wanted: Sequence[str], count: int) -> Iterator[dict[str, Any]]:
    """Context managers of the module entered, inside themselves too, and what it tells meanwhile."""
    surface, rng = generator.surface, generator.rng
    managers = [
        callee
        for callee in (surface.callees[name] for name in wanted)
        if callee.kind == "function" and _is_manager(surface, callee)
    ]
    free = [
        callee
        for callee in surface.callees.values()
        if callee.kind == "function" and callee.public and not any(one.required for one in callee.parameters)
    ]
    tellers = [f"{callee.name}()" for callee in free if callee not in managers]
    setters = [
        callee
        for callee in surface.callees.values()
        if callee.kind == "function" and callee.name.startswith("set")
    ]
    for _ in range(count if managers else 0):
        callee = rng.choice(managers)
        call = generator.program(callee).source.splitlines()[-1]
        others = [generator.program(one).source for one in rng.sample(setters, min(1, len(setters)))]
        before = [one for one in others if "\n" not in one and rng.random() < 0.3]
        after = rng.sample(tellers, min(2, len(tellers)))
        inner = [f"with {call}:", "    pass"] if rng.random() < 0.6 else ["pass"]
        lines = [*before, f"with {call}:", *(f"    {line}" for line in (*inner, *after)), *after]
        yield {
            "source": "\n".join(lines),
            "code": "",
            "imports": [],
            "qualname": callee.qualname,
            "by": ["search"],
        }


def _is_manager(surface: Surface, callee: Callee) -> bool:
    clues = surface.clues.get(callee.qualname)
    return clues is not None and any(
        "contextmanager" in ast.unparse(one) for one in clues.node.decorator_list
    )


def _unannotated(surface: Surface, callee: Callee) -> bool:
    given = surface.clues[callee.qualname].node.args
    return all(one.annotation is None for one in (*given.posonlyargs, *given.args))


def _accepted(surface: Surface, callee: Callee, count: int, rng: random.Random) -> Iterator[str]:
    """Calls with arguments of kinds that the function seems to accept."""
    names = [one.name for one in callee.parameters if one.required and one.kind in ("either", "positional")]
    texts = [one for one in callee.constants if isinstance(one, str)]
    texts = [*texts, *tokens_of(texts), *surface.tokens]
    numbers = [one for one in callee.constants if isinstance(one, int)]
    kinds = Kinds(names, Draw(rng, texts, numbers))
    if not names:
        return
    until = time.monotonic() + LEARNING
    found = 0
    for source, chosen in kinds.calls(callee.name, 20 * count):
        if found >= count or time.monotonic() > until:
            break
        ran = running.run(f"{SEEN}(0, {source}, 'value')", surface.module, (), 0.03)
        good = ran.raised is None and not ran.timed_out
        kinds.learn(chosen, 1.5 if good else 0.8)
        if good or rng.random() < 0.1:
            found += 1
            yield source


def _spoken(program: Program) -> Program:
    """The program with `x(...)` for `x.__call__(...)`."""
    steps = tuple(
        replace(step, callee=step.callee.removesuffix(".__call__")) if not step.form else step
        for step in program.steps
    )
    return replace(program, steps=steps)


def _callees(surface: Surface, qualnames: Sequence[str]) -> list[str]:
    """The callees that the entries are: of a class its constructor and all that is public."""
    found: dict[str, None] = {}
    for qualname in qualnames:
        owner, _, name = qualname.rpartition(".")
        if qualname in surface.callees:
            found[qualname] = None
        elif name in ("__init__", "__new__", "__post_init__", "__attrs_post_init__"):
            found[f"{owner}()"] = None
        if qualname in surface.classes:
            found[f"{qualname}()"] = None
            found.update(
                (one.qualname, None)
                for one in surface.callees.values()
                if one.owner == qualname and one.public
            )
    return [one for one in found if one in surface.callees]


def _add_constants(surface: Surface, qualnames: Sequence[str], constants: Sequence[Any]) -> None:
    surface.constants = [*surface.constants, *constants]
    surface.tokens = [*surface.tokens, *tokens_of(constants)]
    for name, callee in surface.callees.items():
        if callee.qualname.removesuffix("()") in qualnames or name in qualnames:
            surface.callees[name] = replace(
                callee, constants=tuple(dict.fromkeys((*callee.constants, *constants)))
            )


def _learn_arguments(generator: Generator, programs: Sequence[Program]) -> None:
    for program in programs:
        for step in program.steps:
            callee = generator.callee_of(step, program)
            if callee is None:
                continue
            if callee.kind == "constructor" and step.arguments not in generator.made[callee.owner]:
                generator.made[callee.owner].append(step.arguments)
            for at, argument in enumerate(step.arguments):
                name = argument.name or (callee.parameters[at].name if at < len(callee.parameters) else "")
                if not argument.value.source.isidentifier():
                    generator.seeds[callee.qualname, name].append(argument.value)


def _learn_constructors(generator: Generator, surface: Surface, rng: random.Random) -> None:
    until = time.monotonic() + LEARNING
    names = list(surface.classes)
    rng.shuffle(names)
    for name in names * 12:
        if time.monotonic() > until:
            break
        if len(generator.made[name]) > 8:
            continue
        program = generator.program(surface.callees[f"{name}()"])
        ran = running.run(_code(program), surface.module, sorted(program.imports), 0.05)
        arguments = program.steps[0].arguments
        if ran.raised is None and not ran.timed_out and arguments not in generator.made[name]:
            generator.made[name].append(arguments)


def _written(
    programs: Sequence[tuple[Program, tuple[str, ...]]],
) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for program, by in programs:
        if any(step.role == "world" for step in program.steps):
            continue
        source = program.source
        if source in seen:
            continue
        seen.add(source)
        try:
            code = _code(program)
        except (SyntaxError, ValueError, RecursionError):
            continue
        yield {
            "source": source,
            "code": code,
            "imports": sorted(program.imports),
            "qualname": program.target.removesuffix("()"),
            "by": list(by),
        }


def _code(program: Program) -> str:
    """The program with its observations; by text, as parsing it takes longer than running it."""
    if any(step.is_statement or "\n" in step.source for step in program.steps):
        return ast.unparse(instrumented(ast.parse(program.source)))
    lines = [_line(number, step) for number, step in enumerate(program.steps)]
    names = tuple(dict.fromkeys(step.name for step in program.steps if step.name))
    return "\n".join([*lines, f"{END}(locals(), {names!r})"] if names else lines)


def _line(number: int, step: Step) -> str:
    expression = step.expression
    if not step.form and not step.wrap:
        given = []
        for index, one in enumerate(step.arguments):
            source = one.value.source
            if not one.name and source[:1] in "[{":
                source = f"{ARGUMENT}({number}, {index}, {source})"
            given.append(f"{one.name}={source}" if one.name else source)
        expression = f"{step.callee}({', '.join(given)})"
    if step.name:
        return f"{step.name} = {SEEN}({number}, {expression}, 'assigned')"
    return f"{SEEN}({number}, {expression}, 'value')"
