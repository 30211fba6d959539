"""The C library's memory, kept level: what a burst of deliveries took is used again by whichever thread."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

#: `M_ARENA_MAX` of glibc's malloc.h.
_ARENA_MAX = -8


def share_arenas() -> None:
    """Let all threads share one arena, as far as the C library is glibc.

    It gives threads arenas of their own, and each keeps what it once had in use: with a dozen threads, every
    burst in another one adds to the process. Python's threads run one at a time, so there is nothing to gain.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
