"""System calls that Python has no function for. Linux on x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache

#: Numbers that are the same on both architectures.
MOUNT_SETATTR = 442
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47

#: Whether this machine's kernel is one that the layers are written for.
SUPPORTED = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call. Integers go as 64 bits, bytes by their address.

    Raises:
        OSError: it failed.
    """
    result = _libc().syscall(ctypes.c_long(number), *map(_word, arguments))
    return _checked(result, f"system call {number}")


def prctl(option: int, *arguments: int | bytes) -> int:
    """Change something about this process.

    Raises:
        OSError: the kernel does not know it, or does not allow it.
    """
    words = [*arguments, *(0 for _ in range(4 - len(arguments)))]
    return _checked(_libc().prctl(ctypes.c_int(option), *map(_word, words)), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones.

    Raises:
        OSError: not allowed here.
    """
    _checked(_libc().unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount something.

    Raises:
        OSError: not allowed here; names the target.
    """
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    result = _libc().mount(*texts, ctypes.c_ulong(flags), options.encode() or None)
    _checked(result, f"mount {target}")


def _word(value: int | bytes | ctypes.Array[ctypes.c_char] | None) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result
