"""The command `review-bot witness` on real repositories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from review_bot.cli import main
from tests.review_bot.commands import Done, command, environment
from tests.review_bot.gitrepo import GitRepo

BASE = "def mean(items: list[int]) -> float:\n    return sum(items) / len(items) if items else 0\n"
HEAD = "def mean(items: list[int]) -> float:\n    return sum(items) / len(items)\n"


@pytest.fixture
def stats(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path / "stats")
    repo.commit({"stats.py": BASE, "README.md": "figures\n"})
    repo.commit({"stats.py": HEAD})
    return repo


def witness(capsys: pytest.CaptureFixture[str], repo: GitRepo, *arguments: str) -> Done:
    try:
        code = main(["witness", *arguments, "--repo", str(repo.folder)])
    except SystemExit as exit:
        code = int(exit.code or 0)
    return Done(code, *capsys.readouterr())


def test_differences_are_shown_with_tests_that_hold(
    stats: GitRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = tmp_path / "test_differences.py"
    done = witness(capsys, stats, "HEAD~1", "--seconds", "12", "--output-tests", str(tests))
    assert done.returncode == 1
    assert "confined by" in done.stdout
    assert "stats.py:2 stats:mean" in done.stdout
    assert "  before:  0\n" in done.stdout
    assert f"to {tests}\n" in done.stderr
    for revision, code in (("main~1", 0), ("main", 1)):
        stats.git("checkout", "--quiet", revision)
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:moa", "-p", "no:cacheprovider", str(tests)],
            cwd=stats.folder,
            env=environment(tmp_path, PYTHONPATH=str(stats.folder)),
            capture_output=True,
        )
        assert ran.returncode == code


def test_programs_get_json_and_sound_changes_differ_nowhere(
    stats: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    stats.write({"stats.py": HEAD.replace("sum(items) / len(items)", "1 * sum(items) / len(items)")})
    done = witness(capsys, stats, "--working", "--seconds", "3", "--format", "json", "--quiet")
    data = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (data["schema"], data["behaviour"]) == ("witness/1", [])
    assert [(one["qualname"], one["status"]) for one in data["searched"]] == [("mean", "no difference found")]


def test_where_nothing_can_be_run_it_says_so(stats: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    stats.commit({"README.md": "more\n"})
    done = witness(capsys, stats, "HEAD~1")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("review-bot: no Python code has changed\n")


@pytest.mark.parametrize("arguments", [["nowhere"], ["--seconds", "0"], ["--staged", "--working"]])
def test_wrong_usage_is_told(
    stats: GitRepo, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    done = witness(capsys, stats, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_cannot_be_written_are_refused_before_anything_is_run(
    stats: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    done = witness(capsys, stats, "HEAD~1", "--output-tests", "/no/such/folder/test_x.py")
    assert done.returncode == 2
    assert "there is no folder" in done.stderr


def test_a_second_ctrl_c_tells_what_was_proved_and_leaves_no_process(stats: GitRepo, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("witness", "HEAD~1", "--seconds", "300"),
        cwd=stats.folder,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "mean" in process.stderr.readline()  # the first witness
    started = _descendants(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    # 1: the search had ended by then, as the first one told it to.
    assert process.returncode in (1, 130)
    assert "stats.py:2 stats:mean" in out
    assert "note: interrupted before the search was over" in out
    assert "Traceback" not in err
    until = time.monotonic() + 10
    while any(map(_is_running, started)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [one for one in started if _is_running(one)]


def _descendants(pid: int) -> list[int]:
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [(int(one), int(parent)) for one, parent in map(str.split, table.splitlines())]
    found = [pid]
    for above in found:
        found += [one for one, parent in pairs if parent == above]
    return found[1:]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
