"""The time limit of one run."""

import gc
import signal
import weakref
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


def _hang(*, collecting: bool = False) -> None:
    """Hang until the alarm, which comes again only after what ends it has surely ended the timer."""
    gc.collect()
    signal.setitimer(signal.ITIMER_PROF, 0.01, 0.5)
    try:
        if collecting:
            gc.collect()
        while True:
            pass
    finally:
        stop_timer()


def test_the_alarm_ends_a_loop() -> None:
    with pytest.raises(TooSlow):
        _hang()


class Thing:
    """Something that can be referred to weakly."""


def _forget_things() -> None:
    things = weakref.WeakSet[Thing]()
    signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)
    try:
        while True:
            things.add(Thing())  # and it is gone: the set's callback runs
    finally:
        stop_timer()


def test_a_callback_of_a_weak_reference_ends_first() -> None:
    for _ in range(10):
        with pytest.raises(TooSlow):
            _forget_things()


def test_a_callback_of_the_garbage_collector_ends_first() -> None:
    finished: list[int] = []

    def slow_callback(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and signal.getitimer(signal.ITIMER_PROF)[0] and not finished:
            finished.append(sum(sum(range(1000)) for _ in range(10_000)))

    gc.callbacks.append(slow_callback)
    try:
        with pytest.raises(TooSlow):
            _hang(collecting=True)
    finally:
        gc.callbacks.remove(slow_callback)
    assert finished
