"""Jobs that use up what there is, will not end, or leave something behind: ended, and the server goes on."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmProcess
from tests.pytest_moa.sandbox.conftest import LIMITS

SHORT = Limits(wall=0.4, cpu=4, memory=256 << 20, processes=16, file_bytes=8 << 20, output_bytes=64 << 10)


@pytest.mark.parametrize(
    ("attempt", "statuses"),
    [
        ("memory", {"out_of_memory"}),
        ("shared_memory", {"out_of_memory", "raised", "timed_out"}),
        ("big_file", {"raised"}),
        ("endless_output", {"too_much_output"}),
        ("endless_values", {"too_much_output"}),
        ("endless_loop", {"timed_out"}),
        ("sleeps", {"timed_out"}),
        ("ignores_signals", {"timed_out"}),
        ("stops_itself", {"timed_out"}),
        ("fork_bomb", {"timed_out", "crashed"}),
        ("exits", {"exited"}),
        ("exits_hard", {"exited"}),
        ("segfaults", {"crashed"}),
        ("aborts", {"crashed"}),
        ("garbage_everywhere", {"crashed", "exited"}),
        ("closes_everything", {"exited", "crashed"}),
        ("announces_too_much", {"crashed"}),
        ("ends_for_another_job", {"crashed"}),
        ("deep_value", {"crashed"}),
        ("error_of_endless_length", {"raised"}),
        ("hostile_error", {"raised", "exited"}),
    ],
)
def test_ended(warm: WarmProcess, attempt: str, statuses: set[str]) -> None:
    limits = SHORT if statuses & {"timed_out"} else LIMITS
    ended = warm.call(f"attempts.bombs:{attempt}", {}, limits=limits)
    assert ended.status in statuses
    assert ended.error
    assert len(ended.output) <= LIMITS.output_bytes
    assert goes_on(warm)


def test_cpu_time_counts_by_itself(warm: WarmProcess) -> None:
    ended = warm.call("attempts.bombs:endless_loop", limits=Limits(wall=20, cpu=1))
    assert (ended.status, "CPU" in ended.error) == ("timed_out", True)


def test_threads_are_limited(warm: WarmProcess) -> None:
    assert warm.call("attempts.bombs:thread_bomb").value < 50


def test_processes_together_are_limited(warm: WarmProcess) -> None:
    if "namespaces" not in warm.mechanism.layers:
        pytest.skip("nothing shows what other processes use without namespaces")
    limits = Limits(wall=10, memory=256 << 20, processes=60)
    assert warm.call("attempts.bombs:memory_of_many", limits=limits).status == "out_of_memory"


def test_disk_is_limited(warm: WarmProcess) -> None:
    if "namespaces" not in warm.mechanism.layers:
        pytest.skip("only each file is limited without namespaces")
    assert warm.call("attempts.bombs:many_files").value <= 4 * LIMITS.file_bytes >> 20


@pytest.mark.parametrize("attempt", ["leaves_daemon", "leaves_daemon_with_pipes", "forks_forever"])
def test_nobody_is_left(warm: WarmProcess, attempt: str) -> None:
    before = descendants(os.getpid())
    assert warm.call(f"attempts.bombs:{attempt}").status == "returned"
    assert descendants(os.getpid()) <= before
    assert goes_on(warm)


def test_next_job_finds_nothing(warm: WarmProcess) -> None:
    """Not in its scratch folder, nor in memory; folders that are deep or locked are no way to stay."""
    assert warm.call("attempts.bombs:litters").status == "returned"
    assert warm.call("attempts.bombs:found_litter").value == []
    assert goes_on(warm)


def goes_on(warm: WarmProcess) -> bool:
    return warm.call("attempts.bombs:exits_hard").status == "exited"


def descendants(process: int) -> set[int]:
    """All processes that this one has started, and those that they have."""
    children = defaultdict(set)
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            children[int(file.read_text().rpartition(")")[2].split()[1])].add(int(file.parent.name))
    found: set[int] = set()
    pending = [process]
    while pending:
        new = children[pending.pop()]
        found |= new
        pending.extend(new)
    return found
