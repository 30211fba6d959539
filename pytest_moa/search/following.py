"""Programs that go on: what a call gave is used, too, if it is a function, a descriptor or an object."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pytest_moa.search.inputs import Inputs
from pytest_moa.search.observation import public_attributes
from pytest_moa.search.program import RAW, READ, Argument, Program, Step, variable_for
from pytest_moa.search.shapes import ANY, NUMBER, TEXT
from pytest_moa.search.surface import Surface

_METHOD = "example.method"


@dataclass(frozen=True, slots=True)
class Following:
    """Continues programs for one module. All choices come from `rng`."""

    surface: Surface
    rng: random.Random

    def program(self, program: Program, value: Any) -> Program | None:
        """The program that also uses what it got; None for results that are no more than values."""
        last = program.steps[-1]
        if last.name or last.form not in ("", READ) or last.wrap or isinstance(value, type):
            return None
        if not self._can_be_used(value):
            return None
        before, subject = program.steps[:-1], last.callee
        if not last.form:
            taken = [step.name for step in program.steps] + [*vars(self.surface.module)]
            subject = variable_for(
                "wrapped" if callable(value) or hasattr(value, "__get__") else type(value).__name__, taken
            )
            before = (*before, replace(last, name=subject))
        if is_descriptor(value):
            owner = Step(f"class Example:\n    method = {subject}", form=RAW, role="given")
            made = Step("Example", name="example", role="given")
            return replace(program, steps=(*before, owner, made, Step(_METHOD, form=READ)))
        uses = tuple(self._uses(subject, value))
        return replace(program, steps=(*before, *uses)) if uses else None

    def _can_be_used(self, value: Any) -> bool:
        if callable(value) or is_descriptor(value):
            return True
        package = self.surface.module.__name__.partition(".")[0]
        mine = type(value).__module__.partition(".")[0] == package
        return mine and not isinstance(value, (BaseException, tuple))

    def _uses(self, subject: str, value: Any) -> Iterator[Step]:
        """Calls of it, some with the same arguments again; calls and reads of what it has."""
        rng = self.rng
        names = _methods(value)
        read = public_attributes(value) if not inspect.isroutine(value) else []
        given: tuple[Argument, ...] | None = None
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            chance = rng.random()
            if callable(value) and (chance < 0.7 or not (names or read)):
                again = given is not None and rng.random() < 0.5
                given = given if again and given is not None else self._for_signature(value, subject)
                yield Step(subject, given)
            elif names and (chance < 0.9 or not read):
                name = rng.choice(names)
                yield Step(f"{subject}.{name}", self._for_signature(getattr(value, name), ""))
            elif read:
                yield Step(f"{subject}.{rng.choice(read)}", form=READ)

    def _for_signature(self, value: Any, subject: str) -> tuple[Argument, ...]:
        try:
            parameters = list(inspect.signature(value).parameters.values())
        except (TypeError, ValueError):
            return self._some(1)
        if subject == _METHOD and not inspect.isroutine(value) and parameters and self.rng.random() < 0.8:
            parameters = parameters[1:]  # a signature taken from the wrapped function has `self`, too
        needed = [
            one for one in parameters if one.default is one.empty and one.kind <= one.POSITIONAL_OR_KEYWORD
        ]
        variable = any(one.kind == one.VAR_POSITIONAL for one in parameters)
        return self._some(len(needed) or (self.rng.choice((0, 1, 1, 2)) if variable else 0))

    def _some(self, count: int) -> tuple[Argument, ...]:
        inputs = Inputs(self.rng, constants=self.surface.constants, tokens=self.surface.tokens)
        return tuple(
            Argument("", inputs.of_shape(self.rng.choice((NUMBER, NUMBER, TEXT, ANY)))) for _ in range(count)
        )


def is_descriptor(value: Any) -> bool:
    """Whether a value is of use as an attribute of a class only."""
    if isinstance(value, type):
        return False
    kind = type(value)
    return hasattr(kind, "__set_name__") or (hasattr(kind, "__get__") and not callable(value))


def is_on_the_way(program: Program) -> bool:
    """Whether a program was made only to get at what a descriptor gives."""
    return program.steps[-1].callee == _METHOD and program.steps[-1].form == READ


def _methods(value: Any) -> list[str]:
    """Names of functions that a caller finds on an object, or on a function."""
    kind = type(value)
    held = [name for name, one in getattr(value, "__dict__", {}).items() if inspect.isfunction(one)]
    found = held if kind.__module__ == "builtins" else [*held, *dir(kind)]
    return [
        name
        for name in dict.fromkeys(found)
        if not name.startswith("_") and inspect.isroutine(inspect.getattr_static(value, name, None))
    ]
