"""Namespaces: a network, processes, users and a file tree of the sandbox's own."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from pathlib import Path

from pytest_moa.sandbox import kernel

#: user, processes, network, IPC, host name
_NEW = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000
_NEW_MOUNTS = 0x00020000

_NOSUID, _NODEV, _NOEXEC, _RDONLY, _BIND, _RECURSIVE, _PRIVATE = 2, 4, 8, 1, 4096, 16384, 1 << 18
_AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY = -100, 0x8000, 1

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

#: Files that a scratch folder may have.
MOST_FILES = 100_000


def enter() -> None:
    """Leave the user's namespaces. This process's next child is the first process of the new ones.

    Raises:
        OSError: not allowed here.
    """
    left, entered = os.pipe()
    mapper = os.fork()
    if mapper == 0:  # it stays outside: only from there can users be mapped
        try:
            os.close(entered)
            if os.read(left, 1):
                _map_users(os.getppid())
                os._exit(0)
        finally:
            os._exit(1)
    os.close(left)
    try:
        kernel.unshare(_NEW)
        os.write(entered, b"x")
    finally:
        os.close(entered)
        status = os.waitpid(mapper, 0)[1]
    if status:
        raise PermissionError("users cannot be mapped into a namespace here")


def _map_users(process: int) -> None:
    """Give everybody in the process's new namespace the number that he has outside.

    Root maps all users: it has to become another one, whom limits hold for, and still read root's files.
    """
    folder = Path(f"/proc/{process}")
    for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
        lines = Path(f"/proc/self/{kind}_map").read_text().splitlines()
        everybody = "\n".join(f"{line.split()[0]} {line.split()[0]} {line.split()[2]}" for line in lines)
        if os.geteuid() == 0:
            try:
                (folder / f"{kind}_map").write_text(everybody)
                continue
            except PermissionError:  # root of a container that may not change users
                pass
        (folder / "setgroups").write_text("deny")
        (folder / f"{kind}_map").write_text(f"{own} {own} 1")


def own_tree(box: Path, capacity: int, user: int, group: int) -> None:
    """Make the file tree read-only for this process, but for an empty `box` of so many bytes in memory.

    Raises:
        OSError: not allowed here.
    """
    kernel.unshare(_NEW_MOUNTS)
    kernel.mount(None, "/", None, _RECURSIVE | _PRIVATE)
    attributes = struct.pack("QQQQ", _ATTR_RDONLY, 0, 0, 0)
    kernel.syscall(kernel.MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, len(attributes))
    options = f"size={capacity},nr_inodes={MOST_FILES},mode=0700,uid={user},gid={group}"
    kernel.mount("moa", str(box), "tmpfs", _NOSUID | _NODEV, options)
    shared = box / "shm"
    shared.mkdir()
    os.chown(shared, user, group)
    if Path("/dev/shm").is_dir():  # noqa: S108 - where shared memory has to be
        kernel.mount(str(shared), "/dev/shm", None, _BIND)  # noqa: S108
    os.chdir(Path.cwd())  # the folder is the same, the mount that it is reached by is another one


def own_processes() -> bool:
    """Let /proc show the sandbox's processes and no others; False where containers do not allow that."""
    try:
        kernel.mount("proc", "/proc", "proc", _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    except PermissionError:
        return False
    return True


def loopback_up() -> None:
    """Bring 127.0.0.1 up: the one address of the new network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        request = fcntl.ioctl(opened, _SIOCGIFFLAGS, struct.pack("16sH22x", b"lo", 0))
        flags = struct.unpack("16sH22x", request)[1]
        fcntl.ioctl(opened, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
