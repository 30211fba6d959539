"""Found by every Python that the server starts: it tells whoever watches of each commit, and waits for leave.

Imported before anything else of the process, where `WATCHED_BY` names the watcher's socket.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from typing import Any

_WRITES = re.compile(
    r'\s*(INSERT|UPDATE|DELETE)\s+(?:OR\s+\w+\s+)?(?:INTO\s+|FROM\s+)?([\w."]+)', re.IGNORECASE
)


class Watched:
    """This process's connection to the watcher."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._stream = self._socket.makefile("rwb")
        self.tell(f"process {os.getpid()}")

    def tell(self, what: str) -> None:
        """Say what is about to happen, or has happened, and wait until that is heard."""
        with self._lock:
            self._stream.write(json.dumps(what).encode() + b"\n")
            self._stream.flush()
            self._stream.readline()


def watch_commits(watched: Watched, role: str) -> None:
    """Tell of each commit, before and after, by the tables that it writes."""
    from sqlalchemy import Connection, Engine, event

    commit = Connection._commit_impl

    def executed(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if found := _WRITES.match(statement):
            table = found[2].rpartition(".")[2].strip('"')
            connection.info.setdefault("written", {})[f"{found[1].upper()} {table}"] = None

    def committed(self: Any) -> None:
        written = ", ".join(self.info.pop("written", ()))
        if written:
            watched.tell(f"before {role} commits {written}")
        commit(self)
        if written:
            watched.tell(f"after {role} commits {written}")

    def rolled_back(connection: Any) -> None:
        connection.info.pop("written", None)

    event.listen(Engine, "before_cursor_execute", executed)
    event.listen(Engine, "rollback", rolled_back)
    Connection._commit_impl = committed  # type: ignore[method-assign]


def hurry() -> None:
    """No second between two writes, as GitHub asks for."""
    from review_bot.github import posting
    from review_bot.github.client import Connection

    defaults = [*Connection.__init__.__defaults__]  # type: ignore[misc]
    defaults[defaults.index(1.0)] = 0.0
    Connection.__init__.__defaults__ = tuple(defaults)  # type: ignore[misc]
    posting._LAG = 0.01


if path := os.environ.get("WATCHED_BY", ""):
    arguments = sys.orig_argv
    if "review_bot.server.review_process" in arguments or "serve" in arguments:
        hurry()
        watch_commits(Watched(path), "server" if "serve" in arguments else "job")
