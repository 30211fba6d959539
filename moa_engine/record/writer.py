"""The one thread that writes: entries are queued, linked into the chain and committed in batches."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa_engine.attempt import Attempt
from moa_engine.errors import RecordDamaged, RecordError
from moa_engine.record.chain import link
from moa_engine.record.entries import Note, written
from moa_engine.record.file import explained

if TYPE_CHECKING:
    import sqlite3

#: Seconds that the first entry of a batch waits for more; all that a killed process can lose.
_GATHER = 0.05

#: Entries in one transaction: many, since an index page is then written once for several of them, but
#: not so many that other processes wait long for their turn (about 50 ms).
_BATCH = 1024

#: Seconds until a failed write is tried again, unless somebody asks for it earlier.
_RETRY = 1.0

#: Rows in one INSERT. Python's sqlite3 gives up the GIL at each statement, and beside a busy event
#: loop may get it back only after 5 ms: one statement per row took seven times as long.
_ROWS = 128


class Writer:
    """Queue of entries in front of the chain.

    What cannot be written stays queued, in order, and is tried again: by itself after a second, and
    by each `flush`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._changed = threading.Condition()
        self._queue: deque[Attempt | Note] = deque()
        self._usable: dict[str, Attempt] = {}  # of what is queued, the newest usable attempt by key
        self._added = 0
        self._done = 0
        self._failures = 0
        self._failing = False
        self._failure = RecordError("")  # the last one; of no meaning before there is one
        self._hurry = False
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> RecordError | None:
        """Why the last write failed; None when it did not."""
        with self._changed:
            return self._failure if self._failing else None

    def add(self, entry: Attempt | Note) -> None:
        """Queue an entry. Cheap, and never waits for the disk."""
        with self._changed:
            if self._closing:
                raise RecordError(f"The record {self._path} is closed.")
            self._queue.append(entry)
            self._added += 1
            if isinstance(entry, Attempt) and not entry.error_code and entry.purpose != "cached":
                self._usable[entry.key] = entry
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="moa-record", daemon=True)
                self._thread.start()
            elif len(self._queue) in (1, _BATCH):
                self._changed.notify_all()

    def queued(self, key: str) -> Attempt | None:
        """The newest usable attempt with this key among those that are not committed yet."""
        with self._changed:
            return self._usable.get(key)

    def flush(self) -> None:
        """Wait until all that is queued now is committed.

        Raises:
            RecordError: a write failed; the entries are still queued.
        """
        with self._changed:
            target, failures = self._added, self._failures
            self._hurry = self._done < target
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done >= target or self._failures > failures)
            if self._done < target:
                failure = self._failure
                raise type(failure)(failure.message, hint=failure.hint) from failure

    def close(self) -> None:
        """Flush, end the thread and close the connection, whether or not the flush worked.

        Raises:
            RecordError: what was queued could not be written, and is lost.
        """
        try:
            self.flush()
        except RecordError as error:
            message = f"{error.message} Entries that were not recorded: {len(self._queue)}."
            raise type(error)(message, hint=error.hint) from error
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            if self._thread is not None:
                self._thread.join()
            self._connection.close()

    def _work(self) -> None:
        while batch := self._next_batch():
            try:
                self._write(batch)
            except Exception as error:  # a dead thread would make flush wait for ever
                self._failed(error)
            else:
                self._succeeded(batch)

    def _next_batch(self) -> list[Attempt | Note]:
        """The next entries to write, still in the queue; none when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if not (self._hurry or self._closing):
                enough = _BATCH if not self._failing else float("inf")
                self._changed.wait_for(
                    lambda: self._hurry or self._closing or len(self._queue) >= enough,
                    timeout=_RETRY if self._failing else _GATHER,
                )
            if self._closing:
                return []
            return list(itertools.islice(self._queue, _BATCH))

    def _succeeded(self, batch: list[Attempt | Note]) -> None:
        with self._changed:
            for entry in batch:
                self._queue.popleft()
                if isinstance(entry, Attempt) and self._usable.get(entry.key) is entry:
                    del self._usable[entry.key]
            self._done += len(batch)
            self._failing = False
            self._hurry = self._hurry and bool(self._queue)
            self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        import sqlite3

        if isinstance(error, sqlite3.Error):
            problem = explained(error, self._path)
            problem.__cause__ = error
        elif isinstance(error, RecordError):
            problem = error
        else:
            problem = RecordError(f"An entry cannot be written to the record {self._path}: {error!r}.")
            problem.__cause__ = error
        with self._changed:
            self._failure, self._failing = problem, True
            self._failures += 1
            self._hurry = False
            self._changed.notify_all()

    def _write(self, batch: list[Attempt | Note]) -> None:
        pieces: dict[bytes, bytes] = {}
        bodies = [written(entry, pieces) for entry in batch]
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            head = execute("SELECT seq, hash FROM head").fetchone()
            if head is None:
                message = f"The record {self._path} has lost the head of its chain."
                raise RecordDamaged(message, hint="Move it away; a new one is made in its place.")
            seq, previous = head
            rows = []
            for body in bodies:
                seq += 1
                digest = link(previous, seq, body.encode())
                rows.append((seq, previous, digest, body))
                previous = digest
            _insert(execute, "OR IGNORE INTO piece (hash, data)", 2, pieces.items())
            _insert(execute, "INTO entry (seq, prev, hash, body)", 4, rows)
            execute("UPDATE head SET seq = ?, hash = ?", (seq, previous))
            execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                execute("ROLLBACK")


def _insert(execute: Callable[..., Any], into: str, columns: int, rows: Iterable[tuple[Any, ...]]) -> None:
    row = f"({','.join('?' * columns)})"
    rest = iter(rows)
    while some := list(itertools.islice(rest, _ROWS)):
        values = ",".join([row] * len(some))
        execute(f"INSERT {into} VALUES {values}", list(itertools.chain.from_iterable(some)))  # noqa: S608
