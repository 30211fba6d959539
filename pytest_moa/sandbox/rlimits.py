"""Limits that the kernel enforces on one process and all that it starts."""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass

from pytest_moa.sandbox.limits import Limits

#: Threads reserve far more addresses than they use: so much more may be mapped than written to.
MAPPED = 4

#: Descriptors that a process may have open: the kernel's memory for pipes and sockets is not counted.
OPEN_FILES = 1024


@dataclass(frozen=True, slots=True)
class Size:
    """Memory of a process in bytes: all that is mapped, and the private writable part of it."""

    mapped: int = 0
    data: int = 0

    @classmethod
    def read(cls, statm: int | None) -> Size:
        """What `/proc/self/statm`, open as this descriptor, says now; nothing where there is none."""
        if statm is None:
            return cls()
        pages = os.pread(statm, 200, 0).split()
        page = resource.getpagesize()
        return cls(mapped=int(pages[0]) * page, data=int(pages[5]) * page)


def apply(limits: Limits, size: Size, processes: int | None) -> None:
    """Limit this process and all that it starts. `size` is what it has already.

    `processes` is the most that the user may have at the same time, None where the kernel would count
    others' too.
    """
    seconds = max(1, math.ceil(limits.cpu))
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    _lower(resource.RLIMIT_DATA, size.data + limits.memory)
    _lower(resource.RLIMIT_AS, size.mapped + MAPPED * limits.memory)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    if processes is not None:
        _lower(resource.RLIMIT_NPROC, processes)


def _lower(kind: int, value: int, hard: int | None = None) -> None:
    """Set a limit, never above the one that is there."""
    allowed = resource.getrlimit(kind)[1]
    soft, hard = value, value if hard is None else hard
    if allowed != resource.RLIM_INFINITY:
        soft, hard = min(soft, allowed), min(hard, allowed)
    resource.setrlimit(kind, (soft, hard))
