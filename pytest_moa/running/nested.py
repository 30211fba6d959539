"""A fork inside a job's child: what is collected once is run many times, each time from the same state."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, NoReturn

#: Wall time allowed for each second of CPU time: on a busy machine a process waits more than it runs.
PATIENCE: Final = 8.0

# Kept from before any test could replace them.
_fork, _exit, _kill, _waitpid, _write = os.fork, os._exit, os.kill, os.waitpid, os.write
_setitimer, _signal = signal.setitimer, signal.signal


@dataclass
class Forked:
    """What a fork told, one line of JSON each, and how it ended."""

    status: Literal["returned", "timed out", "crashed", "exited"]
    told: list[Any] = field(default_factory=list)
    seconds: float = 0.0


def forked(run: Callable[[Callable[[Any], None]], None], seconds: float, *, renewed: bool = False) -> Forked:
    """Call `run(tell)` in a fork that gets `seconds` of CPU time; `tell` sends JSON data at once.

    A fork that ends otherwise than by returning from `run` has "exited" or "crashed". The time is for all
    that it does, or if it is `renewed` from one telling to the next.
    """
    started = time.perf_counter()
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            _limit(seconds)
            run(partial(_tell, writing, seconds if renewed else 0.0))
            _send(writing, _DONE)
            code = 0
        finally:
            _exit(code)
    os.close(writing)
    told, late = _read(reading, PATIENCE * seconds, renewed=renewed)
    os.close(reading)
    if late:
        with contextlib.suppress(ProcessLookupError):
            _kill(child, signal.SIGKILL)
    _, code = _waitpid(child, 0)
    done = bool(told) and told[-1] == _DONE
    status: Literal["returned", "timed out", "crashed", "exited"]
    if done:
        status = "returned"
        told.pop()
    elif late or (os.WIFSIGNALED(code) and os.WTERMSIG(code) in (signal.SIGPROF, signal.SIGXCPU)):
        status = "timed out"
    else:
        status = "crashed" if os.WIFSIGNALED(code) else "exited"
    return Forked(status, told, time.perf_counter() - started)


def finish(tell: Callable[[Any], None]) -> NoReturn:
    """End a fork as if its `run` had returned, from wherever it is."""
    tell(_DONE)
    _exit(0)


_DONE: Final = "\N{SYMBOL FOR END OF TRANSMISSION}"


def _limit(seconds: float) -> None:
    """End this process after so much CPU time; rlimits know whole seconds only."""
    _signal(signal.SIGPROF, signal.SIG_DFL)
    _setitimer(signal.ITIMER_PROF, seconds)


def _tell(pipe: int, renewed: float, data: Any) -> None:
    if renewed:
        _limit(renewed)
    _send(pipe, data)


def _send(pipe: int, data: Any) -> None:
    line = json.dumps(data).encode() + b"\n"
    while line:
        line = line[_write(pipe, line) :]


def _read(pipe: int, patience: float, *, renewed: bool) -> tuple[list[Any], bool]:
    """All lines until the other end is closed, and whether patience came to its end before."""
    deadline = time.monotonic() + patience
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    buffer = b""
    late = False
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            late = True
            break
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        buffer += part
        if renewed:
            deadline = time.monotonic() + patience
    return [json.loads(line) for line in _whole(buffer)], late


def _whole(buffer: bytes) -> Iterator[bytes]:
    yield from buffer.split(b"\n")[:-1]
