"""Opening the server's database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select

from moa_engine.errors import ConfigError
from review_bot.server.database import TABLES, Database, DatabaseFailed, executors


def test_the_tables_are_made_once(database_url: str) -> None:
    row = {"id": "here", "host": "h", "pid": 1, "started": 1.5, "beat": 2.5}
    first = Database.open(database_url)
    with first.writing() as connection:
        connection.execute(insert(executors).values(row))
    first.close()
    again = Database.open(database_url)
    assert {*inspect(again.engine).get_table_names()} == {*TABLES.tables}
    with again.reading() as connection:
        assert connection.execute(select(executors)).one()._asdict() == row
    again.close()


def test_servers_that_start_together_agree_on_who_makes_the_tables(database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            Database.open(database_url).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_what_fails_is_not_written(database_url: str) -> None:
    database = Database.open(database_url)

    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(executors).values(id="here", pid=1, started=1.0, beat=1.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with database.reading() as connection:
        assert connection.execute(select(executors)).all() == []
    database.close()


def test_a_file_is_for_its_owner_alone_and_survives_a_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "server.sqlite"
    database = Database.open(f"sqlite:///{path}")
    with database.reading() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    database.close()
    assert (path.stat().st_mode & 0o777, pragmas) == (0o600, ["wal", 2])


def test_reading_waits_for_no_writer(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'server.sqlite'}")
    with database.writing() as writer:
        writer.execute(insert(executors).values(id="x", pid=1, started=1.0, beat=1.0))
        with database.reading() as reader:
            assert reader.execute(select(executors)).all() == []
    database.close()


@pytest.mark.parametrize("url", ["", "server.sqlite", "mysql://a/b", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database.open(url)
    assert "postgresql://" in caught.value.hint


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseFailed, match=r"u:\*\*\*@127\.0\.0\.1") as caught:
        Database.open("postgresql://u:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(DatabaseFailed, match="No such file"):
        Database.open(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}")
    (tmp_path / "text").write_text("This is no database, though it is long enough to be one." * 100)
    with pytest.raises(DatabaseFailed, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'text'}")
