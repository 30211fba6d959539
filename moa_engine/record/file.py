"""The record's file: made private, opened safely, and its failures put into words."""

from __future__ import annotations

import errno
import os
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import RecordDamaged, RecordError

if TYPE_CHECKING:
    import sqlite3

#: SQLite's application id: the bytes "MoAr".
APPLICATION_ID = int.from_bytes(b"MoAr")

#: The format, in SQLite's user_version. A reader refuses formats that are newer than itself.
FORMAT = 1

_ELSEWHERE = 'Name another place with `record = "PATH"` in [tool.moa] or with MOA_RECORD.'


def open_for_writing(path: Path, wait: float) -> sqlite3.Connection:
    """Open the record, make it if there is none (folder 0700, file 0600), and prove that it can be written.

    `wait` is how many seconds another process may hold the file locked.

    Raises:
        RecordError: not writable, locked, not a record, or of a newer format.
        RecordDamaged: SQLite cannot read the file.
    """
    import sqlite3

    _make_private(path)
    connection = _connect(path, wait)
    try:
        _make_or_check(connection, path)
        _use_wal(connection, path, wait)
        # Enough against a killed process. After a power cut the last commits may be missing, nothing else.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise explained(error, path) from error
        raise
    return connection


def open_for_reading(path: Path, wait: float) -> sqlite3.Connection:
    """A second connection to a record that `open_for_writing` has opened; writers never block it."""
    connection = _connect(path, wait)
    connection.execute("PRAGMA query_only = ON")
    return connection


def explained(error: sqlite3.Error, path: Path) -> RecordError:
    """SQLite's error as a sentence for people."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; the rest says where in SQLite
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            message = f"The record {path} is locked by another process."
            return RecordError(message, hint="Try again when that process is done. " + _ELSEWHERE)
        case sqlite3.SQLITE_FULL:
            message = f"The record {path} cannot be written: the disk is full."
            return RecordError(
                message, hint="Free some space. What was recorded before is safe. " + _ELSEWHERE
            )
        case sqlite3.SQLITE_IOERR:
            message = f"The record {path} cannot be read or written ({error})."
            hint = "The disk may be full, or a limit on file size reached. What was recorded before is safe. "
            return RecordError(message, hint=hint + _ELSEWHERE)
        case sqlite3.SQLITE_NOTADB:
            return _not_a_record(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_CONSTRAINT:
            return RecordDamaged(f"The record {path} is damaged ({error}).", hint="See `moa verify`.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return RecordError(f"The record {path} cannot be opened for writing ({error}).", hint=_ELSEWHERE)
        case _:
            return RecordError(f"The record {path} cannot be used ({error}).", hint=_ELSEWHERE)


def _make_private(path: Path) -> None:
    # A file that exists is not opened here: closing it again would drop the POSIX locks that other
    # connections of this process hold on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        message = f"The record {path} cannot be opened for writing: {error.strerror} ({error.filename})."
        raise RecordError(message, hint=_ELSEWHERE) from error


def _connect(path: Path, wait: float) -> sqlite3.Connection:
    import sqlite3

    return sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)


def _make_or_check(connection: sqlite3.Connection, path: Path) -> None:
    # Entries have 1 to 3 kB: of SQLite's usual 4 kB pages they would leave a quarter empty.
    connection.execute("PRAGMA page_size = 8192")
    # Taking the write lock first makes two processes that start together agree on who makes the
    # tables, and finds out before any call is made whether this file can be written at all.
    connection.execute("BEGIN IMMEDIATE")
    application_id, form = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if empty and application_id == 0:
        schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
        for statement in schema.split(";\n"):
            connection.execute(statement)
        genesis = os.urandom(32)
        connection.execute("INSERT INTO head VALUES (1, ?, 0, ?)", (genesis, genesis))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    elif application_id != APPLICATION_ID:
        raise _not_a_record(path)
    elif form > FORMAT:
        message = (
            f"The record {path} has format {form}, which is newer than this version can read ({FORMAT})."
        )
        raise RecordError(message, hint="Upgrade pytest-moa. " + _ELSEWHERE)
    connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection, path: Path, wait: float) -> None:
    # The switch to WAL happens once in a file's life. SQLite does not call its busy handler for it.
    import sqlite3

    deadline = time.monotonic() + wait
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            break
    if mode != "wal":
        message = f"The record {path} lies on a file system that several processes cannot share safely."
        raise RecordError(message, hint=_ELSEWHERE)


def _not_a_record(path: Path) -> RecordError:
    return RecordError(f"{path} is not a record of moa.", hint="It was left as it is. " + _ELSEWHERE)
