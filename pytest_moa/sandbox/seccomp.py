"""A filter for system calls: what no test needs and what reaches others.

Nothing is killed for trying: a call fails as if it were not allowed or not there, and the program goes on.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from collections.abc import Iterable

from pytest_moa.sandbox import kernel
from pytest_moa.sandbox.syscalls import (
    CLOCKS_AND_MACHINE,
    METADATA,
    MOUNTS_AND_NAMESPACES,
    NUMBERS,
    OTHERS_MEMORY,
    OUTSIDE_FILES,
    PID_FIRST,
    PID_SECOND,
    SHARED_WITHOUT_FILES,
    SIGNALS,
    UNCOMMON_KERNEL,
)

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # x86_64 kernels may take a second set of numbers, from here on

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW = 0x7FFF0000
_FAIL = 0x00050000

_NUMBER, _ARCHITECTURE = 0, 4  # where they stand in what the filter sees
_NEW_NAMESPACES = 0x7E020080
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # typing into a terminal

Instruction = tuple[int, int, int, int]

_PASS: Instruction = (_RETURN, 0, 0, _ALLOW)


class _Program:
    """A filter in the making. Every rule ends with a verdict, so that none has to know of the next one."""

    def __init__(self) -> None:
        machine = platform.machine()
        self._column = list(_MACHINES).index(machine)
        self._instructions: list[Instruction] = [
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 1, 0, _MACHINES[machine]),
            _fail(errno.ENOSYS),
            (_LOAD, 0, 0, _NUMBER),
            (_AT_LEAST, 0, 1, _X32),
            _fail(errno.ENOSYS),
        ]

    def rule(self, name: str, *verdict: Instruction) -> None:
        """What becomes of one system call, if the architecture has it."""
        number = NUMBERS[name][self._column]
        if number is not None:
            self._instructions += [(_EQUAL, 0, len(verdict), number), *verdict]

    def install(self) -> None:
        """Filter this process and its children, for good."""
        packed = b"".join(struct.pack("=HBBI", *one) for one in [*self._instructions, _PASS])
        buffer = ctypes.create_string_buffer(packed, len(packed))
        kernel.prctl(kernel.PR_SET_SECCOMP, 2, struct.pack("@HP", len(packed) // 8, ctypes.addressof(buffer)))


def restrict(*, own_processes: bool, own_mounts: bool) -> None:
    """Filter the system calls of this process and its children, for good.

    With `own_processes` the only other one in its namespace is number 1, the warm process, which is not to
    be touched; without, it may change none but itself. Without `own_mounts` changes of a file's metadata
    are not done, which nobody is told.
    """
    program = _Program()
    for name in (
        *OTHERS_MEMORY,
        *MOUNTS_AND_NAMESPACES,
        *OUTSIDE_FILES,
        *SHARED_WITHOUT_FILES,
        *CLOCKS_AND_MACHINE,
    ):
        program.rule(name, _fail(errno.EPERM))
    for name in UNCOMMON_KERNEL:  # libraries do without when it is not there
        program.rule(name, _fail(errno.ENOSYS))
    program.rule("clone", *_only_without(0, _NEW_NAMESPACES))
    families = (socket.AF_INET, socket.AF_INET6) if own_mounts else ()
    program.rule("socket", *_only(0, families, errno.EAFNOSUPPORT))
    # Of pairs only connected streams: a datagram socket can be turned to any address afterwards.
    program.rule("socketpair", *_only(1, (socket.SOCK_STREAM,), errno.EPERM, mask=0xF))
    program.rule("ioctl", *_not(1, (_TIOCSTI, _TIOCLINUX)))

    def of_process(argument: int) -> list[Instruction]:
        return _not(argument, (1,)) if own_processes else _only(argument, (0,), errno.EPERM)

    for name in PID_FIRST:
        program.rule(name, *of_process(0))
    for name, kind in PID_SECOND.items():
        program.rule(name, _argument(0), (_EQUAL, 1, 0, kind), _fail(errno.EPERM), *of_process(1))
    if own_processes:
        for name in SIGNALS:
            program.rule(name, *of_process(0))
    if not own_mounts:
        for name in METADATA:
            program.rule(name, _fail(0))
    program.install()


def restrict_signals() -> None:
    """Let this process and its children signal nobody but their own group, for good."""
    program = _Program()
    for name in SIGNALS:
        program.rule(name, *_only(0, (0,), errno.EPERM))
    program.install()


def _fail(error: int) -> Instruction:
    return (_RETURN, 0, 0, _FAIL | error)


def _argument(index: int) -> Instruction:
    """Load the low 32 bits of an argument: all of an int, and what the kernel looks at of these."""
    return (_LOAD, 0, 0, 16 + 8 * index)


def _only(index: int, values: Iterable[int], error: int, *, mask: int = 0xFFFFFFFF) -> list[Instruction]:
    """Allowed with one of these values, else it fails."""
    values = list(values)
    checks = [(_EQUAL, len(values) - n, 0, value) for n, value in enumerate(values)]
    return [_argument(index), (_AND, 0, 0, mask), *checks, _fail(error), _PASS]


def _not(index: int, values: Iterable[int]) -> list[Instruction]:
    """Not allowed with any of these values."""
    values = list(values)
    checks = [(_EQUAL, len(values) - n, 0, value) for n, value in enumerate(values)]
    return [_argument(index), *checks, _PASS, _fail(errno.EPERM)]


def _only_without(index: int, bits: int) -> list[Instruction]:
    """Allowed with none of these bits."""
    return [
        _argument(index),
        (_AND, 0, 0, bits),
        (_EQUAL, 0, 1, 0),
        _PASS,
        _fail(errno.EPERM),
    ]
