"""The server's web side: GitHub's deliveries, whether the server is well, and the pages of others.

A delivery is answered when it is on the disk, and never waits for a review. Whatever is sent, the answer is
2xx or 4xx; 503 means that the database did not take a good delivery, which GitHub can send again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from review_bot.server.database import Database, DatabaseFailed, reason
from review_bot.server.deliveries import (
    Delivery,
    Ignored,
    Refused,
    Rules,
    read_delivery,
    refused_unread,
    too_large,
)
from review_bot.server.inbox import Inbox

#: Seconds in which a body must have come: GitHub gives up after 10.
_BODY_SECONDS = 10.0

#: Bodies that are held at a time, in units of the largest one: a limit for who is not GitHub.
_HELD = 4

#: Larger bodies are checked in a thread, so that others are answered meanwhile.
_LARGE = 256 * 1024

#: Seconds for which an answer about the server's health holds, and the most that the database may take.
_HEALTH_HOLDS = 1.0
_HEALTH_SECONDS = 3.0

_log = logging.getLogger(__name__)


def application(
    rules: Rules,
    inbox: Inbox,
    database: Database,
    alive: Callable[[], bool],
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The ASGI application. It closes the inbox when it is shut down, after the last answer.

    `alive`: whether somebody works on what was delivered.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(inbox.close)

    own = [
        Route("/webhook", _Webhook(rules, inbox).answer, methods=["POST"]),
        Route("/healthz", _Health(database, alive).answer, methods=["GET"]),
    ]
    return Starlette(routes=[*own, *routes], lifespan=lifespan)


class _Refusal(Exception):
    """The answer to a body that is not read to its end."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.response = _answer(status, "refused", why)


class _Webhook:
    """Where GitHub delivers to."""

    def __init__(self, rules: Rules, inbox: Inbox) -> None:
        self._rules = rules
        self._inbox = inbox
        self._held = 0

    async def answer(self, request: Request) -> Response:
        headers = dict(request.headers)
        if refused := refused_unread(headers, self._rules):
            return _answer(refused.status, "refused", refused.why)
        try:
            async with self._body(request) as body:
                if len(body) > _LARGE:
                    found = await asyncio.to_thread(read_delivery, headers, body, self._rules)
                else:
                    found = read_delivery(headers, body, self._rules)
        except _Refusal as refusal:
            return refusal.response
        match found:
            case Refused(status, why):
                return _answer(status, "refused", why)
            case Ignored(why):
                return _answer(200, "ignored", why)
            case Delivery():
                return await self._kept(found)

    async def _kept(self, delivery: Delivery) -> Response:
        try:
            put = await self._inbox.put(delivery)
        except DatabaseFailed as error:
            _log.error("delivery %s is not kept: %s", delivery.id, error.message)
            response = _answer(503, "refused", "the database does not take the delivery")
            response.headers["Retry-After"] = "10"
            return response
        if put == "seen":
            return _answer(200, "seen", "the delivery was here before")
        return _answer(202, delivery.state, delivery.why)

    @asynccontextmanager
    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """The body, while it is held; never more of it than is allowed."""
        chunks: list[bytes] = []
        size, largest = 0, self._rules.max_bytes
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.stream():
                    chunks.append(chunk)
                    size += len(chunk)
                    self._held += len(chunk)
                    if size > largest:
                        refused = too_large(self._rules)
                        raise _Refusal(refused.status, refused.why)
                    if self._held > largest * _HELD:
                        raise _Refusal(429, "too much is being delivered at a time")
            yield b"".join(chunks)
        except TimeoutError as error:
            raise _Refusal(408, "the body did not come in time") from error
        except ClientDisconnect as error:
            raise _Refusal(400, "the body did not come") from error
        finally:
            self._held -= size


class _Health:
    """Whether deliveries can be kept, and somebody works on them. Open to all, so it is asked seldom."""

    def __init__(self, database: Database, alive: Callable[[], bool]) -> None:
        self._database = database
        self._alive = alive
        self._asked: asyncio.Task[bool] | None = None
        self._holds_until = 0.0

    async def answer(self, _request: Request) -> Response:
        if self._asked is None or (self._asked.done() and time.monotonic() >= self._holds_until):
            self._asked = asyncio.create_task(asyncio.to_thread(self._database_answers))
            self._holds_until = time.monotonic() + _HEALTH_HOLDS
        asked = self._asked
        await asyncio.wait({asked}, timeout=_HEALTH_SECONDS)
        if not (asked.done() and asked.result()):
            return _answer(503, "unwell", "the database does not answer")
        if not self._alive():
            return _answer(503, "unwell", "nobody works on the queue")
        return _answer(200, "well", "")

    def _database_answers(self) -> bool:
        try:
            with self._database.reading() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            _log.warning("the database does not answer: %s", reason(error))
            return False
        return True


def _answer(status: int, state: str, why: str) -> Response:
    return JSONResponse({"state": state, "why": why} if why else {"state": state}, status)
