"""The world outside of a sandbox in which escapes are attempted: listeners, files, a home, a project."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

#: What stands in every secret; a job that returns it has escaped.
SESAME = "open sesame"

HERE = Path(__file__).parent


class Outside:
    """Real listeners and files in `folder`; `changes` says what has been done to them since the last look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.home = folder / "home"
        self._write()
        self._listeners = self._listen()
        self._before = self._state()

    def arguments(self) -> dict[str, Any]:
        """What the attempts are told: a hostile program would find it out."""
        names = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        return {
            "tcp": self._listeners["tcp"].getsockname()[1],
            "udp": self._listeners["udp"].getsockname()[1],
            "unix": self._listeners["unix"].getsockname(),
            "unix_in_project": self._listeners["unix_in_project"].getsockname(),
            "unix_datagram": self._listeners["unix_datagram"].getsockname(),
            "abstract": self._listeners["abstract"].getsockname()[1:].decode(),
            "addresses": sorted(names),
            "root": str(self.project),
            "outside": str(self.folder),
            "victim": str(self.folder / "victim"),
            "victim_in_project": str(self.project / "package" / "victim"),
            "secret": str(self.folder / "secret"),
            "home": str(self.home),
            "tmp": "/tmp",
            "client": os.getpid(),
            "client_group": os.getpgid(0),
            "uid": os.getuid(),
        }

    def changes(self) -> list[str]:
        """Everything that is not as it was, and every listener that heard something."""
        now, before = self._state(), self._before
        self._before = now
        changed = [str(path) for path in sorted({*now, *before}) if now.get(path) != before.get(path)]
        return [*changed, *(name for name, one in self._listeners.items() if _heard(one))]

    def close(self) -> None:
        for one in self._listeners.values():
            one.close()

    def _write(self) -> None:
        secrets = (".env", ".netrc", ".pypirc", ".git/config", "package/.env.production")
        for path in (
            self.folder / "secret",
            self.home / ".netrc",
            *(self.project / name for name in secrets),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SESAME)
        for path in (self.folder / "victim", self.project / "package" / "victim"):
            path.write_text("untouched")
        (self.project / "link").symlink_to(self.folder / "secret")

    def _listen(self) -> dict[str, socket.socket]:
        both = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        listeners = {"tcp": both, "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}
        listeners["udp"].bind(("127.0.0.1", 0))
        for name, kind, address in (
            ("unix", socket.SOCK_STREAM, str(self.folder / "s")),
            ("unix_in_project", socket.SOCK_STREAM, str(self.project / "s")),
            ("unix_datagram", socket.SOCK_DGRAM, str(self.folder / "d")),
            ("abstract", socket.SOCK_STREAM, f"\0moa-{os.getpid()}-{id(self)}"),
        ):
            listeners[name] = socket.socket(socket.AF_UNIX, kind)
            listeners[name].bind(address)
            if kind == socket.SOCK_STREAM:
                listeners[name].listen()
        for one in listeners.values():
            one.setblocking(False)
        return listeners

    def _state(self) -> dict[Path, object]:
        places = [*self.folder.rglob("*"), *Path("/tmp").glob("moa-escaped"), *Path("/dev/shm").glob("moa-*")]
        return {path: _facts(path) for path in places}


def _facts(path: Path) -> object:
    found = path.lstat()
    text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    attributes = os.listxattr(path, follow_symlinks=False)
    changed = 0 if path.is_dir() else found.st_mtime_ns
    return (found.st_mode, found.st_uid, found.st_gid, found.st_nlink, changed, text, attributes)


def _heard(listener: socket.socket) -> bool:
    with suppress(BlockingIOError):
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(100)
        else:
            listener.accept()[0].close()
        return True
    return False
