"""A server before a server: it passes on, looks at what comes back, and answers some requests itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, or what is answered instead."""

    status: int
    headers: dict[str, str]
    body: bytes


class Request(BaseHTTPRequestHandler):
    """One request; `url` is where its client finds the front."""

    protocol_version = "HTTP/1.1"
    body: bytes
    turn: Callable[[Request], Answer]

    @property
    def url(self) -> str:
        return f"http://{self.headers['Host']}"

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = type(self).turn(self)
        self.send_response_only(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one  # noqa: N815

    def passed_to(self, server: str) -> Answer:
        """What another server answers to it."""
        dropped = ("host", "accept-encoding", "connection", "content-length")
        kept = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection = HTTPConnection(urlsplit(server).netloc, timeout=60)
        connection.request(self.command, self.path, self.body or None, kept)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        hop = ("transfer-encoding", "content-length", "connection")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, {name: headers[name] for name in headers if name not in hop}, body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def front(turn: Callable[[Request], Answer]) -> Iterator[str]:
    """Serve it while the block runs; gives its URL."""
    handler = type("Handler", (Request,), {"turn": staticmethod(turn)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
