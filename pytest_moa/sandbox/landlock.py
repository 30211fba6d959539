"""Landlock: which files a process and all its children may open, and whom they may signal."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR

from pytest_moa.sandbox import kernel

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
SCOPE_ABSTRACT_SOCKETS, SCOPE_SIGNALS = 1 << 0, 1 << 1

READ = EXECUTE | READ_FILE | READ_DIR
EVERYTHING = (1 << 16) - 1

#: What may be allowed of a single file; the rest is about folders.
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

#: The version from which on a sandboxed process cannot truncate, and not signal those outside.
TRUNCATES, SCOPES = 3, 6

_VERSION_FLAG = 1
_BENEATH = 1


def version() -> int:
    """The version of Landlock here; 0 if there is none."""
    if not kernel.SUPPORTED:
        return 0
    try:
        return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


class Ruleset:
    """Rights that are taken away but for what is allowed; `restrict` can be called in a child."""

    def __init__(self, *, files: int, network: bool, scopes: bool) -> None:
        known = version()
        self.files = files & _files(known)
        sockets = 3 if network and known >= 4 else 0
        scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS if scopes and known >= SCOPES else 0
        attributes = struct.pack("QQQ", self.files, sockets, scoped)
        size = 24 if known >= SCOPES else 16 if known >= 4 else 8
        self.descriptor = kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, attributes, size, 0)
        os.set_inheritable(self.descriptor, False)

    def allow(self, path: Path, rights: int) -> None:
        """Allow so much of a file, or of all that is below a folder; nothing if it is not there."""
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                if not S_ISDIR(os.fstat(descriptor).st_mode):
                    rights &= OF_FILES
                rule = struct.pack("=Qi", rights & self.files, descriptor)
                if rights & self.files:
                    kernel.syscall(kernel.LANDLOCK_ADD_RULE, self.descriptor, _BENEATH, rule, 0)
            finally:
                os.close(descriptor)

    def restrict(self) -> None:
        """Restrict this process, for good. It must not be able to gain privileges any more."""
        kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, self.descriptor, 0)
        os.close(self.descriptor)


def _files(known: int) -> int:
    """The rights over files that this version knows."""
    return (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(known, 16)) - 1
