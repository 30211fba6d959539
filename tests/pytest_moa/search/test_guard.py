from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from pytest_moa.search.guard import Guard, guarded


def test_events_arrive_in_order() -> None:
    def work(guard: Guard) -> Iterator[dict[str, Any]]:
        for number in range(3):
            guard.safe_point()
            yield {"number": number}

    assert list(guarded(work, 20)) == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_after_a_hang_in_c_code_the_work_goes_on_from_the_last_safe_point() -> None:
    def work(guard: Guard) -> Iterator[dict[str, Any]]:
        yield {"before": True}
        hung = guard.safe_point()
        guard.running("grow(10**12)")
        if hung is None:
            sum(range(10**12))
        yield {"hung": hung}

    assert list(guarded(work, 60)) == [{"before": True}, {"hung": "grow(10**12)"}]


def test_after_a_crash_the_work_goes_on() -> None:
    def work(guard: Guard) -> Iterator[dict[str, Any]]:
        hung = guard.safe_point()
        guard.running("crash()")
        if hung is None:
            os._exit(7)
        yield {"hung": hung}

    assert list(guarded(work, 20)) == [{"hung": "crash()"}]


def test_what_is_out_of_time_keeps_what_came() -> None:
    def work(guard: Guard) -> Iterator[dict[str, Any]]:
        yield {"found": 1}
        while True:
            guard.running("")

    assert list(guarded(work, 0.5)) == [{"found": 1}]
