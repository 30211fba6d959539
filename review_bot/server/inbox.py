"""The inbox: what was delivered is on the disk before it is answered, and is there once.

One thread writes. What arrives while a commit is on its way to the disk goes together into the next one, so
that a burst of deliveries costs a few commits, and no delivery waits for a timer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from review_bot.server.database import Database, DatabaseFailed, deliveries, reason
from review_bot.server.deliveries import Delivery

Put = Literal["new", "seen"]

#: Seconds that a delivery waits for the database: GitHub gives up after 10.
_PATIENCE = 8.0

#: Seconds in which a write that failed is tried again.
_RETRIED = 6.0

#: Seconds between two tries.
_PAUSE = 0.25

#: Deliveries in one commit.
_BATCH = 500

#: Rows in one statement.
_PORTIONS = (50, 10, 1)

#: Deliveries that wait at most. More only come while the database does not answer.
_WAITING = 5000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    delivery: Delivery
    received: float
    until: float
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Put]


class Inbox:
    """The way into the table of deliveries. What becomes of them there is the dispatcher's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = postgresql if database.engine.dialect.name == "postgresql" else sqlite
        self._changed = threading.Condition()
        self._queue: deque[_Entry] = deque()
        self._closing = False
        self._thread: threading.Thread | None = None

    async def put(self, delivery: Delivery) -> Put:
        """Keep a delivery; when this returns it is on the disk. "seen": it was before, nothing is changed.

        Raises:
            DatabaseFailed: the database does not take it.
        """
        loop = asyncio.get_running_loop()
        until = time.monotonic() + _RETRIED
        entry = _Entry(delivery, time.time(), until, loop, loop.create_future())
        with self._changed:
            if self._closing or len(self._queue) >= _WAITING:
                raise DatabaseFailed("too many deliveries wait for the database already")
            self._queue.append(entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            return await asyncio.wait_for(entry.answer, _PATIENCE)
        except TimeoutError as error:
            raise DatabaseFailed("the database does not answer") from error

    def close(self) -> None:
        """Write what waits, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while batch := self._next():
            try:
                new = self._write(batch)
            except Exception as error:  # a dead thread would let every delivery wait for ever
                said = reason(error) if isinstance(error, SQLAlchemyError) else repr(error)
                _log.warning("deliveries cannot be written: %s", said)
                self._put_back(batch, said)
            else:
                _answered(batch, new)

    def _next(self) -> list[_Entry]:
        """What is to be written next; nothing when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]

    def _write(self, batch: Sequence[_Entry]) -> set[str]:
        """Write them; the ids of those that were not there before."""
        rows = {
            entry.delivery.id: {
                "id": entry.delivery.id,
                "received": entry.received,
                "event": entry.delivery.event,
                "repository": entry.delivery.repository,
                "number": entry.delivery.number,
                "installation": entry.delivery.installation,
                "wish": dict(entry.delivery.wish),
                "state": entry.delivery.state,
                "why": entry.delivery.why,
            }
            for entry in reversed(batch)  # of two with one id the first is kept
        }
        insert = self._dialect.insert(deliveries).on_conflict_do_nothing().returning(deliveries.c.id)
        new: set[str] = set()
        with self._database.writing() as connection:
            for some in _portions([*rows.values()][::-1]):
                new |= set(connection.scalars(insert, some))
        return new

    def _put_back(self, batch: Sequence[_Entry], said: str) -> None:
        """Wait a little for the database; whoever has waited too long is told so."""
        now = time.monotonic()
        with self._changed:
            kept = [entry for entry in batch if entry.until > now and not self._closing]
            self._queue.extendleft(reversed(kept))
            self._changed.wait_for(lambda: self._closing, timeout=_PAUSE)
        for entry in batch:
            if entry not in kept:
                failure = DatabaseFailed(f"the database does not take deliveries: {said}")
                _tell(entry.loop, [(entry.answer, failure)])


def _portions(rows: list[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    """The rows in portions of few sizes: each size is another statement, and connections remember those."""
    start = 0
    for size in _PORTIONS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _answered(batch: Sequence[_Entry], new: set[str]) -> None:
    told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Put], Put | Exception]]] = {}
    for entry in batch:
        answer: Put = "new" if entry.delivery.id in new else "seen"
        new.discard(entry.delivery.id)
        told.setdefault(entry.loop, []).append((entry.answer, answer))
    for loop, answers in told.items():
        _tell(loop, answers)


def _tell(
    loop: asyncio.AbstractEventLoop, answers: Sequence[tuple[asyncio.Future[Put], Put | Exception]]
) -> None:
    """Give the answers in their own loop; a loop that is closed has nobody who waits."""

    def tell() -> None:
        for future, answer in answers:
            if future.done():  # whoever asked is gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
