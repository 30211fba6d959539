"""A limit of CPU time for one run: a signal whose handler raises."""

from __future__ import annotations

import _weakrefset
import functools
import gc
import signal
import weakref
from types import CodeType, FrameType
from typing import Any


class TooSlow(BaseException):
    """The time limit has passed."""


#: Code that no alarm may interrupt: it cleans up. The alarm comes again.
_UNINTERRUPTED: set[CodeType] = set()

#: Modules whose short functions are called by the collector: what they raise is printed and lost.
_CALLBACKS = frozenset({_weakrefset.__file__, weakref.__file__})


def too_slow(_signum: int, frame: FrameType | None) -> None:
    """Handle the alarm."""
    if frame is not None:
        code = frame.f_code
        if code in _UNINTERRUPTED or code.co_filename in _CALLBACKS or _is_collecting(frame):
            return
    raise TooSlow


def _is_collecting(frame: FrameType | None) -> bool:
    """Whether a callback of the garbage collector runs: what it raises is printed and lost."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in callbacks:
        frame = frame.f_back
    return frame is not None


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


uninterrupted(stop_timer)
