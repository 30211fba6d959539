"""What is done about slow members: a second request after the usual time, and layers that may close early.

docs/design/layers-and-stragglers.md says for whom a layer waits, why, and what that brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from math import ceil
from typing import Any, TypeVar

from moa_engine.errors import BudgetExceeded, CallError

T = TypeVar("T")

#: Fewer own latencies than this say nothing about a 90th percentile.
ENOUGH = 5

#: Of a member's own latencies, the share after which it is asked a second time. An aggregator is asked
#: sooner: a quorum can do without any proposer, and nobody's answer stands in for the aggregator's.
PROPOSER, AGGREGATOR = 0.9, 0.8

#: Seconds before which a second request cannot gain anything worth its cost.
SHORTEST = 0.05

#: Seconds before which no layer closes early: where answers take milliseconds, nobody is late.
FAST = 0.1

Attempting = Callable[[Callable[[], None]], Awaitable[T]]


def unusual(latencies: Collection[float], share: float = PROPOSER) -> float | None:
    """Seconds after which an answer is unusually late; None when there are too few to tell.

    That is the percentile that `share` names, but at least half as much again as the median, and
    `SHORTEST`: where all answers take about the same time, one in ten is no straggler.
    """
    if len(latencies) < ENOUGH:
        return None
    ordered = sorted(latencies)
    return max(ordered[ceil(share * len(ordered)) - 1], 1.5 * ordered[len(ordered) // 2], SHORTEST)


async def hedged(
    attempt: Attempting[T],
    again: Attempting[T],
    after: float | None,
    wanted: Callable[[], bool] = lambda: True,
) -> T:
    """The first good result of `attempt` and, if that takes longer than `after` seconds, of `again`.

    Both are called with a function that they call when their request leaves: time spent waiting for
    a free slot does not count. There is no second request when `wanted` says no by then. The loser is
    cancelled. If both fail, the first one's error is raised.
    """
    if after is None:
        return await attempt(_nothing)

    loop = asyncio.get_running_loop()
    due: asyncio.Future[None] = loop.create_future()
    timers: list[asyncio.TimerHandle] = []

    def ring() -> None:
        if not due.done() and wanted():
            due.set_result(None)

    def sent() -> None:
        timers.append(loop.call_later(after, ring))

    first: asyncio.Future[T] = asyncio.ensure_future(attempt(sent))
    second: asyncio.Future[T] | None = None
    try:
        either: set[asyncio.Future[Any]] = {first, due}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            return first.result()
        second = asyncio.ensure_future(again(_nothing))
        pending: set[asyncio.Future[T]] = {first, second}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for winner in sorted(done, key=lambda future: future is not first):
                error = winner.exception()
                if error is None:
                    return winner.result()
                if winner is second and not isinstance(error, CallError | BudgetExceeded):
                    raise error  # a fault of ours, not of the hedge
        return first.result()
    finally:
        for timer in timers:
            timer.cancel()
        await cancelled([future for future in (first, second) if future is not None])


async def cancelled(futures: Collection[asyncio.Future[Any]]) -> None:
    """Cancel what is still running, and wait until it has really stopped."""
    running = [future for future in futures if not future.done()]
    for future in running:
        future.cancel()
    if running:
        await asyncio.wait(running)
    for future in futures:
        if not future.cancelled():
            future.exception()  # seen: asyncio would else report, much later, that nobody looked


async def layer_closed(
    seats: Mapping[object, Collection[asyncio.Future[T]]],
    *,
    answered: Callable[[asyncio.Future[T]], bool],
    quorum: float,
    grace: float,
    deadline: float,
    earlier: Mapping[object, float],
) -> bool:
    """Wait until a layer may close; False when its deadline closed it. Nothing is cancelled here.

    A seat has answered when `answered` says so of all its futures. Once `quorum` (a share) of the
    seats have, the rest get `grace` times the time that this took, and in any case until `FAST`.
    `earlier` has the seconds that answers from the record took when they were made: for the quorum
    they come after that time, so that they make nobody late who would not have been late then.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    closes = start + deadline
    needed = ceil(quorum * len(seats))
    pending = {future for futures in seats.values() for future in futures}
    arrivals = sorted(start + seconds for seconds in earlier.values())
    quorum_reached = False
    while pending:
        now = loop.time()
        if now >= closes:
            return quorum_reached
        until = min([closes, *(at for at in arrivals if at > now)])
        _, pending = await asyncio.wait(pending, timeout=until - now, return_when=asyncio.FIRST_COMPLETED)
        if quorum_reached or quorum >= 1:
            continue
        now = loop.time()
        good = sum(
            start + earlier.get(seat, 0.0) <= now and all(map(answered, futures))
            for seat, futures in seats.items()
        )
        if good >= needed:
            quorum_reached = True
            closes = min(closes, max(now + grace * (now - start), start + FAST))
    return True


def _nothing() -> None:
    """For attempts that nobody times."""
