"""Giving up privileges: capabilities, and being root."""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from pathlib import Path

from pytest_moa.sandbox import kernel

#: "nobody", whom the limits on processes hold for. They do not for root.
NOBODY = 65534

_READ_SEARCH = 2  # the capability to read what file modes forbid
_VERSION_3 = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}
_AMBIENT_RAISE = 2
_LAST = 63


def user_and_group() -> tuple[int, int]:
    """Who jobs will run as: the user, or nobody if that is root and nobody is known here."""
    if os.geteuid() == 0 and kernel.SUPPORTED and _known(NOBODY):
        return NOBODY, NOBODY
    return os.geteuid(), os.getegid()


def drop(user: int, group: int) -> None:
    """Become this user, with no capability, and never gain any again.

    Who was root goes on reading what root may read: the interpreter can lie in root's home. Landlock says
    what may be read at all.
    """
    was_root = os.geteuid() == 0
    keep = 1 << _READ_SEARCH if was_root else 0
    for capability in range(_LAST + 1):
        if not keep >> capability & 1:
            with suppress(OSError):  # above the kernel's last one, or not there to be dropped
                kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    if was_root and user != 0:
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    _set(keep)
    if keep:
        kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_RAISE, _READ_SEARCH)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def _set(mask: int) -> None:
    import platform

    header = struct.pack("Ii", _VERSION_3, 0)
    data = struct.pack("IIIIII", mask, mask, mask, 0, 0, 0)
    buffer = ctypes.create_string_buffer(header, len(header))
    kernel.syscall(_CAPSET[platform.machine()], buffer, data)


def _known(user: int) -> bool:
    """Whether this number is one of a user in this namespace."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= user < int(first) + int(count) for first, _, count in ranges)
