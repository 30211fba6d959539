"""A warm process imports once, runs each job in a process of its own, and is gone with its client."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmFailed, WarmProcess

HERE = Path(__file__).parent


def made(root: Path, preload: str = "preload", **options: Any) -> WarmProcess:
    options = {"confined": False, "python_path": [str(HERE)], **options}
    return WarmProcess(root=root, preload=f"sample_jobs:{preload}", **options)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmProcess]:
    with made(tmp_path_factory.mktemp("root"), preload_args={"a": 1}) as process:
        process.start()
        yield process


def test_reports_what_the_preload_says(tmp_path: Path) -> None:
    with made(tmp_path, preload_args=["x"]) as process:
        report = process.start()
    assert report["args"] == ["x"]
    assert report["path"] == str(HERE)


def test_jobs_get_the_state_and_their_arguments(warm: WarmProcess) -> None:
    ended = warm.call("sample_jobs:echo", [1, "ü", None])
    assert ended.status == "returned"
    assert ended.value == {"state": {"args": {"a": 1}, "count": 0}, "args": [1, "ü", None]}
    assert (ended.error, ended.output) == ("", "")
    assert ended.seconds > 0


def test_each_job_is_a_process_that_imports_nothing_again(warm: WarmProcess) -> None:
    first, second = (warm.call("sample_jobs:who").value for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == first[2] == second[1] == second[2]


def test_jobs_do_not_see_what_others_did_to_the_state(warm: WarmProcess) -> None:
    assert [warm.call("sample_jobs:counts").value for _ in range(3)] == [1, 1, 1]


def test_yielded_values_come_one_by_one(warm: WarmProcess) -> None:
    came: list[int] = []
    ended = warm.call("sample_jobs:yields", 4, each=came.append)
    assert (ended.status, ended.value, came) == ("returned", [0, 1, 2, 3], [0, 1, 2, 3])
    assert warm.call("sample_jobs:yields_nothing").value == []


def test_yielded_values_are_kept_when_the_job_is_ended(warm: WarmProcess) -> None:
    ended = warm.call("sample_jobs:yields_then_hangs", limits=Limits(wall=0.3))
    assert (ended.status, ended.value) == ("timed_out", ["first", "second"])
    ended = warm.call("sample_jobs:yields_then_raises")
    assert (ended.status, ended.value) == ("raised", ["first"])
    assert ended.error.endswith("ValueError: the second one")


def test_output_is_kept_in_order(warm: WarmProcess) -> None:
    assert warm.call("sample_jobs:prints").output == "to stdout\nto stderr\ndirectly\nby a program\n"


@pytest.mark.parametrize(
    ("job", "status", "error"),
    [
        ("sample_jobs:raises", "raised", "KeyError: 'a key'"),
        ("sample_jobs:not_json", "raised", "TypeError: Object of type object is not JSON serializable"),
        ("sample_jobs:missing", "raised", "AttributeError: module 'sample_jobs' has no attribute 'missing'"),
        ("missing:job", "raised", "ModuleNotFoundError: No module named 'missing'"),
    ],
)
def test_failures_are_told(warm: WarmProcess, job: str, status: str, error: str) -> None:
    ended = warm.call(job)
    assert (ended.status, ended.error.strip().splitlines()[-1]) == (status, error)


def test_threads_that_go_on_do_not_hold_a_job(warm: WarmProcess) -> None:
    assert warm.call("sample_jobs:starts_thread").value == "returned"


def test_large_values_and_arguments(warm: WarmProcess) -> None:
    assert len(warm.call("sample_jobs:big", 5_000_000).value) == 5_000_000
    assert len(warm.call("sample_jobs:echo", "x" * 5_000_000).value["args"]) == 5_000_000


def test_calls_from_many_threads_wait_for_one_another(warm: WarmProcess) -> None:
    found: dict[int, Any] = {}

    def one(n: int) -> None:
        found[n] = warm.call("sample_jobs:echo", n).value["args"]

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: n for n in range(8)}


def test_hash_seeds_and_variables_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    hashes = []
    for seed in (1, 2, 1):
        with made(tmp_path, hash_seed=seed, environ={"MODE": "testing"}) as process:
            process.start()
            hashes.append(process.call("sample_jobs:draws").value[2])
            assert process.call("sample_jobs:variable", "MODE").value == "testing"
            assert process.call("sample_jobs:variable", "SOME_TOKEN").value is None
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize(
    ("preload", "message", "output"),
    [
        ("preload_raises", "LookupError: no such target", "this was printed before"),
        ("preload_exits", "SystemExit: the preload has had enough", ""),
        ("preload_dies", "the warm process has ended (7)", "last words"),
        ("preload_returns", "sample_jobs:preload_returns returned without serving", ""),
        ("missing", "AttributeError: module 'sample_jobs' has no attribute 'missing'", "Traceback"),
    ],
)
@pytest.mark.parametrize("confined", [False, True])
def test_preloads_that_fail(tmp_path: Path, preload: str, message: str, output: str, confined: bool) -> None:
    with made(tmp_path, preload, confined=confined) as process, pytest.raises(WarmFailed) as caught:
        process.start()
    assert caught.value.message == message
    assert output in caught.value.output


def test_a_preload_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_moa.warm.client.PRELOAD_SECONDS", 1.0)
    with made(tmp_path, "preload_hangs") as process, pytest.raises(WarmFailed) as caught:
        process.start()
    assert caught.value.message == "the preload took more than 1 s"
    assert ends(int(caught.value.output.rpartition(" ")[2]))


def test_serving_never_returns_to_the_preload(tmp_path: Path) -> None:
    with made(tmp_path, "preload_deep") as process:
        assert process.start() == "deep"
        assert process.call("sample_jobs:raises").status == "raised"
        assert process.call("sample_jobs:who").output == ""


def test_handlers_of_the_preload_do_not_matter(tmp_path: Path) -> None:
    with made(tmp_path, "preload_ignores_children") as process:
        process.start()
        assert process.call("sample_jobs:echo").status == "returned"


def test_an_exception_of_the_callers_ends_the_process(tmp_path: Path) -> None:
    """Ctrl-C comes anywhere: afterwards nobody knows what the process would send next."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with made(tmp_path) as process:
        server = process.start()["pid"]
        with pytest.raises(KeyboardInterrupt):
            process.call("sample_jobs:yields", 3, each=interrupt)
        assert ends(server)
        with pytest.raises(WarmFailed, match="not running"):
            process.call("sample_jobs:echo")


def test_a_server_that_was_killed_is_told(tmp_path: Path) -> None:
    with made(tmp_path) as process:
        os.kill(process.start()["pid"], signal.SIGKILL)
        with pytest.raises(WarmFailed, match="has ended"):
            process.call("sample_jobs:echo")
        process.start()
        assert process.call("sample_jobs:echo").status == "returned"


def test_close_twice_and_before_start(tmp_path: Path) -> None:
    process = made(tmp_path)
    process.close()
    process.close()


CLIENT = """
import sys
from pathlib import Path
from pytest_moa.warm import WarmProcess

warm = WarmProcess(
    root=Path(sys.argv[1]), preload="sample_jobs:" + sys.argv[2], python_path=[sys.argv[3]],
    confined=sys.argv[4] == "confined",
)
warm.start()
print("started", flush=True)
warm.call("sample_jobs:sleeps", 60, each=None)
"""


@pytest.mark.parametrize("confined", ["confined", "unconfined"])
@pytest.mark.parametrize("preload", ["preload", "preload_hangs"])
def test_nothing_outlives_a_client_that_was_killed(tmp_path: Path, confined: str, preload: str) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path), preload, str(HERE), confined],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert client.stdout is not None
    if preload == "preload":
        assert client.stdout.readline() == b"started\n"
    assert eventually(lambda: len(of_client(scratch)) >= 2)
    client.kill()
    client.communicate()
    assert eventually(lambda: of_client(scratch) == [])
    assert eventually(lambda: list(scratch.iterdir()) == [])


def of_client(scratch: Path) -> list[str]:
    """Processes that were started with this folder for their temporary files."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={scratch}".encode() in file.read_bytes() and b"boot.py" in (
                file.with_name("cmdline").read_bytes()
            ):
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def ends(process: int) -> bool:
    """Whether a process, perhaps somebody else's child, ends soon."""
    return eventually(lambda: not Path(f"/proc/{process}").exists())


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
