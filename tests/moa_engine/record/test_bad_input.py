import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from moa_engine.errors import RecordError
from moa_engine.record import Record
from tests.moa_engine.record.runs import an_attempt, child, filled, heard, said, start


def test_the_file_is_private(path: Path) -> None:
    with Record(path) as record:
        start(record)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"record.sqlite": 0o600, "record.sqlite-wal": 0o600, "record.sqlite-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_default_place_is_the_users_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Record.default_path().name == "record.sqlite"
    if sys.platform == "linux":
        assert Record.default_path() == tmp_path / "moa" / "record.sqlite"


@pytest.mark.parametrize("content", [b"Hi", b"Dear diary, " * 1000])
def test_another_file_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"record\.sqlite is not a record of moa"):
        Record(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(RecordError, match="is not a record of moa"):
        Record(path)
    assert path.read_bytes() == before


def test_a_newer_format_is_refused(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(RecordError, match=r"(?s)format 2, which is newer.*Upgrade pytest-moa"):
        Record(path)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"cannot be opened for writing: .*/file\)"):
        Record(tmp_path / "file" / "record.sqlite")
    with pytest.raises(RecordError, match="cannot be opened for writing: Is a directory"):
        Record(tmp_path)


def test_a_record_locked_by_another_process_loses_nothing(path: Path) -> None:
    filled(path)
    script = """
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""
    with Record(path, wait=0.05) as record, child(script, path) as process:
        assert heard(process) == "locked"
        with pytest.raises(RecordError, match="is locked by another process"):
            Record(path, wait=0.05)
        record.append(an_attempt("late"))
        with pytest.raises(RecordError, match="is locked by another process"):
            record.flush()
        assert "is locked" in str(record.problem)
        assert record.find("key of late") == an_attempt("late")
        assert record.run("run-2").status == "complete"
        said(process, "let go\n")
        record.flush()
        assert record.problem is None
        assert record.find("key of late") == an_attempt("late")
        assert record.verify().rows == 13


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
def test_a_full_disk_loses_nothing_that_was_there(path: Path) -> None:
    script = """
import resource
record = Record(path)
start(record)
record.append(an_attempt("before"))
record.flush()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
for number in range(50):
    record.append(an_attempt(f"a{number}", text=os.urandom(10_000).hex()))
for _ in range(2):
    try:
        record.flush()
    except RecordError as error:
        print(error)
assert record.find("key of before") == an_attempt("before")
if sys.argv[2] == "space comes back":
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    record.flush()
    finish(record)
try:
    record.close()
except RecordError as error:
    print(error)
"""
    with child(script, path, "no space") as process:
        sentences = said(process).splitlines()
    assert sentences[0].startswith(f"The record {path} cannot be read or written")
    assert "disk may be full" in sentences[1]
    assert sentences[4].endswith("Entries that were not recorded: 50.")
    assert len(sentences) == 6
    with Record(path) as record:
        assert [attempt.id for attempt in record.run("last").attempts] == ["before"]
        assert record.verify().ok
    other = path.with_name("other.sqlite")
    with child(script, other, "space comes back") as process:
        said(process)
    with Record(other) as record:
        assert [attempt.id for attempt in record.run("last").attempts] == [
            "before",
            *(f"a{n}" for n in range(50)),
        ]
        assert record.verify().ok


def test_a_closed_record_takes_nothing_more(path: Path) -> None:
    record = Record(path)
    record.append(an_attempt())
    record.close()
    record.close()
    with pytest.raises(RecordError, match="is closed"):
        record.append(an_attempt("a2"))


def test_a_failure_to_close_does_not_hide_what_went_wrong_before(path: Path) -> None:
    Record(path).close()
    lock = sqlite3.connect(path, isolation_level=None)

    def fail() -> None:
        with Record(path, wait=0.01) as record:
            lock.execute("BEGIN IMMEDIATE")
            record.append(an_attempt())
            raise ValueError("the first fault")

    with pytest.raises(ValueError, match="the first fault") as caught:
        fail()
    lock.close()
    assert "is locked by another process" in caught.value.__notes__[0]
