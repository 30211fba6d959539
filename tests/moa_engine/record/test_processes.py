import threading
from pathlib import Path

from moa_engine.record import Record
from tests.moa_engine.record.runs import an_attempt, child, finish, heard, said, start


def test_two_processes_and_several_threads_write_one_chain(path: Path) -> None:
    script = """
with Record(path) as record:
    start(record, sys.argv[2])
    for number in range(500):
        record.append(an_attempt(f"{sys.argv[2]}-{number}", run=sys.argv[2], text=str(number)))
        if number % 50 == 0:
            record.flush()
    finish(record, sys.argv[2])
"""
    with child(script, path, "p1") as p1, child(script, path, "p2") as p2, Record(path) as record:

        def write(name: str) -> None:
            for number in range(100):
                record.append(an_attempt(f"{name}-{number}", run=name, text=str(number)))

        threads = [threading.Thread(target=write, args=(name,)) for name in ("t1", "t2")]
        for name, thread in zip(("t1", "t2"), threads, strict=True):
            start(record, name)
            thread.start()
        for thread in threads:
            thread.join()
        said(p1)
        said(p2)
        record.flush()
        found = record.verify()
        runs = {run.id: [attempt.text for attempt in record.run(run.id).attempts] for run in record.runs()}
    assert (found.ok, found.rows) == (True, 2 * 502 + 2 * 101)
    assert runs == {
        **{name: [str(number) for number in range(500)] for name in ("p1", "p2")},
        **{name: [str(number) for number in range(100)] for name in ("t1", "t2")},
    }


def test_a_reader_works_beside_a_writer_and_sees_a_running_run(path: Path) -> None:
    script = """
with Record(path) as record:
    start(record)
    record.append(an_attempt())
    record.flush()
    print("written", flush=True)
    sys.stdin.readline()
    finish(record)
"""
    with child(script, path) as process:
        assert heard(process) == "written"
        with Record(path) as record:
            assert record.find("key of a1") == an_attempt()
            assert record.runs()[0].status == "running"
            assert record.run("last").result is None
            said(process, "go on\n")
            assert record.runs()[0].status == "complete"


def test_a_killed_process_leaves_a_record_that_verifies(path: Path) -> None:
    script = """
record = Record(path)
start(record)
for number in range(10**9):
    record.append(an_attempt(f"a{number}", text=str(number) * 500))
    if number == 200:
        record.flush()
        print("flushed", flush=True)
    time.sleep(0.0005)
"""
    with child(script, path) as process:
        assert heard(process) == "flushed"
        process.kill()
    with Record(path) as record:
        assert record.verify().ok
        (summary,) = record.runs()
        run = record.run("last")
        assert (summary.status, run.status) == ("interrupted", "interrupted")
        assert [attempt.id for attempt in run.attempts][:201] == [f"a{number}" for number in range(201)]
        start(record, "next")
        finish(record, "next")
        assert record.verify().ok
