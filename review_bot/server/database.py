"""The server's database: SQLite beside one process, PostgreSQL for many machines; the same tables on both.

Times are seconds since 1970 (UTC). Whole numbers that GitHub gives are 64 bits wide.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from moa_engine.errors import ConfigError, MoaError

TABLES = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _whole(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _time(name: str) -> Column[float]:
    """A time, or null while it has not come."""
    return Column(name, Double, nullable=True)


#: What GitHub delivered: one row for each delivery id, written before the delivery is answered.
deliveries = Table(
    "deliveries",
    TABLES,
    Column("id", Text, primary_key=True),  # X-GitHub-Delivery
    Column("received", Double, nullable=False),
    _text("event"),
    _text("repository"),
    _whole("number"),
    _whole("installation"),
    Column("wish", JSON, nullable=False),
    Column("state", Text, nullable=False),  # new, waiting, queued, superseded, ignored
    _text("why"),
    _text("job"),
    _time("due"),  # before when a waiting one is not looked at again
    Index("deliveries_to_do", "state", "received"),
    Index("deliveries_of_pull", "repository", "number", "received"),
)

#: Reviews that are to be made, are being made or were made.
jobs = Table(
    "jobs",
    TABLES,
    Column("id", Text, primary_key=True),
    _text("repository"),
    _whole("number"),
    _whole("installation"),
    _text("head"),
    Column("reason", JSON, nullable=False),
    Column("state", Text, nullable=False),  # queued, running, done, superseded, failed
    _text("why"),
    _text("executor"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("queued", Double, nullable=False),
    _time("started"),
    _time("finished"),
    _text("run"),
    _text("status"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("cached", Integer, nullable=False, server_default="0"),
    Column("cost", Double, nullable=True),  # null: not known
    Column("seconds", Double, nullable=False, server_default="0"),
    Column("summary", JSON, nullable=True),
    Index("jobs_by_state", "state", "queued"),
    Index("jobs_of_pull", "repository", "number", "queued"),
    Index("jobs_of_installation", "installation", "queued"),
)

#: Cases of a bench that are to be run, are run or were run; see `bench_rows`. The states are those of `jobs`.
bench_jobs = Table(
    "bench_jobs",
    TABLES,
    Column("id", Text, primary_key=True),
    _text("about"),  # the id without the number of the try
    Column("number", Integer, nullable=False, server_default="1"),  # of the try
    Column("work", JSON, nullable=False),  # the case, and the committee that is to run over it
    Column("state", Text, nullable=False),
    _text("why"),
    _text("executor"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("queued", Double, nullable=False),
    _time("started"),
    _time("finished"),
    _text("run"),
    _text("status"),
    Column("summary", JSON, nullable=True),
    Column("stored", Text, nullable=True),  # the run, packed
    Index("bench_jobs_by_state", "state", "queued"),
    Index("bench_jobs_of_case", "about", "number"),
)

#: Answers of models that were paid for, kept from the moment they arrive; see `kept_answers`.
kept_answers = Table(
    "kept_answers",
    TABLES,
    Column("job", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("attempt", JSON, nullable=False),
    Column("at", Double, nullable=False),
    PrimaryKeyConstraint("job", "key", "generation"),
    Index("kept_answers_by_time", "at"),
)

#: What the page shows of each run.
run_records = Table(
    "run_records",
    TABLES,
    Column("run", Text, primary_key=True),
    _text("job"),
    _text("repository"),
    _whole("number"),
    _text("head"),
    Column("started", Double, nullable=False),
    _text("status"),
    Column("cost", Double, nullable=True),  # null: not known
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("members", JSON, nullable=False),
    Column("document", JSON, nullable=False),
    Index("run_records_by_time", "started"),
    Index("run_records_of_job", "job"),
)

#: What was counted of jobs and runs that are deleted; see `retired`.
retired_totals = Table(
    "retired_totals",
    TABLES,
    Column("name", Text, nullable=False),
    _text("member"),
    Column("total", Double, nullable=False),
    PrimaryKeyConstraint("name", "member"),
)

#: Deliveries that GitHub was asked to send again; see `missed`.
redelivered = Table(
    "redelivered",
    TABLES,
    Column("id", Text, primary_key=True),  # X-GitHub-Delivery
    Column("at", Double, nullable=False),
)

#: Processes that work, and when each was last heard of.
executors = Table(
    "executors",
    TABLES,
    Column("id", Text, primary_key=True),
    _text("host"),
    Column("pid", Integer, nullable=False),
    Column("started", Double, nullable=False),
    Column("beat", Double, nullable=False),
)

#: PostgreSQL's advisory lock under which tables are made, since two servers may start at once.
_MAKING_TABLES = 0x6D6F61  # "moa"

#: Seconds that a connection, or SQLite's lock, is waited for.
_PATIENCE = 5


#: Each of SQLite's connections has a cache of its own, in kB. At its default of 2000, some twenty connections
#: would grow for days; the system has the pages in its cache anyway.
SMALL_CACHE = "cache_size = -256"


class DatabaseFailed(MoaError):
    """The server's database cannot be opened or used."""


@dataclass(frozen=True)
class Database:
    """The open database. Every method may be called by any thread."""

    engine: Engine

    @classmethod
    def open(cls, url: str) -> Database:
        """Open the database and make the tables that are missing.

        Raises:
            ConfigError: the URL is of no database that is supported.
            DatabaseFailed: it cannot be opened.
        """
        parsed = _parsed(url)
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
        try:
            with engine.begin() as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING_TABLES})
                TABLES.create_all(connection)
        except SQLAlchemyError as error:
            engine.dispose()
            raise DatabaseFailed(
                f"the database {parsed.render_as_string()} cannot be opened: {reason(error)}",
                hint="see --database and --data",
            ) from error
        return cls(engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with self.engine.execution_options(reading=True).begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end of the block unless it fails."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def reason(error: SQLAlchemyError) -> str:
    """What the database said, in one line, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("the URL of the database cannot be read", hint=_EXAMPLES) from error
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ConfigError(f"databases of the kind {parsed.drivername} are not supported", hint=_EXAMPLES)
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError("a database in memory would forget what it promised to keep", hint=_EXAMPLES)
    return parsed


_EXAMPLES = "for example sqlite:///server.sqlite or postgresql://user:password@host/name"


def _postgresql(url: URL) -> Engine:
    # Pre-ping: connections that a restart of the database broke are replaced, not handed out. The timeout
    # is for a database whose machine is gone without a word.
    limits = {"connect_timeout": _PATIENCE, "tcp_user_timeout": 10_000}
    return create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=limits)


def _sqlite(url: URL) -> Engine:
    _make_private(Path(url.database or ""))
    engine = create_engine(url, connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    """Make the file with rights for its owner alone: what reviews say of private code is in it."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseFailed(f"the database {path} cannot be made: {error.strerror}") from error


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin, not by Python's sqlite3
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", SMALL_CACHE):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # Who begins with reading and writes later is refused at once when another wrote in between, however
    # long it would wait: so whoever may write takes the lock first.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
