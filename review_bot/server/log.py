"""What the server says while it runs: short lines on standard error, its own and its libraries'."""

from __future__ import annotations

import logging

from moa_engine.printable import one_line
from review_bot.command import say

_LONGEST = 500


class _Lines(logging.Handler):
    """Warnings in one line and without a traceback: what failed is in the message, or to be found by it."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        text = record.getMessage() + (f" {type(error).__name__}: {error}" if error else "")
        name = record.name.partition(".")[0]
        tell(text if name == "review_bot" else f"{name}: {text}")


def tell(text: str) -> None:
    """A line. It may repeat what others said."""
    say(one_line(text)[:_LONGEST])


def hear() -> None:
    """Have warnings of these libraries said."""
    for name in ("review_bot", "dbos", "uvicorn", "asyncio"):
        log = logging.getLogger(name)
        log.handlers[:] = [_Lines(logging.WARNING)]
        log.propagate = False
