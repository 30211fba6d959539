import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from moa_engine.errors import RecordDamaged
from moa_engine.record import Record
from tests.moa_engine.record.runs import filled, finish, start


def test_an_untouched_record_verifies(path: Path) -> None:
    filled(path)
    with Record(path) as record:
        found = record.verify()
    assert (found.ok, found.rows, found.row, found.why) == (True, 12, None, "")
    assert found.to_text() == f"The record is intact: 12 entries, the last one {found.head}."


_COPY = "INSERT INTO entry (seq, prev, hash, body) SELECT {}, prev, hash, body FROM entry WHERE seq = {}"
_SWAP = """UPDATE entry SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4);
           UPDATE entry SET seq = -seq WHERE seq < 0"""


@pytest.mark.parametrize(
    ("tampering", "row", "run"),
    [
        ("UPDATE entry SET body = replace(body, '0.123456789', '0.2') WHERE seq = 3", 3, "run-1"),
        ("UPDATE entry SET body = '[]' WHERE seq = 3", 3, ""),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 4", 4, "run-1"),
        ("UPDATE entry SET prev = 'text' WHERE seq = 4", 4, "run-1"),
        ("DELETE FROM entry WHERE seq = 5", 5, "run-1"),
        ("DELETE FROM entry WHERE seq = 1", 1, ""),
        ("DELETE FROM entry WHERE seq > 10", 11, "run-2"),
        (_COPY.format(0, 3), 0, "run-1"),
        (_COPY.format(13, 12), 13, "run-2"),
        (_SWAP, 3, "run-1"),
        ("UPDATE piece SET data = zeroblob(20) WHERE rowid = 2", 3, "run-1"),
        ("UPDATE piece SET data = x'01ff' WHERE rowid = 2", 3, "run-1"),
        ("DELETE FROM piece WHERE rowid = 1", 2, "run-1"),
        ("UPDATE piece SET hash = zeroblob(32) WHERE rowid = 1", 2, "run-1"),
        ("INSERT INTO piece VALUES (zeroblob(32), x'00')", None, ""),
        ("UPDATE head SET genesis = zeroblob(32)", 1, "run-1"),
        ("UPDATE head SET seq = 11, hash = (SELECT hash FROM entry WHERE seq = 11)", 12, "run-2"),
        ("DELETE FROM head", None, ""),
    ],
)
def test_tampering_is_found_where_it_was_done(path: Path, tampering: str, row: int | None, run: str) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(tampering)
    connection.close()
    with Record(path) as record:
        found = record.verify()
    assert not found.ok
    assert (found.row, found.run) == (row, run)
    assert found.why


def test_rows_cut_off_at_the_end_stay_missing_when_work_goes_on(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM entry WHERE seq > 10")
    connection.close()
    with Record(path) as record:
        start(record, "run-3")
        finish(record, "run-3")
        found = record.verify()
    assert (found.ok, found.row) == (False, 11)
    assert (
        found.to_text() == "The record is not intact at entry 11 (run run-2): entries 11 to 12 are missing."
    )


def test_an_altered_answer_is_not_taken_from_the_cache(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE piece SET data = x'0041'")
    connection.close()
    with Record(path) as record, pytest.raises(RecordDamaged, match="missing or altered"):
        record.find("key of run-1-0")


def test_a_file_with_broken_pages_is_reported(path: Path) -> None:
    filled(path)
    content = bytearray(path.read_bytes())
    content[16384:24576] = b"\xee" * 8192
    path.write_bytes(content)
    with Record(path) as record:
        found = record.verify()
    assert not found.ok
    assert "damaged" in found.why
