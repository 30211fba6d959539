"""Attempts to get out of a sandbox: jobs that do what hostile code would do, as it would do it.

Each returns something true when it got somewhere, and raises or returns nothing when it did not. What counts
is what the test sees outside. They run inside, so they need nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *arguments):
    """A system call that Python has no function for."""
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def preload(args, serve):
    serve({}, {"pid": os.getpid()})
