"""Reading the record's file: entries, texts, and runs by id."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moa_engine.attempt import Attempt
from moa_engine.errors import RecordError
from moa_engine.record.chain import Verification, walk
from moa_engine.record.entries import Body, attempt_from
from moa_engine.record.file import explained
from moa_engine.record.texts import Kept, restore

if TYPE_CHECKING:
    import sqlite3

# Both take their index only while they repeat the index's own condition; INDEXED BY makes sure of it.
_FIND = """
SELECT body FROM entry INDEXED BY entry_key
WHERE error_code = '' AND purpose <> 'cached' AND key = ? ORDER BY seq DESC LIMIT 1
"""
_LATENCIES = """
SELECT seconds FROM entry INDEXED BY entry_member
WHERE error_code = '' AND purpose <> 'cached' AND member = ? AND model = ? AND endpoint = ?
ORDER BY seq DESC LIMIT ?
"""
_EVENTS_OF = """
SELECT body FROM entry WHERE type = 'event' AND run = (
    SELECT start.run FROM entry AS start JOIN entry AS ended ON ended.run = start.run
    WHERE start.type = 'start' AND start.key = ?
    AND ended.type = 'end' AND json_extract(ended.body, '$.status') = 'complete'
    ORDER BY start.seq DESC LIMIT 1
) ORDER BY seq
"""


class Reader:
    """One connection for all threads. Each question sees what is committed at that moment."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT.

        Raises:
            RecordError: the file cannot be read.
        """
        import sqlite3

        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    def find(self, key: str) -> Attempt | None:
        """The newest usable attempt with this key."""
        rows = self.rows(_FIND, key)
        return attempt_from(json.loads(rows[0][0]), self.texts()) if rows else None

    def latencies(self, member: str, model: str, endpoint: str, limit: int) -> list[float]:
        """Seconds of usable attempts, newest first."""
        return [seconds for (seconds,) in self.rows(_LATENCIES, member, model, endpoint, limit)]

    def events_of(self, key: str) -> list[Body]:
        """The events of the newest complete run with this key, in order."""
        return [json.loads(body) for (body,) in self.rows(_EVENTS_OF, key)]

    def entries(self, run: str) -> list[tuple[int, str, Body]]:
        """Number, hash and body of each entry of a run, in order."""
        rows = self.rows("SELECT seq, hex(hash), body FROM entry WHERE run = ? ORDER BY seq", run)
        return [(seq, digest.lower(), json.loads(body)) for seq, digest, body in rows]

    def starts(self, limit: int) -> list[Body]:
        """The first entries of the last runs, newest first."""
        sql = "SELECT body FROM entry INDEXED BY entry_start WHERE type = 'start' ORDER BY seq DESC LIMIT ?"
        return [json.loads(body) for (body,) in self.rows(sql, limit)]

    def run_id(self, wanted: str) -> str:
        """The id of the run that begins with `wanted`, or of the "last" one.

        Raises:
            RecordError: there is none, or more than one.
        """
        known = [run for (run,) in self.rows("SELECT run FROM entry WHERE type = 'start' ORDER BY seq DESC")]
        if not known:
            raise RecordError(f"There is no run {wanted!r}: the record {self._path} is empty.")
        if wanted == "last":
            return str(known[0])
        if wanted in known:
            return wanted
        fitting = [run for run in known if wanted and run.startswith(wanted)]
        if len(fitting) == 1:
            return str(fitting[0])
        if fitting:
            raise RecordError(f"More than one run begins with {wanted!r}.", hint=_listed("They are", fitting))
        from difflib import get_close_matches

        near = get_close_matches(wanted, known, n=3, cutoff=0.5)
        hint = _listed("Near it:", near) if near else _listed("The last ones are", known)
        raise RecordError(f"There is no run {wanted!r} in the record {self._path}.", hint=hint)

    def texts(self) -> Callable[[Kept], str]:
        """What restores the texts of bodies. Its memory is for one piece of work, then dropped."""

        @lru_cache(maxsize=256)
        def fetch(digest: bytes) -> bytes | None:
            rows = self.rows("SELECT data FROM piece WHERE hash = ?", digest)
            return rows[0][0] if rows else None

        return lambda kept: restore(kept, fetch)

    def verify(self) -> Verification:
        """Walk the whole chain."""
        import sqlite3

        with self._lock:
            try:
                self._connection.execute("BEGIN")
                return walk(self._connection)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                    raise explained(error, self._path) from error
                return Verification(ok=False, rows=0, head="", why=f"the file is damaged: {error}")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _listed(words: str, runs: list[str]) -> str:
    return f"{words} {', '.join(runs[:3])}{', ...' if len(runs) > 3 else ''}."
