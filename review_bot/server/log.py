"""What the server says while it runs: short lines on standard error, its own and its libraries'."""

from __future__ import annotations

import logging
import time

from moa_engine.printable import one_line
from review_bot.command import say

_LONGEST = 500

#: Seconds for which a line that begins the same is not said again: a database that is away is asked often.
_QUIET, _BEGINNING = 60.0, 60


class _Lines(logging.Handler):
    """Warnings in one line and without a traceback: what failed is in the message, or to be found by it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        text = record.getMessage() + (f" {type(error).__name__}: {error}" if error else "")
        name = record.name.partition(".")[0]
        line = text if name == "review_bot" else f"{name}: {text}"
        now = time.monotonic()
        self._said = {begun: at for begun, at in self._said.items() if now - at < _QUIET}
        if self._said.setdefault(line[:_BEGINNING], now) == now:
            tell(line)


def tell(text: str) -> None:
    """A line. It may repeat what others said."""
    say(one_line(text)[:_LONGEST])


def hear() -> None:
    """Have warnings of these libraries said."""
    lines = _Lines()
    for name in ("review_bot", "dbos", "uvicorn", "asyncio"):
        log = logging.getLogger(name)
        log.handlers[:] = [lines]
        log.propagate = False
