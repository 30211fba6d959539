"""Where a suggestion run is, on one line of stderr that is redrawn in place; on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from moa_engine.printable import one_line
from pytest_moa.suggestions import Observer, Progress

_CLEAR = "\r\x1b[K"
_WIDTH = 100


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Observer]:
    """An observer that shows each step and leaves nothing behind."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield _unwatched
        return
    started = time.monotonic()

    def observe(step: Progress) -> None:
        part = f" {step.done} of {step.of}" if step.of else ""
        found = f", {step.found} found" if step.found else ""
        text = f"moa: {one_line(step.says)}{part}{found}, {time.monotonic() - started:.0f} s"
        out.write(f"{_CLEAR}{text[:_WIDTH]}")
        out.flush()

    try:
        yield observe
    finally:
        out.write(_CLEAR)
        out.flush()


def _unwatched(step: Progress) -> None:
    """Nobody looks."""
