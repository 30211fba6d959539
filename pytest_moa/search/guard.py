"""Go on from the last safe point when a program hangs in C code, where no signal handler runs, or crashes.

At each safe point the working process forks: the fork goes on, and its parent stays as it was, to take
over if the fork hangs or dies. Memory that both share says what the fork was running.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import struct
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

#: Without a sign of life a process is taken for hung after so many seconds of its CPU, or, if it sleeps or
#: that cannot be measured, of the clock.
PATIENCE, SLEEPING = 1.5, 10.0
#: Seconds between two safe points.
EVERY = 2.0
_SIZE = 1 << 14
_HEAD = struct.Struct("<QQI")  # beats, depth, length of the note


class Guard:
    """What the working process reports to: signs of life, and safe points."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _SIZE)
        self._beats = 0
        self._depth = 0
        self._last = 0.0  # the first safe point counts

    def running(self, note: str) -> None:
        """A sign of life, and what runs next."""
        self._beats += 1
        text = note.encode()[: _SIZE - _HEAD.size - 1]
        if self._shared[-1]:
            os._exit(0)
        self._shared[: _HEAD.size] = _HEAD.pack(self._beats, self._depth, len(text))
        self._shared[_HEAD.size : _HEAD.size + len(text)] = text

    def end(self) -> None:
        """Let all processes of the work end at their next sign of life, and those that watch at once."""
        self._shared[-1] = 1

    def safe_point(self) -> str | None:
        """Fork if it is time to. None in the process that goes on; in one that takes over, what hung."""
        if time.monotonic() - self._last < EVERY:
            return None
        self._depth += 1
        self.running("")
        child = os.fork()
        if child == 0:
            self._last = time.monotonic()
            return None
        hung = self._watch(child)
        if hung is None:
            os._exit(0)
        self._last = time.monotonic()
        return hung

    def _watch(self, child: int) -> str | None:
        """None once the child has come to its own next safe point or end; else what it was running."""
        beats, since, used = -1, time.monotonic(), 0.0
        while True:
            now, depth, length = _HEAD.unpack(self._shared[: _HEAD.size])
            if self._shared[-1]:
                os.kill(child, signal.SIGKILL)
                return None
            if depth > self._depth:
                return None
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended and status == 0:
                return None
            if now != beats:
                beats, since, used = now, time.monotonic(), _cpu_seconds(child)
            hung = _cpu_seconds(child) - used > PATIENCE or time.monotonic() - since > SLEEPING
            if ended or hung:
                if not ended:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                return self._shared[_HEAD.size : _HEAD.size + length].decode(errors="replace")
            time.sleep(0.05)


def guarded(work: Callable[[Guard], Iterator[dict[str, Any]]], seconds: float) -> Iterator[dict[str, Any]]:
    """The work's events, from processes of which each can take over from the one after it."""
    reading, writing = os.pipe()
    guard = Guard()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            for event in work(guard):
                data = json.dumps(event).encode() + b"\n"
                while data:
                    data = data[os.write(writing, data) :]
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    buffer, until = b"", time.monotonic() + seconds
    try:
        while True:
            ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return
            part = os.read(reading, 1 << 16)
            if not part:
                return
            *lines, buffer = (buffer + part).split(b"\n")
            yield from map(json.loads, lines)
            _reap()
    finally:
        os.close(reading)
        guard.end()


def _cpu_seconds(process: int) -> float:
    """What a process has used; 0 where that cannot be read."""
    try:
        return time.clock_gettime((~process << 3) | 2)  # Linux' clock of a process's CPU time
    except (OSError, AttributeError, OverflowError):
        return 0.0


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
