"""The time limit of one run."""

import gc
import signal
from collections.abc import Iterator

import pytest

from pytest_moa.search.alarm import TooSlow, arm, stop_timer


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGPROF)
    arm.cache_clear()
    arm()
    yield
    stop_timer()
    signal.signal(signal.SIGPROF, before)
    arm.cache_clear()


def _collect_and_hang() -> None:
    """Hang until the alarm, which comes again only after what ends it has surely ended the timer."""
    signal.setitimer(signal.ITIMER_PROF, 0.01, 0.5)
    try:
        gc.collect()
        while True:
            pass
    finally:
        stop_timer()


def test_the_alarm_ends_a_loop() -> None:
    with pytest.raises(TooSlow):
        _collect_and_hang()


def test_a_callback_of_the_garbage_collector_ends_first() -> None:
    finished: list[int] = []

    def slow_callback(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and not finished:
            finished.append(sum(sum(range(1000)) for _ in range(10_000)))

    gc.callbacks.append(slow_callback)
    try:
        with pytest.raises(TooSlow):
            _collect_and_hang()
    finally:
        gc.callbacks.remove(slow_callback)
    assert finished
