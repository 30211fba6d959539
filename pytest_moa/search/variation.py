"""Programs near to one that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_moa.search.clocks import MOMENT, still
from pytest_moa.search.generation import Generator
from pytest_moa.search.neighbours import literal, neighbour
from pytest_moa.search.program import Argument, Program, Step
from pytest_moa.search.surface import Callee, parameter_of
from pytest_moa.search.taste import is_allowed
from pytest_moa.values import Expression

#: Arguments by keyword that a call has, unless more are required.
MOST_OPTIONS = 4


@dataclass(frozen=True, slots=True)
class Variation:
    """Varies programs, with a generator's means."""

    generator: Generator

    def neighbour(self, program: Program) -> Program | None:
        """A program near to one: an argument varied, drawn anew, dropped or added; a call too."""
        near = self._neighbour(program)
        return near and self.generator.complete(near)

    def _neighbour(self, program: Program) -> Program | None:
        rng = self.generator.rng
        if not program.steps:
            return None
        chance = rng.random()
        weights = [1 + len(step.arguments) for step in program.steps]
        index = rng.choices(range(len(program.steps)), weights)[0]
        step = program.steps[index]
        if chance < 0.08 and len(program.steps) > 1:
            return program.without(rng.randrange(len(program.steps) - 1))
        if self.generator.clocks and rng.random() < 0.12 and len(program.steps) < 7:
            return self._at_another_time(program)
        if chance < 0.16 and 1 < len(program.steps) < 6:
            return self._with_more(program)
        callee = self.generator.callee_of(step, program)
        if chance < 0.4 and callee is not None and not step.form:
            return program.with_step(index, self._rearranged(step, callee, program.steps[:index]))
        if not step.arguments:
            return None
        inputs = self.generator.inputs_for(callee or self.generator.surface.callees[program.target])
        at = rng.randrange(len(step.arguments))
        changed: Expression | None = None
        declared = callee and parameter_of(callee, step.arguments[at].name, at)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            near = neighbour(changed or step.arguments[at].value, inputs)
            if near and (not declared or is_allowed(near.source, declared.declared) or rng.random() < 0.1):
                changed = near
        if changed is None:
            if callee is None:
                return None
            parameter = parameter_of(callee, step.arguments[at].name, at)
            changed = (
                self.generator.argument(callee, parameter, list(program.steps[:index])) if parameter else None
            )
        if changed is None:
            return None
        arguments = list(step.arguments)
        arguments[at] = Argument(arguments[at].name, changed)
        return program.with_step(index, replace(step, arguments=tuple(arguments)))

    def _at_another_time(self, program: Program) -> Program:
        """The clock moves on, or back, before one of the later steps."""
        rng = self.generator.rng
        if not any(step.role == "world" and step.form for step in program.steps):
            program = replace(
                program, steps=(*(still(name, MOMENT) for name in self.generator.clocks), *program.steps)
            )
        first = next(step for step in program.steps if step.role == "world" and step.form)
        known, moment = literal(first.arguments[0].value.source)
        if not known or not isinstance(moment, (int, float)):
            return program
        later = int(moment) + rng.choice((1, 10, 60, 100, 3600, 86400, -1, -60, -3600))
        at = rng.randint(1, len(program.steps) - 1)
        moved = replace(first, arguments=(Argument("", Expression(str(later))),))
        return replace(program, steps=(*program.steps[:at], moved, *program.steps[at:]))

    def _with_more(self, program: Program) -> Program:
        steps = list(program.steps)
        owner = self.generator.surface.callees[program.target].owner
        methods = [
            one
            for one in self.generator.surface.callees.values()
            if one.owner == owner and one.kind == "method" and one.public
        ]
        made = next((at for at, step in enumerate(steps) if step.callee == owner and step.name), len(steps))
        if not owner or not methods or made + 1 >= len(steps):
            return program
        at = self.generator.rng.randint(made + 1, len(steps) - 1)
        steps.insert(at, self.generator.named_step(self.generator.rng.choice(methods), steps[made:at]))
        return replace(program, steps=tuple(steps))

    def _rearranged(self, step: Step, callee: Callee, before: tuple[Step, ...]) -> Step:
        """One argument drawn anew, left out, or added."""
        rng = self.generator.rng
        given = {argument.name for argument in step.arguments}
        count = sum(1 for argument in step.arguments if not argument.name)
        absent = [
            one
            for position, one in enumerate(callee.parameters)
            if one.name not in given and position >= count and one.kind in ("either", "keyword")
        ]
        droppable = [argument for argument in step.arguments if argument.name]
        if absent and len(droppable) < MOST_OPTIONS and rng.random() < 0.45:
            one = rng.choice(absent)
            added = Argument(one.name, self.generator.argument(callee, one, list(before)))
            order = {one.name: at for at, one in enumerate(callee.parameters)}
            named = sorted((*droppable, added), key=lambda argument: order.get(argument.name, len(order)))
            return replace(step, arguments=(*(one for one in step.arguments if not one.name), *named))
        if droppable and rng.random() < (0.2 if len(droppable) < MOST_OPTIONS else 0.5):
            gone = rng.choice(droppable)
            return replace(step, arguments=tuple(one for one in step.arguments if one is not gone))
        if not step.arguments:
            return step
        at = rng.randrange(len(step.arguments))
        parameter = parameter_of(callee, step.arguments[at].name, at)
        if parameter is None:
            return step
        arguments = list(step.arguments)
        arguments[at] = Argument(arguments[at].name, self.generator.argument(callee, parameter, list(before)))
        if parameter.kind == "many" and rng.random() < 0.3:
            arguments.insert(at, Argument("", self.generator.argument(callee, parameter, list(before))))
        return replace(step, arguments=tuple(arguments))
