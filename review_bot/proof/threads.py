"""Blocking work beside an event loop, in threads that keep no process alive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


def in_thread(work: Callable[[], ResultT]) -> asyncio.Future[ResultT]:
    """The result of `work`, which runs in a thread of its own.

    A second Ctrl-C must end the process at once: threads of asyncio's executor would be waited for.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[ResultT] = loop.create_future()

    def settle(result: ResultT | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as problem:
            error = problem
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop has been closed: nobody waits any more
            return

    threading.Thread(target=run, name="proof", daemon=True).start()
    return future
