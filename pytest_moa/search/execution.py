"""Run a program in this process and note what can be observed.

Only to be used in a confined child: the program may do anything. Main thread only (the time limit is a
signal).
"""

# ruff: noqa: S102, S307 - running code is what it is for

from __future__ import annotations

import asyncio
import functools
import io
import itertools
import linecache
import signal
import sys
import types
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType
from typing import Any

from pytest_moa.search.observation import (
    UNSTABLE,
    Canonical,
    canonical,
    is_iterator,
    looked_at,
    public_attributes,
    value_at,
)
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


class TooSlow(BaseException):
    """The time limit has passed."""


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
    deliberate: bool = True  #: the exception was raised by a `raise` of user code, not by a builtin

    def note(self, where: Any, value: Any, prefix: str = "{}", depth: int = 0) -> None:
        """Look at a value; also write down its parts if that was asked for."""
        for path, seen in _safe_look(value, depth).items():
            key = (where, path.replace("{}", prefix) if prefix != "{}" else path)
            self.facts[key] = seen
            if self.written is not None:
                try:
                    self.written[key] = source_of(value_at(path, value))
                except Exception:
                    self.written[key] = None


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
                run.inside = bool(step.form) or _left_here(error)
                break
            if step.name:
                names[step.name] = value
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
    run.deliberate = _deliberate(error)
    if not run.deliberate:
        return
    run.facts["raised", "message"] = canonical(message, 0)
    for name in public_attributes(error):
        if name in ("args", "add_note", "with_traceback", "characters_written"):
            continue
        run.note("raised", getattr(error, name, None), f"{{}}.{name}")


def _left_here(error: BaseException) -> bool:
    """Whether an exception came through code that is neither the program's nor ours."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename not in ("<program>", __file__):
            return True
        traceback = traceback.tb_next
    return False


def _deliberate(error: BaseException) -> bool:
    """Whether a `raise` statement raised it: what builtins say changes from one Python to another."""
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    line = linecache.getline(frame.f_code.co_filename, traceback.tb_lineno)
    source = line.strip()
    return source.startswith(("raise", "assert ")) or _inside_raise(
        frame.f_code.co_filename, traceback.tb_lineno
    )


@functools.lru_cache(maxsize=5_000)
def _inside_raise(filename: str, line: int) -> bool:
    """Whether the statement that ends or goes on in that line is a `raise`."""
    for earlier in range(line - 1, max(0, line - 6), -1):
        source = linecache.getline(filename, earlier).strip()
        if source.startswith("raise"):
            return True
        if not source.endswith(("(", ",", "\\")):
            return False
    return False


#: Code that no alarm may interrupt: it cleans up. The alarm comes again.
_UNINTERRUPTED: set[CodeType] = set()


def too_slow(_signum: int, frame: FrameType | None) -> None:
    """Handle the alarm."""
    if frame is None or frame.f_code not in _UNINTERRUPTED:
        raise TooSlow


@functools.lru_cache(maxsize=1)
def arm() -> None:
    """Handle the alarm from now on: once, as that takes longer than a short program."""
    signal.signal(signal.SIGPROF, too_slow)


def uninterrupted(function: Any) -> None:
    """Let no alarm interrupt a function's own code."""
    _UNINTERRUPTED.add(function.__code__)


def stop_timer() -> None:
    """Stop the time limit."""
    signal.setitimer(signal.ITIMER_PROF, 0)


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


_NOWHERE = _Nowhere()


class Undo:
    """Stands in for pytest's monkeypatch: `setattr("module.name", value)`, undone after the run."""

    def __init__(self) -> None:
        self._was: list[tuple[Any, str, Any]] = []

    def setattr(self, target: str, value: Any) -> None:
        owner_name, _, name = target.rpartition(".")
        owner = _resolved(owner_name)
        self._was.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def undo(self) -> None:
        while self._was:
            owner, name, value = self._was.pop()
            setattr(owner, name, value)


def _resolved(dotted: str) -> Any:
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:count]))
        if found is not None:
            for part in parts[count:]:
                found = getattr(found, part)
            return found
    raise AttributeError(dotted)


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


for _function in (Runner.run, stop_timer, Undo.undo):
    uninterrupted(_function)
