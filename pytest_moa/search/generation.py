"""New programs for a function or method of a module, and programs near to ones that are known."""

from __future__ import annotations

import inspect
import random
import types
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_moa.search.inputs import Inputs, expression, patterns_in, tokens_of, unread
from pytest_moa.search.neighbours import literal, neighbour
from pytest_moa.search.operators import ONE_OF_A_KIND, OPERATORS
from pytest_moa.search.program import READ, Argument, Program, Step, variable_for
from pytest_moa.search.shapes import ANY, NUMBER, TEXT, Shape
from pytest_moa.search.surface import Callee, Parameter, Surface
from pytest_moa.search.taste import is_allowed, kinds_of
from pytest_moa.values import Expression, source_of

#: Results of one kind that are remembered as arguments.
MOST_RESULTS = 40
#: Most "given" calls of methods before the one that is aimed at.
MOST_CALLS = 3
#: Arguments by position, where the others can be named.
MOST_POSITIONAL = 2
#: What functions give that is worth a variable, and which other kinds of objects can be used as it.
_HELD: Mapping[str, Sequence[str]] = {
    "dict": (),
    "list": (),
    "set": (),
    "context": ("condition",),
    "condition": ("condition",),
}
_SINGLE = ("positional", "either", "keyword")


class Generator:
    """Makes programs. Equal seeds and equal reports of results make equal programs."""

    def __init__(self, surface: Surface, rng: random.Random) -> None:
        self.surface = surface
        self.rng = rng
        self.names = dict(vars(surface.module))
        self.patterns = patterns_in(self.names)
        self.made: dict[str, list[tuple[Argument, ...]]] = defaultdict(list)  # arguments that construct
        self.seeds: dict[tuple[str, str], list[Expression]] = defaultdict(list)  # by callee and parameter
        self.results: dict[str, list[Expression]] = defaultdict(list)  # by kind of value
        self.held: dict[str, Shape] = {}  # variables that functions among the arguments give
        self.clocks: list[str] = []  # that the module reads
        self.helpers = _helpers(surface)
        self._inputs: dict[str, Inputs] = {}
        self._credit: dict[tuple[str, str], int] = defaultdict(int)  # by callee and option

    def inputs_for(self, callee: Callee) -> Inputs:
        """The maker of arguments for a callee."""
        if callee.qualname not in self._inputs:
            own = list(callee.constants)
            constants = [*own, *own, *own, *self.surface.constants] if own else self.surface.constants
            tokens = tokens_of(own)
            self._inputs[callee.qualname] = Inputs(
                self.rng,
                constants=constants,
                tokens=[*tokens, *tokens, *self.surface.tokens],
                patterns=self.patterns,
                names=self.names,
                construct=self._construct,
            )
        return self._inputs[callee.qualname]

    @property
    def drawn(self) -> int:
        """How many of the code's own texts have been used so far."""
        return sum(one.drawn for one in self._inputs.values())

    def program(self, callee: Callee) -> Program:
        """A new program that aims at a callee."""
        return self.complete(self._program(callee))

    def complete(self, program: Program) -> Program:
        """The program with a step for each variable that its arguments need and nothing makes yet."""
        missing = [name for name in program.free_names() if name in self.held] if self.held else []
        if not missing:
            return program
        inputs = self.inputs_for(self.surface.callees[program.target])
        made = [(name, self._held(self.held[name], inputs)) for name in missing]
        given = (
            Step(one.source, name=name, form=READ, role="given", imports=one.imports) for name, one in made
        )
        return replace(program, steps=(*given, *program.steps))

    def _held(self, shape: Shape, inputs: Inputs) -> Expression:
        empty = {"dict": "{}", "list": "[]", "set": "set()"}.get(shape.kind)
        if empty is not None and self.rng.random() < 0.7:
            return Expression(empty)
        return inputs.of_shape(shape, 1)

    def _program(self, callee: Callee) -> Program:
        if callee.kind == "function":
            return Program(callee.qualname, (self._step(callee, callee.name),))
        if callee.kind == "constructor":
            name = variable_for(callee.owner, ())
            return Program(
                callee.qualname, (Step(callee.owner, self._arguments(callee), name=name, role="given"),)
            )
        if callee.kind == "classmethod":
            return Program(callee.qualname, (self._step(callee, f"{callee.owner}.{callee.name}"),))
        given = self._object(callee.owner)
        if given is None:
            return Program(callee.qualname, ())
        steps = [given]
        methods = [
            one
            for one in self.surface.callees.values()
            if one.owner == callee.owner
            and one.kind == "method"
            and one.public
            and one.qualname != callee.qualname
        ]
        count = self.rng.choice((0, 0, 1, 1, 2, MOST_CALLS)) if methods else 0
        for _ in range(count):
            before = (
                self.rng.choice(methods) if self.rng.random() < 0.8 or callee.kind != "method" else callee
            )
            steps.append(self.named_step(before, steps))
        aimed = self._step(callee, given.name, steps)
        return Program(callee.qualname, (*steps, aimed))

    def named_step(self, callee: Callee, steps: list[Step]) -> Step:
        """A call whose result later steps can use."""
        step = self._step(callee, steps[0].name, steps)
        if step.is_statement or step.form:
            return step
        taken = [one.name for one in steps if one.name] + [*self.names]
        noun = {"sign": "signed", "dumps": "dumped", "encode": "encoded"}.get(
            callee.name, f"{callee.name}_result"
        )
        name = variable_for(noun, taken)
        return replace(step, name=name)

    def _object(self, owner: str) -> Step | None:
        kind = self.surface.classes[owner]
        callee = self.surface.callees[f"{owner}()"]
        known = self.made[owner]
        if known and self.rng.random() < 0.85:
            arguments = self.rng.choice(known[:8])
        else:
            arguments = self._arguments(callee)
        name = variable_for(kind.__name__, self.names)
        return Step(owner, arguments, name=name, role="given")

    def _step(self, callee: Callee, source: str, steps: list[Step] | None = None) -> Step:
        if callee.kind == "property":
            return Step(f"{source}.{callee.name}", form="{callee}")
        steps = steps or []
        if callee.kind == "method" and callee.name in OPERATORS:
            form = OPERATORS[callee.name]
            arguments = self._positional(callee, form.count("{0}") and 1 + form.count("{1}"), steps)
            if callee.name in ONE_OF_A_KIND and steps and self.rng.random() < 0.7:
                other = self._like(steps[0])
                arguments = (Argument("", other),)
            return Step(source, arguments, form=form)
        if callee.kind == "method":
            return Step(f"{source}.{callee.name}", self._arguments(callee, steps))
        return Step(source, self._arguments(callee, steps))

    def _like(self, given: Step) -> Expression:
        """Another object of the kind that the first step makes, with nearly the same arguments."""
        callee = self.surface.callees[f"{given.callee}()"]
        arguments = given.arguments if self.rng.random() < 0.5 else self._arguments(callee)
        step = Step(given.callee, arguments)
        return Expression(step.expression, step.all_imports())

    def _positional(self, callee: Callee, count: int, steps: list[Step]) -> tuple[Argument, ...]:
        parameters = callee.parameters[:count]
        written = [Argument("", self.argument(callee, one, steps)) for one in parameters]
        while len(written) < count:
            written.append(Argument("", self.inputs_for(callee).of_shape(ANY)))
        return tuple(written)

    def _arguments(self, callee: Callee, steps: list[Step] | None = None) -> tuple[Argument, ...]:
        rng = self.rng
        arguments: list[Argument] = []
        self.inputs_for(callee).arity = rng.choice((1, 1, 2))
        skipped = False
        options = self._some_options(callee)
        variable = any(one.kind == "many" for one in callee.parameters)
        for position, one in enumerate(callee.parameters):
            if one.kind == "many":
                if not skipped:
                    count = rng.choice((0, 1, 2, 2, 3))
                    arguments += [Argument("", self.argument(callee, one, steps or [])) for _ in range(count)]
                skipped = True
                continue
            if one.kind == "named many":
                if rng.random() < 0.25:
                    name = rng.choice(("name", "key", "size"))
                    if all(argument.name != name for argument in arguments):
                        arguments.append(Argument(name, self.argument(callee, one, steps or [])))
                continue
            if not one.required and one.name not in options:
                skipped = True
                continue
            by_name = one.kind == "keyword" or (
                one.kind == "either"
                and (skipped or not one.required or (position >= MOST_POSITIONAL and not variable))
            )
            if skipped and one.kind == "positional":
                continue
            arguments.append(Argument(one.name if by_name else "", self.argument(callee, one, steps or [])))
        return tuple(arguments)

    def _some_options(self, callee: Callee) -> set[str]:
        """Names of the few optional parameters that get an argument; those that were worth it, more often."""
        names = [one.name for one in callee.parameters if not one.required and one.kind in _SINGLE]
        found: set[str] = set()
        for _ in range(min(len(names), self.rng.choice((0, 1, 1, 1, 2, 2, 3)))):
            weights = [1 + min(self._credit[callee.qualname, name], 40) / 5 for name in names]
            found.add(self.rng.choices(names, weights)[0])
        return found

    def credit(self, program: Program) -> None:
        """Note that a program was worth it: its options are given more often."""
        for step in program.steps:
            callee = self.callee_of(step, program)
            for argument in step.arguments if callee is not None else ():
                if argument.name and callee is not None:
                    self._credit[callee.qualname, argument.name] += 1

    def argument(self, callee: Callee, one: Parameter, steps: list[Step]) -> Expression:
        """An expression for a parameter: mostly of the declared kind, and not its default."""
        made = self._argument(callee, one, steps)
        for _ in range(4):
            if is_allowed(made.source, one.declared) and not _is_default(made, one):
                break
            made = self._argument(callee, one, steps)
        return made

    def _argument(self, callee: Callee, one: Parameter, steps: list[Step]) -> Expression:
        rng, inputs = self.rng, self.inputs_for(callee)
        earlier = [step.name for step in steps[1:] if step.name]
        if earlier and rng.random() < 0.5 and _may_be_result(one):
            return self._derived(rng.choice(earlier))
        seeds = self.seeds.get((callee.qualname, one.name))
        if seeds and rng.random() < 0.3:
            return rng.choice(seeds)
        if one.near and rng.random() < 0.3:
            return self._near(rng.choice(one.near), inputs)
        if self.helpers and rng.random() < 0.06:
            made = self._by_helper(inputs, steps)
            if made is not None:
                return made
        chance = rng.random()
        if chance < 0.06:
            return inputs.of_shape(ANY)
        shape = one.shapes[0] if chance < 0.65 else rng.choice(one.shapes)
        if shape.kind == "callable" and shape.inner and shape.inner[0].kind in _HELD and rng.random() < 0.95:
            return self._giving(one, shape)
        known = self.results.get(shape.kind)
        if known and rng.random() < 0.1:
            return rng.choice(known)
        return inputs.of_shape(shape)

    def _giving(self, one: Parameter, shape: Shape) -> Expression:
        """A function that always gives the same object, which the test has a variable for."""
        name, wanted = variable_for(one.name, self.names), shape.inner[0]
        self.held.setdefault(name, wanted)
        alike = [other for other, made in self.held.items() if made.kind in _HELD[wanted.kind]]
        name = self.rng.choice(alike) if alike and self.rng.random() < 0.4 else name
        return Expression(f"lambda {unread(shape.values[0])}: {name}")

    def _by_helper(self, inputs: Inputs, steps: list[Step]) -> Expression | None:
        """What another function or class of the package makes, inline."""
        name, helper = self.rng.choice(self.helpers)
        if isinstance(helper, type):
            methods = [
                one for one, value in vars(helper).items() if inspect.isfunction(value) and one[0] != "_"
            ]
            given = steps[0].arguments if steps and steps[0].role == "given" else ()
            if not methods or not given:
                return None
            method = self.rng.choice(methods)
            made = Step(name, given)
            value = inputs.of_shape(self.rng.choice((TEXT, Shape("bytes"))))
            return Expression(
                f"{made.expression}.{method}({value.source})", made.all_imports() | value.imports
            )
        value = inputs.of_shape(self.rng.choice((TEXT, TEXT, NUMBER, Shape("bytes"), ANY)))
        return Expression(f"{name}({value.source})", value.imports)

    def _near(self, value: Any, inputs: Inputs) -> Expression:
        written = expression(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return expression(value + self.rng.choice((0, 1, -1)))
        return written if self.rng.random() < 0.7 else neighbour(written, inputs) or written

    def _derived(self, name: str) -> Expression:
        if self.rng.random() < 0.75:
            return Expression(name)
        return Expression(
            self.rng.choice((f"{name}[:-1]", f"{name}[1:]", f"{name} + {name}", f"{name}[::-1]"))
        )

    def _construct(self, kind: type, depth: int) -> Expression | None:
        """An instance of a class, inline: of this module, or of another one by its annotations."""
        if depth > 3:
            return None
        name = next((name for name, value in self.names.items() if value is kind), None)
        callee = self.surface.callees.get(f"{name}()") if name else None
        if callee is not None:
            known = self.made[callee.owner]
            arguments = self.rng.choice(known[:6]) if known else self._arguments(callee)
            step = Step(callee.owner, arguments)
            return Expression(step.expression, step.all_imports())
        written = source_of(kind, self.names)
        if written is None or isinstance(kind, types.GenericAlias):
            return None
        return Expression(f"{written.source}()", written.imports)

    def note_result(self, value: Any) -> None:
        """Remember a result as an argument for others: what one function makes, another one reads."""
        pool = self.results[type(value).__name__]
        written = source_of(value)
        if written is not None and len(written.source) < 60 and written not in pool:
            pool.append(written)

    def wants_result(self, value: Any) -> bool:
        """Whether a result may be remembered: it is of a plain kind that there are not many of yet."""
        plain = type(value) in (str, bytes, int, float, list, dict, tuple)
        return plain and len(self.results[type(value).__name__]) < MOST_RESULTS

    def callee_of(self, step: Step, program: Program) -> Callee | None:
        """What a step calls, as far as it is known."""
        found = self.surface.callees.get(step.callee) or self.surface.callees.get(f"{step.callee}()")
        if found is not None:
            return found
        head, _, last = step.callee.partition(".")
        for given in program.steps:
            if given.name == head and given.role == "given":
                if step.form and "{callee}" in step.form and not last:
                    name = next((name for name, form in OPERATORS.items() if form == step.form), "")
                    return self.surface.callees.get(f"{given.callee}.{name}")
                return self.surface.callees.get(f"{given.callee}.{last}")
        return None


def _helpers(surface: Surface) -> list[tuple[str, Any]]:
    """Functions and classes that the module takes from others of its package."""
    package = surface.module.__name__.partition(".")[0]
    found = []
    for name, value in vars(surface.module).items():
        home = getattr(value, "__module__", None) or ""
        if home == surface.module.__name__ or home.partition(".")[0] != package or name.startswith("_"):
            continue
        if inspect.isfunction(value) or (isinstance(value, type) and not issubclass(value, BaseException)):
            found.append((name, value))
    return found


def _is_default(made: Expression, one: Parameter) -> bool:
    if one.required or one.kind not in _SINGLE:
        return False
    known, value = literal(made.source)
    return known and type(value) is type(one.default) and bool(value == one.default)


def _may_be_result(one: Parameter) -> bool:
    kinds = kinds_of(one.declared)
    if "any" not in kinds:
        return bool(kinds & {"str", "bytes", "list", "dict", "object"})
    return any(shape.kind in ("str", "bytes", "any", "int", "list", "dict", "union") for shape in one.shapes)
