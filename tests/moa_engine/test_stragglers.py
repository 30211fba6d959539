"""Hedges and closing layers, with real tasks. Times are far apart, and only orders are asserted."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from moa_engine.errors import Overloaded, TimedOut
from moa_engine.stragglers import AGGREGATOR, hedged, layer_closed, unusual

Attempt = Callable[[Callable[[], None]], Awaitable[str]]


def attempt(name: str, seconds: float, ended: list[str], error: Exception | None = None) -> Attempt:
    async def run(sent: Callable[[], None]) -> str:
        sent()
        try:
            await asyncio.sleep(seconds)
            if error:
                raise error
        except asyncio.CancelledError:
            ended.append(f"{name} cancelled")
            raise
        ended.append(name)
        return name

    return run


def test_a_fast_answer_needs_no_second_request() -> None:
    ended: list[str] = []
    result = asyncio.run(hedged(attempt("first", 0, ended), attempt("second", 0, ended), 5))
    assert (result, ended) == ("first", ["first"])


def test_a_stuck_request_is_overtaken_and_really_cancelled() -> None:
    ended: list[str] = []
    result = asyncio.run(hedged(attempt("first", 60, ended), attempt("second", 0, ended), 0.01))
    assert (result, ended) == ("second", ["second", "first cancelled"])


def test_a_failed_hedge_does_not_cost_the_first_request() -> None:
    ended: list[str] = []
    failing = attempt("second", 0, ended, Overloaded("busy"))
    assert asyncio.run(hedged(attempt("first", 0.1, ended), failing, 0.01)) == "first"


def test_when_both_fail_the_first_error_is_told() -> None:
    ended: list[str] = []
    first = attempt("first", 0.05, ended, TimedOut("too slow"))
    with pytest.raises(TimedOut):
        asyncio.run(hedged(first, attempt("second", 0, ended, Overloaded("busy")), 0.01))


def test_a_loser_that_fails_at_the_same_moment_is_not_reported_later() -> None:
    reported: list[str] = []

    async def scenario() -> str:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
        together = asyncio.Event()

        async def first(sent: Callable[[], None]) -> str:
            sent()
            await together.wait()
            return "first"

        async def second(sent: Callable[[], None]) -> str:
            loop.call_soon(together.set)
            await together.wait()
            raise Overloaded("busy")

        result = await hedged(first, second, 0.01)
        gc.collect()
        return result

    assert asyncio.run(scenario()) == "first"
    gc.collect()
    assert reported == []


def test_waiting_for_a_slot_does_not_start_the_clock() -> None:
    asked: list[str] = []

    async def queued(sent: Callable[[], None]) -> str:
        await asyncio.sleep(0.1)  # no slot yet
        sent()
        return "first"

    async def again(sent: Callable[[], None]) -> str:
        asked.append("second")
        return "second"

    assert asyncio.run(hedged(queued, again, 0.01)) == "first"
    assert asked == []


def test_cancelling_a_hedged_call_ends_both_requests() -> None:
    ended: list[str] = []

    async def scenario() -> None:
        work = asyncio.ensure_future(hedged(attempt("a", 60, ended), attempt("b", 60, ended), 0.01))
        await asyncio.sleep(0.1)
        work.cancel()
        await asyncio.wait([work])

    asyncio.run(scenario())
    assert sorted(ended) == ["a cancelled", "b cancelled"]


def test_what_is_unusual_needs_enough_latencies() -> None:
    assert unusual([1.0, 2.0]) is None
    assert unusual([float(n) for n in range(1, 11)]) == 9.0


def test_an_aggregator_is_unusually_late_sooner_than_a_proposer() -> None:
    latencies = [1.0] * 7 + [5.0, 9.0, 9.0]
    assert (unusual(latencies, AGGREGATOR), unusual(latencies)) == (5.0, 9.0)


def test_among_equal_latencies_nothing_is_unusual_before_half_as_long_again() -> None:
    assert unusual([2.0] * 20) == 3.0


def close(
    seconds: list[float],
    quorum: float,
    grace: float,
    deadline: float,
    earlier: dict[object, float] | None = None,
) -> tuple[bool, int]:
    """Whether the layer closed in time, and how many seats had answered by then."""

    async def scenario() -> tuple[bool, int]:
        async def member(delay: float) -> bool:
            await asyncio.sleep(delay)
            return True

        seats = {n: [asyncio.ensure_future(member(delay))] for n, delay in enumerate(seconds)}
        in_time = await layer_closed(
            seats,
            answered=asyncio.Future.done,
            quorum=quorum,
            grace=grace,
            deadline=deadline,
            earlier=earlier or {},
        )
        done = sum(futures[0].done() for futures in seats.values())
        for futures in seats.values():
            futures[0].cancel()
        return in_time, done

    return asyncio.run(scenario())


def test_a_full_quorum_waits_for_everybody() -> None:
    assert close([0, 0, 0.1], quorum=1, grace=0, deadline=10) == (True, 3)


def test_a_quorum_closes_without_the_slowest() -> None:
    assert close([0, 0, 0, 60], quorum=0.66, grace=0.25, deadline=10) == (True, 3)


def test_the_deadline_closes_a_layer_that_has_no_quorum() -> None:
    assert close([0, 60, 60], quorum=0.66, grace=0.25, deadline=0.05) == (False, 1)


def test_answers_from_the_record_count_after_the_time_that_they_once_took() -> None:
    once = {0: 30.0, 1: 30.0}
    assert close([0, 0, 0.1], quorum=0.66, grace=0, deadline=60, earlier=once) == (True, 3)
    once = {0: 0.05, 1: 0.1}
    assert close([0, 0, 60], quorum=0.66, grace=0, deadline=30, earlier=once) == (True, 2)
