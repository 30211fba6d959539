"""CPU of a call where many run at once. Standard library only: peers measure themselves with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

AT_ONCE = 200
PROMPT = "All work and no play makes a dull committee. " * 22  # about 1 kB


async def cpu_per_call(calls: int, call: Callable[[int], Awaitable[object]]) -> float:
    """CPU microseconds a call, at most `AT_ONCE` of them at work."""
    numbers: Iterator[int] = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await call(number)

    start = time.process_time()
    await asyncio.gather(*[worker() for _ in range(AT_ONCE)])
    return (time.process_time() - start) / calls * 1e6
