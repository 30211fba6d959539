"""Attempts to signal, trace, starve or slow other processes, and to gain privileges."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
from pathlib import Path

from attempts import syscall


def signal_client(state, a):
    os.kill(a["client"], signal.SIGKILL)


def signal_group_of_client(state, a):
    os.killpg(a["client_group"], signal.SIGKILL)


def signal_server(state, a):
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(os.getppid(), one)
        except OSError:
            continue


def signal_everybody(state, a):
    os.kill(-1, signal.SIGKILL)


def queue_signal_to_server(state, a):
    information = (ctypes.c_int * 32)(signal.SIGKILL, 0, -1)
    number = 129 if os.uname().machine == "x86_64" else 138
    syscall(number, os.getppid(), int(signal.SIGKILL), information)


def signal_by_descriptor(state, a):
    signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)
    return "sent"


def trace_server(state, a):
    number = 101 if os.uname().machine == "x86_64" else 117
    return syscall(number, ctypes.c_long(16), ctypes.c_long(os.getppid()), None, None)


def trace_client(state, a):
    number = 101 if os.uname().machine == "x86_64" else 117
    return syscall(number, ctypes.c_long(16), ctypes.c_long(a["client"]), None, None)


def starve_server(state, a):
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
        try:
            resource.prlimit(os.getppid(), kind, (0, 0))
        except OSError:
            continue


def slow_server(state, a):
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
    return "slowed"


def own_limits(state, a):
    """Raise what the sandbox has lowered."""
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CPU):
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "raised"


def become_root(state, a):
    os.setresuid(0, 0, 0)
    return "root" if a["uid"] else None  # whoever is root already has nothing to gain


def capabilities(state, a):
    """All capabilities but reading; by a set-uid program, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    mine = {name: int(value, 16) for name, value in (line.split(":\t") for line in lines if "Cap" in line)}
    return [name for name, value in mine.items() if value & ~4]


def type_into_terminal(state, a):
    for descriptor in range(3):
        fcntl.ioctl(descriptor, 0x5412, b"x")
    return "typed"
