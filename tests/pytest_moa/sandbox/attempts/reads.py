"""Attempts to read secrets. Each returns what it has read."""

# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from pathlib import Path

from attempts import syscall


def read_outside(state, a):
    return Path(a["secret"]).read_text()


def read_from_home(state, a):
    return Path(a["home"], ".netrc").read_text()


def read_from_real_home(state, a):
    home = Path(pwd.getpwuid(a["uid"]).pw_dir)
    return [path.read_text(errors="replace") for path in home.glob(".*") if path.is_file()]


def read_shadow(state, a):
    return Path("/etc/shadow").read_text()


def read_dotenv(state, a):
    return Path(a["root"], ".env").read_text()


def read_dotenv_below(state, a):
    return Path(a["root"], "package", ".env.production").read_text()


def read_git_config(state, a):
    return Path(a["root"], ".git", "config").read_text()


def read_pypirc(state, a):
    return Path(a["root"], ".pypirc").read_text()


def read_by_link(state, a):
    """A link of the user's in the project that leads out of it."""
    return Path(a["root"], "link").read_text()


def read_by_own_link(state, a):
    mine = Path(os.environ["TMPDIR"], "link")
    mine.symlink_to(a["secret"])
    return mine.read_text()


def read_by_dotdot(state, a):
    return Path(os.environ["TMPDIR"], *[".."] * 20, *Path(a["secret"]).parts[1:]).read_text()


def read_by_handle(state, a):
    handle = (ctypes.c_ubyte * 136)()
    ctypes.cast(handle, ctypes.POINTER(ctypes.c_uint))[0] = 128
    mount = ctypes.c_int()
    x86 = os.uname().machine == "x86_64"
    at = ctypes.c_int(-100)
    syscall(303 if x86 else 264, at, a["secret"].encode(), handle, ctypes.byref(mount), 0)
    root = os.open(a["root"], os.O_RDONLY)
    opened = syscall(304 if x86 else 265, ctypes.c_int(root), handle, ctypes.c_int(os.O_RDONLY))
    return os.read(opened, 100).decode()


def read_by_another_program(state, a):
    return subprocess.run(["cat", a["secret"]], check=False, capture_output=True, text=True).stdout


def environment(state, a):
    return [value for value in os.environ.values() if "sesame" in value]


def environment_of_processes(state, a):
    found = []
    for process in ("self", "1", str(a["client"])):
        try:
            found.append(Path(f"/proc/{process}/environ").read_text())
        except OSError:
            continue
    return [text for text in found if "sesame" in text]


def command_line_of_client(state, a):
    return Path(f"/proc/{a['client']}/cmdline").read_text()


def processes_seen(state, a):
    """Of the machine's processes, those that are not the sandbox's."""
    return [name for name in os.listdir("/proc") if name.isdigit() and int(name) > 1000]


def memory_of_server(state, a):
    with open(f"/proc/{os.getppid()}/mem", "rb") as opened:
        opened.seek(id(state))
        return opened.read(8).hex()


def memory_of_server_by_call(state, a):
    local, remote = ctypes.create_string_buffer(8), id(state)
    one = (ctypes.c_uint64 * 2)(ctypes.addressof(local), 8)
    two = (ctypes.c_uint64 * 2)(remote, 8)
    return syscall(310 if os.uname().machine == "x86_64" else 270, os.getppid(), one, 1, two, 1, 0)


def keyring(state, a):
    number = 250 if os.uname().machine == "x86_64" else 219
    return syscall(number, 0, ctypes.c_long(-4), 1)
