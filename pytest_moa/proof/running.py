"""Run programs in this process, observed and with a limit of time. Only in a confined child, main thread."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

from pytest_moa.proof.observing import Observer
from pytest_moa.proof.snippet import ARGUMENT, END, SEEN

#: The file name of programs in tracebacks.
FILENAME = "<program>"


class TooSlow(BaseException):
    """The time limit has passed."""


def _too_slow(*_: object) -> None:
    raise TooSlow


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` inside when the wall time is over; again and again, should somebody catch it."""
    before = signal.signal(signal.SIGALRM, _too_slow)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
        yield
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                break
            except TooSlow:
                continue
        signal.signal(signal.SIGALRM, before)


class Undo:
    """Stands in for pytest's monkeypatch: `setattr("module.name", value)`, until `undo`."""

    def __init__(self) -> None:
        self._was: list[tuple[Any, str, Any]] = []

    def setattr(self, target: str, value: Any) -> None:
        """Exchange what a dotted name of an imported module leads to."""
        module, _, name = target.rpartition(".")
        owner = sys.modules[module]
        self._was.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Take all back."""
        while self._was:
            setattr(*self._was.pop())


class _Output(io.StringIO):
    """Standard output of a program; its bytes' side goes nowhere."""

    @property
    def buffer(self) -> io.BytesIO:
        return io.BytesIO()

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def names_for(module: ModuleType | None, imports: Sequence[str]) -> dict[str, Any]:
    """What a program finds: the module's names and what it imports. Raises whatever the imports raise."""
    names = dict(vars(module)) if module is not None else {}
    names["__name__"] = "program"
    for statement in imports:
        names.update(_imported(statement))
    return names


@functools.lru_cache(maxsize=500)
def _imported(statement: str) -> Mapping[str, Any]:
    names: dict[str, Any] = {}
    exec(statement, names)  # noqa: S102 - in a sandbox
    names.pop("__builtins__", None)
    return names


@functools.lru_cache(maxsize=20_000)
def _compiled(code: str) -> CodeType:
    return compile(code, FILENAME, "exec", dont_inherit=True)


def run(
    code: str, module: ModuleType | None, imports: Sequence[str], seconds: float, *, keep_values: bool = False
) -> Observer:
    """Run an instrumented program."""
    observer = Observer(keep_values=keep_values)
    output, kept = _Output(), (sys.stdout, sys.stderr)
    undo = Undo()
    sys.stdout, sys.stderr = output, _Output()

    def names() -> dict[str, Any]:
        return {**names_for(module, imports), "monkeypatch": undo}

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            observed(lambda given: _execute(code, given), observer, names, seconds)
            observer.warned = warned(caught)
    finally:
        sys.stdout, sys.stderr = kept
        undo.undo()
    observer.output = output.getvalue()[:5_000]
    return observer


def _execute(code: str, names: dict[str, Any]) -> None:
    exec(_compiled(code), names)  # noqa: S102 - in a sandbox


def observed(
    execute: Callable[[dict[str, Any]], None],
    observer: Observer,
    make_names: Callable[[], dict[str, Any]],
    seconds: float,
) -> None:
    """Execute with the observer's methods among the names; what it raises is noted."""
    try:
        with limited(seconds):
            try:
                names = make_names()
                names.update({SEEN: observer.seen, ARGUMENT: observer.argument, END: observer.end})
                execute(names)
            except TooSlow:
                observer.timed_out = True
            except BaseException as error:  # SystemExit and KeyboardInterrupt are outcomes too
                observer.failed(error, FILENAME)
    except TooSlow:
        observer.timed_out = True


def warned(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Warnings as text, each once; of resources nobody knows when."""
    found = (
        f"{one.category.__name__}: {one.message}"
        for one in caught
        if not issubclass(one.category, ResourceWarning | ImportWarning)
    )
    return tuple(dict.fromkeys(found))[:10]
