"""How many requests an endpoint gets at once, and how long to wait before asking again.

The number adapts as TCP's congestion window does (AIMD: additive increase, multiplicative decrease,
Chiu and Jain 1989): halved when the endpoint says that it is busy, raised by one after as many
answers as it has slots, up to what the member's `concurrency` allows. A `Retry-After` (RFC 9110,
10.2.3) stops all requests to that endpoint until then; whoever waits gives up at its own deadline.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress

from moa_engine.errors import CallError, Overloaded

BUSY = frozenset({429, 503, 529})
FIRST_WAIT, LONGEST_WAIT = 0.25, 20.0  #: seconds
UNLIMITED = 1 << 30


class _Gate:
    """One endpoint's slots."""

    __slots__ = ("active", "ceiling", "cuts", "limit", "resumes", "timer", "waiting")

    def __init__(self, start: int) -> None:
        self.limit = float(start)
        self.ceiling = start
        self.active = 0
        self.cuts = 0  #: how often the limit was halved
        self.resumes = 0.0  #: loop time until which the endpoint wants to be left alone
        self.timer: asyncio.TimerHandle | None = None
        self.waiting: deque[asyncio.Future[None]] = deque()

    def wake(self) -> None:
        """Let in whoever may go now."""
        if self.timer is not None:
            return
        free = int(self.limit) - self.active
        while self.waiting and free > 0:
            waiter = self.waiting.popleft()
            if not waiter.cancelled():
                waiter.set_result(None)
                self.active += 1  # taken on the waiter's behalf, so that nobody slips in between
                free -= 1

    def pause(self, seconds: float) -> None:
        """Let nobody in for a while."""
        loop = asyncio.get_running_loop()
        self.resumes = max(self.resumes, loop.time() + seconds)
        if self.timer is not None:
            self.timer.cancel()
        self.timer = loop.call_at(self.resumes, self.resume)

    def resume(self) -> None:
        self.timer = None
        self.wake()


class Slot:
    """A place among an endpoint's requests; tell it how the request went."""

    __slots__ = ("_cuts", "_gate")

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate

    async def __aenter__(self) -> Slot:
        gate = self._gate
        if gate.timer is None and gate.active < int(gate.limit) and not gate.waiting:
            gate.active += 1
        else:
            waiter = asyncio.get_running_loop().create_future()
            gate.waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.cancelled():
                    with suppress(ValueError):  # `wake` may have dropped it already
                        gate.waiting.remove(waiter)
                else:  # let in and cancelled at the same moment
                    self._give_back()
                raise
        self._cuts = gate.cuts
        return self

    async def __aexit__(self, *_: object) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._gate.active -= 1
        if self._gate.waiting:
            self._gate.wake()

    def succeeded(self) -> None:
        """The endpoint answered: it may get a little more."""
        gate = self._gate
        if gate.limit < gate.ceiling:
            gate.limit = min(gate.ceiling, gate.limit + 1 / gate.limit)

    def failed(self, error: CallError) -> None:
        """If the endpoint was busy, it gets less; requests that were sent before that count once."""
        gate = self._gate
        if not isinstance(error, Overloaded) or error.status not in BUSY:
            return
        if self._cuts == gate.cuts:
            gate.cuts += 1
            gate.limit = max(1.0, gate.limit / 2)
        if error.retry_after:
            gate.pause(error.retry_after)


class Pace:
    """The slots of all endpoints; one object for all runs of an event loop."""

    def __init__(self) -> None:
        self._gates: dict[str, _Gate] = {}

    def slot(self, endpoint: str, start: int) -> Slot:
        """A slot at this endpoint, to be entered with `async with`; waits there for its turn.

        `start` is how many requests the endpoint gets at once until it says otherwise; where members
        of one endpoint disagree, the highest counts. "" (nothing leaves the process) has no limit.
        """
        gate = self._gates.get(endpoint)
        if gate is None:
            gate = self._gates[endpoint] = _Gate(start if endpoint else UNLIMITED)
        elif start > gate.ceiling:
            gate.limit += start - gate.ceiling
            gate.ceiling = start
        return Slot(gate)


def backoff(number: int, error: CallError, jitter: random.Random) -> float:
    """Seconds to wait after attempt `number` (from 1) failed with `error`.

    What the endpoint asked for, plus up to a tenth; else exponential, drawn from its upper half so
    that those who failed together do not come back together.
    """
    from tenacity import RetryCallState, wait_exponential

    if error.retry_after is not None:
        return error.retry_after * (1 + jitter.random() / 10)
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = number
    longest = wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)(state)
    return longest * (1 + jitter.random()) / 2
