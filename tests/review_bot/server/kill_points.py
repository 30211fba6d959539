"""Points of the server's work: what happens, heard by a watcher that can kill the server right there.

A point is something that happens, such as "before POST pulls/reviews" or "after job commits INSERT
run_records", and its number among those that are called the same. All that happens is known: requests from
the tests' GitHub and from the models, commits from the server's processes (`instrumented`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.review_bot.github.fake_github import Sent
from tests.review_bot.server.jobs_world import said


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill. `orphans`: only the server itself; its jobs' processes have to end by themselves."""

    what: str
    number: int = 1
    orphans: bool = False
    later: bool = False  #: after a second push, which mends one mistake and makes another

    def __str__(self) -> str:
        number = f" #{self.number}" if self.number > 1 else ""
        how = ", jobs' processes left" if self.orphans else ""
        return f"{self.what}{number}{how}{', second push' if self.later else ''}"


class Watcher:
    """Hears of everything that happens; kills the server when it is at the point."""

    def __init__(self, folder: Path, point: Point | None = None) -> None:
        self.point = point
        self.armed = True
        self.happened: Counter[str] = Counter()
        self.order: list[str] = []
        self.pids: list[int] = []  #: the server's first
        self.killed = threading.Event()
        self.path = folder / f"w{uuid.uuid4().hex[:8]}"
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        self.path.unlink()

    def at(self, what: str) -> bool:
        """Something happens; whether the server was killed for that."""
        with self._lock:
            if self.killed.is_set():
                return True
            if not self.armed:
                return False
            self.happened[what] += 1
            self.order.append(what)
            point = self.point
            if point is None or (what, self.happened[what]) != (point.what, point.number):
                return False
            for pid in self.pids[:1] if point.orphans else self.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.killed.set()
            return True

    def github(self, phase: str, sent: Sent) -> None:
        """A watcher of the tests' GitHub: what is killed before it arrives does not arrive."""
        if self.at(f"{phase} {_named(sent)}") and phase == "before" and self.point and not self.point.orphans:
            raise ConnectionAbortedError

    def model(self, request: Any) -> str:
        """What a model answers."""
        self.at(f"before model {request['model']} answers")
        return said(request)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rwb") as stream:
            for line in stream:
                what = json.loads(line)
                if what.startswith("process "):
                    with self._lock:
                        self.pids.append(int(what.split()[1]))
                    killed = False
                else:
                    killed = self.at(what)
                if killed and not (self.point and self.point.orphans):
                    return  # it has no answer, in case that it is not quite dead
                stream.write(b"\n")
                stream.flush()


def _named(sent: Sent) -> str:
    """A request's name, without numbers and commits."""
    if sent.path == "/graphql":
        return f"GraphQL {re.sub(r'[^{]*{ *', '', sent.data['query'], count=1).split('(')[0].split()[0]}"
    path = re.sub(r"/repos/[^/]+/[^/]+|/[0-9a-f.]{40,}|\d+", "", sent.path).strip("/")
    return f"{sent.method} {re.sub('/+', '/', path) or 'repository'}"


#: How often at most the server is killed at points of one name: what is done again and again has no end.
_OFTEN = 2
_MORE = {"UPDATE executors": 1, "UPDATE workflow_status": 4, "UPDATE jobs": 4, "INSERT kept_answers": 3}


def points_of(order: Sequence[str], *, later: bool = False) -> list[Point]:
    """The points of a run that was not killed, by what happened in it; of a second push what GitHub gets."""
    found: list[Point] = []
    for what, count in Counter(order).items():
        most = next((n for name, n in _MORE.items() if what.endswith(f"commits {name}")), _OFTEN)
        found += [Point(what, number) for number in range(1, min(count, most) + 1)]
    if later:
        return [replace(point, later=True) for point in found if _writes_to_github(point)]
    orphans = [replace(point, orphans=True) for point in found if _of_a_job(point)]
    return found + orphans


def _writes_to_github(point: Point) -> bool:
    name = point.what.partition(" ")[2]
    return name.startswith(
        ("POST pulls", "POST issues", "PATCH", "PUT", "GraphQL minimize", "GraphQL resolve")
    )


def _of_a_job(point: Point) -> bool:
    """Whether a job's process does it that matters if it goes on."""
    name = point.what.partition(" ")[2]
    return name.startswith(("POST pulls", "POST issues", "model", "job commits INSERT"))
