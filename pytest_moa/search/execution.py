"""Run a program in this process and note what can be observed.

Only to be used in a confined child: the program may do anything. Main thread only (the time limit is a
signal).
"""

# ruff: noqa: S102, S307 - running code is what it is for

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import itertools
import signal
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

from pytest_moa.search.alarm import TooSlow, arm, stop_timer, uninterrupted
from pytest_moa.search.observation import (
    UNSTABLE,
    Canonical,
    canonical,
    is_iterator,
    looked_at,
    public_attributes,
    value_at,
)
from pytest_moa.search.origins import deliberate, left_here
from pytest_moa.search.patching import Undo
from pytest_moa.search.program import Program, Step
from pytest_moa.search.state import Tables, restore_names
from pytest_moa.values import Expression, source_of

#: Where something was seen, and the path there. Where: the number of a step, "raised", "end NAME" for a
#: variable after all steps, "argument N" for an argument that the last step changed, "stdout", "warns".
Key = tuple[Any, str]
Facts = dict[Key, Canonical]

#: Seconds of CPU that a program may take (a busy machine must not look like an endless loop).
SECONDS = 0.2
#: An iterator that gives more is looked at by its first items.
MOST_ITEMS = 500
_MUTABLE = (list, dict, set, bytearray)
WRAPS: Mapping[str, Callable[[Any], Any]] = {
    "list({})": lambda items: _all_of(items),
    "list(islice({}, 10))": lambda items: list(itertools.islice(items, 10)),
    "asyncio.run({})": asyncio.run,
}


def _all_of(items: Any) -> list[Any]:
    found = list(itertools.islice(items, MOST_ITEMS + 1))
    if len(found) > MOST_ITEMS:
        raise Endless
    return found


class Endless(BaseException):
    """An iterator gives more than anybody wants to see."""


@dataclass(slots=True)
class Run:
    """What happened. `raised` is the step that raised; `wraps` says what steps should be wrapped in."""

    facts: Facts
    raised: int | None = None
    timed_out: bool = False
    leaks: bool = False  #: it changed the module for whoever runs next; undone
    wraps: dict[int, str] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    written: dict[Key, Expression | None] | None = None  #: values as source, if they were asked for
    inside: bool = True  #: the exception came out of the module, not out of calling it wrongly
    held: dict[int, str] = field(default_factory=dict)  #: variables by the identity of their objects
    deliberate: bool = True  #: the exception was raised by a `raise` of user code, not by a builtin

    def note(self, where: Any, value: Any, prefix: str = "{}", depth: int = 0) -> None:
        """Look at a value; also write down its parts if that was asked for."""
        look = _safe_look(value, depth)
        for path, name in self._known_objects(look, value):
            if where != f"end {name}":
                look = {one: seen for one, seen in look.items() if path not in one}
                self.facts[where, path.replace("{}", prefix)] = ("held", name)
                if self.written is not None:
                    self.written[where, path.replace("{}", prefix)] = Expression(name)
        for path, seen in look.items():
            key = (where, path.replace("{}", prefix) if prefix != "{}" else path)
            self.facts[key] = seen
            if self.written is not None:
                try:
                    self.written[key] = source_of(value_at(path, value))
                except Exception:
                    self.written[key] = None

    def _known_objects(self, look: Mapping[str, Canonical], value: Any) -> list[tuple[str, str]]:
        """Paths to objects that the program has variables for."""
        found: list[tuple[str, str]] = []
        for path in look if self.held else ():
            if not path.startswith("type(") or any(known in path for known, _ in found):
                continue
            inner = path.removeprefix("type(").removesuffix(")")
            with contextlib.suppress(Exception):
                name = self.held.get(id(value_at(inner, value)))
                if name is not None:
                    found.append((inner, name))
        return found


class Runner:
    """Runs programs against a module as it is at that moment."""

    def __init__(self, module: ModuleType, *, seconds: float = SECONDS, watch_warnings: bool = False) -> None:
        self.module = module
        self.seconds = seconds
        self.watch_warnings = watch_warnings
        self.tables = Tables(vars(module))
        self.name = "tests"  #: under which classes that a program defines are known; never a fact

    def run(self, program: Program, seconds: float | None = None, *, write: bool = False) -> Run:
        """Run all steps until one raises. With `write`, what is seen is also written as source."""
        held = vars(self.module)
        kept = dict(held)
        names = dict(kept)
        names.update(_imports(program.imports))
        names["__name__"] = self.name
        run = Run({}, names=names, written={} if write else None)
        output, streams = io.StringIO(), (sys.stdout, sys.stderr)
        arm()
        caught: list[warnings.WarningMessage] | None = None
        undo = Undo()
        names["monkeypatch"] = undo
        sys.stdout, sys.stderr = output, _NOWHERE
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds or self.seconds, 0.02)
            if self.watch_warnings:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    self._steps(program, names, run)
            else:
                self._steps(program, names, run)
        except TooSlow:
            run.timed_out = True
        finally:
            stop_timer()
            sys.stdout, sys.stderr = streams
            undo.undo()
            run.leaks = restore_names(held, kept) | self.tables.restore()
        if run.timed_out:
            run.facts = {("time", ""): "out"}
            return run
        if output.tell():
            run.facts["stdout", ""] = canonical(output.getvalue(), 0)
        if caught:
            run.facts["warns", ""] = tuple((one.category.__name__, str(one.message)) for one in caught)
        return run

    def _steps(self, program: Program, names: dict[str, Any], run: Run) -> None:
        last = len(program.steps) - 1
        for index, step in enumerate(program.steps):
            try:
                value, arguments, before = _perform(step, names, watched=index == last)
                if step.wrap:
                    value = WRAPS[step.wrap](value)
            except TooSlow:
                raise
            except Endless:
                run.wraps[index] = "list(islice({}, 10))"
                run.facts["endless", ""] = index
                break
            except (Exception, SystemExit) as error:
                run.raised = index
                _note_error(error, index, run)
                run.inside = bool(step.form) or left_here(error, ("<program>", __file__))
                break
            if step.name:
                names[step.name] = value
                if step.role == "given" and type(value) not in _PLAIN and not isinstance(value, type):
                    run.held[id(value)] = step.name
            run.values.append(value)
            if step.role == "when":
                self._look(value, index, step, run)
                if index == last:
                    _note_arguments(value, arguments, before, run)
        for step in program.steps:
            if step.role == "given" and step.name in names and type(names[step.name]) not in _PLAIN:
                run.note(f"end {step.name}", names[step.name], depth=2)

    def _look(self, value: Any, index: int, step: Step, run: Run) -> None:
        if step.is_statement:
            return
        if isinstance(value, types.CoroutineType):
            value.close()
            run.wraps[index] = "asyncio.run({})"
        elif is_iterator(value):
            run.wraps[index] = "list({})"
        else:
            run.note(index, value)


_PLAIN = frozenset({int, float, str, bytes, bool, type(None), tuple, frozenset, types.FunctionType})


def _safe_look(value: Any, depth: int) -> dict[str, Canonical]:
    try:
        return looked_at(value, depth)
    except TooSlow:
        raise
    except Exception as error:  # a property or __str__ of the user's class
        return {"{}": ("unreadable", type(error).__name__)}


def _perform(
    step: Step, names: dict[str, Any], *, watched: bool
) -> tuple[Any, list[Any], list[Canonical | None]]:
    if step.role == "world":
        exec(compiled(step.expression, "exec"), names)
        return None, [], []
    given = [eval(compiled(one.value.source), names) for one in step.arguments]
    if step.form:
        names.update((f"_{index}", value) for index, value in enumerate(given))
        source = step.form.replace("{callee}", step.callee)
        for index in range(len(given)):
            source = source.replace(f"{{{index}}}", f"_{index}")
        if step.is_statement:
            exec(compiled(source, "exec"), names)
            return None, [], []
        return eval(compiled(source), names), [], []
    callee = eval(compiled(step.callee), names)
    before = [_canonical_or_none(one) for one in given] if watched else []
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument, value in zip(step.arguments, given, strict=True):
        if argument.name:
            named[argument.name] = value
        elif argument.value.source.startswith("*"):
            positional.extend(value)
        else:
            positional.append(value)
    return callee(*positional, **named), given, before


def _canonical_or_none(value: Any) -> Canonical | None:
    if type(value) not in _MUTABLE:
        return None
    try:
        return canonical(value, 0)
    except Exception:
        return None


def _note_arguments(result: Any, arguments: list[Any], before: list[Canonical | None], run: Run) -> None:
    for index, (value, was) in enumerate(zip(arguments, before, strict=True)):
        if was is None:
            continue
        now = _canonical_or_none(value)
        run.note(f"argument {index}", value)
        run.facts[f"argument {index}", "changed"] = now != was
        if type(result) is type(value):
            run.facts[f"argument {index}", "is result"] = result is value


def _note_error(error: BaseException, index: int, run: Run) -> None:
    run.facts["raised", "type"] = (type(error).__module__, type(error).__qualname__)
    run.facts["raised", "step"] = index
    run.values.append(error)
    try:
        message = str(error)
    except Exception:
        return
    run.deliberate = deliberate(error)
    if not run.deliberate:
        return
    run.facts["raised", "message"] = canonical(message, 0)
    for name in public_attributes(error):
        if name in ("args", "add_note", "with_traceback", "characters_written"):
            continue
        run.note("raised", getattr(error, name, None), f"{{}}.{name}")


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


_NOWHERE = _Nowhere()


@functools.lru_cache(maxsize=50_000)
def compiled(source: str, mode: str = "eval") -> CodeType:
    """Compiled source, remembered. `*name` gives the value of name. Raises SyntaxError."""
    return compile(source.lstrip("*") if mode == "eval" else source, "<program>", mode)


@functools.lru_cache(maxsize=5_000)
def _imports(statements: frozenset[str]) -> Mapping[str, Any]:
    return Expression("", statements).namespace()


def differing(original: Facts, other: Facts) -> set[Key]:
    """Keys whose facts differ, as far as they may be asserted."""
    if original == other:
        return set()
    return {
        key
        for key in original.keys() | other.keys()
        if original.get(key) != other.get(key) and UNSTABLE not in (original.get(key), other.get(key))
    }


def drop_unstable(first: Facts, second: Facts) -> Facts:
    """The facts of the first run that the second one repeats."""
    return {key: seen for key, seen in first.items() if second.get(key) == seen and seen != UNSTABLE}


for _function in (Runner.run, Undo.undo):
    uninterrupted(_function)
