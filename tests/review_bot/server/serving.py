"""The server's web side on a real socket, and who delivers to it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from itertools import count
from typing import Any

import uvicorn
from sqlalchemy import Row, select
from starlette.routing import BaseRoute

from review_bot.server.app import application
from review_bot.server.database import Database, deliveries
from review_bot.server.deliveries import Rules
from review_bot.server.inbox import Inbox

SECRET = b"It's a Secret to Everybody"
RULES = Rules((SECRET,), ("*",), max_bytes=1_000_000)

_IDS = count(1)


def new_id() -> str:
    """A delivery's id that was not given before."""
    return f"00000000-0000-4000-8000-{next(_IDS):012x}"


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def headers_of(event: str, body: bytes, id: str = "", secret: bytes = SECRET) -> dict[str, str]:
    """What GitHub sends with a body."""
    return {
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Content-Type": "application/json",
        "X-GitHub-Delivery": id or new_id(),
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "1",
        "X-Hub-Signature-256": signature(body, secret),
    }


@dataclass(frozen=True)
class Answer:
    status: int
    data: Any
    headers: Message


@dataclass
class Serving:
    """The running server."""

    database: Database
    inbox: Inbox
    port: int
    stop: Callable[[], None]
    waiting: Callable[[], int]  #: requests that are not answered yet

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            yield connection
        finally:
            connection.close()

    def send(
        self,
        body: bytes | Iterable[bytes],
        headers: Mapping[str, str],
        connection: http.client.HTTPConnection | None = None,
        method: str = "POST",
        path: str = "/webhook",
    ) -> Answer:
        """One request, over a connection of its own unless one is given."""
        if connection is None:
            with self.connection() as own:
                return self.send(body, headers, own, method, path)
        with suppress(BrokenPipeError, ConnectionResetError):  # answered before it was all sent
            connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read()
        kind = response.headers.get("content-type", "")
        return Answer(response.status, json.loads(text) if "json" in kind else text, response.headers)

    def deliver(self, event: str, payload: object, id: str = "") -> Answer:
        """A delivery as GitHub makes it."""
        body = json.dumps(payload).encode()
        return self.send(body, headers_of(event, body, id))

    def rows(self) -> Sequence[Row[Any]]:
        """What is kept, in the order of its arrival."""
        with self.database.reading() as connection:
            return connection.execute(select(deliveries).order_by(deliveries.c.received)).all()


@contextmanager
def serving(
    url: str,
    rules: Rules = RULES,
    alive: Callable[[], bool] = lambda: True,
    routes: Callable[[Database], Sequence[BaseRoute]] = lambda _: (),
) -> Iterator[Serving]:
    """Run the application with a database, until the end of the block."""
    database = Database.open(url)
    inbox = Inbox(database)
    config = uvicorn.Config(
        application(rules, inbox, database, alive, routes(database)),
        log_config=None,
        access_log=False,
        lifespan="on",
        http="h11",
    )
    server = uvicorn.Server(config)
    # Named as TCP: only then asyncio does without Nagle's delay of 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        try:
            port = listener.getsockname()[1]
            yield Serving(database, inbox, port, stop, lambda: len(server.server_state.tasks))
        finally:
            stop()
            database.close()
