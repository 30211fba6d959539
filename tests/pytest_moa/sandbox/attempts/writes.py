"""Attempts to change files, what is known of them, or the tree that they are in."""

# ruff: noqa: PTH101, PTH102, PTH104, PTH105, PTH108, PTH115, PTH123, PTH208, PTH211

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from attempts import libc


def create_in_project(state, a):
    Path(a["root"], "escaped").write_text("x")


def create_in_folder_of_project(state, a):
    Path(a["root"], "package", "escaped").write_text("x")


def overwrite(state, a):
    Path(a["victim"]).write_text("escaped")


def append(state, a):
    with open(a["victim"], "a") as opened:
        opened.write("escaped")


def truncate(state, a):
    os.truncate(a["victim"], 0)


def open_truncating(state, a):
    os.open(a["victim"], os.O_RDONLY | os.O_TRUNC)


def unlink(state, a):
    os.unlink(a["victim"])


def rename(state, a):
    os.rename(a["victim"], a["victim"] + ".escaped")


def replace_from_scratch(state, a):
    mine = Path(os.environ["TMPDIR"], "mine")
    mine.write_text("escaped")
    os.replace(mine, a["victim"])


def make_folder(state, a):
    os.mkdir(Path(a["outside"], "escaped"))


def make_link(state, a):
    os.symlink("/", Path(a["outside"], "escaped"))


def hard_link_and_write(state, a):
    mine = Path(os.environ["TMPDIR"], "mine")
    os.link(a["victim"], mine)
    mine.write_text("escaped")


def make_device(state, a):
    os.mknod(Path(os.environ["TMPDIR"], "disk"), 0o600 | 0o060000, os.makedev(254, 0))
    return "made"


def chmod(state, a):
    os.chmod(a["victim"], 0o777)


def fchmod(state, a):
    os.fchmod(os.open(a["victim_in_project"], os.O_RDONLY), 0o777)


def chown(state, a):
    os.chown(a["victim"], 12345, 12345)


def utime(state, a):
    os.utime(a["victim"], (1, 1))


def extended_attribute(state, a):
    os.setxattr(a["victim"], "user.escaped", b"x")


def in_users_tmp(state, a):
    Path(a["tmp"], "moa-escaped").write_text("x")


def in_users_home(state, a):
    Path(a["home"], "escaped").write_text("x")


def in_shared_memory(state, a):
    Path("/dev/shm/moa-escaped").write_text("x")


def by_root_of_process(state, a):
    for process in ("self", "1", str(a["client"])):
        try:
            Path(f"/proc/{process}/root{a['victim']}").write_text("escaped")
        except OSError:
            continue


def remount(state, a):
    libc.mount(None, b"/", None, 32 | 4096, None)
    Path(a["victim"]).write_text("escaped")


def another_namespace(state, a):
    """A new user namespace would give all capabilities, to mount and more."""
    if libc.unshare(0x10000000 | 0x00020000) == 0:
        return "entered"
    return None


def another_namespace_by_clone(state, a):
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    pid = libc.syscall(ctypes.c_long(number), ctypes.c_long(0x10000000 | 17), None, None, None, None)
    if pid == 0:
        os._exit(0)
    return "entered" if pid > 0 else None


def another_namespace_by_clone3(state, a):
    arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17)
    pid = libc.syscall(ctypes.c_long(435), arguments, ctypes.c_long(64))
    if pid == 0:
        os._exit(0)
    return "entered" if pid > 0 else None


def through_cached_descriptors(state, a):
    """Descriptors that were open before the sandbox was: a folder would lead out of it."""
    return [
        target
        for target in (_target(name) for name in os.listdir("/proc/self/fd"))
        if target and target.startswith("/") and not target.startswith(("/proc/", "/dev/", "/memfd"))
    ]


def _target(name):
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return None
