"""Calls and tokens of whoever asks a model, counted in one way: a proxy on loopback in front of its server.

It can also answer by itself, wrongly: prose where JSON was asked for, a refused key, nothing at all.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

GARBAGE = "Certainly! As a large language model I think that the change is great. {[<|"


@dataclass(slots=True)
class Counts:
    """What was asked since the last look. Tokens are the model server's own counts.

    A call that was given up, or answered without counts, has none: `uncounted`.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    uncounted: int = 0


class Proxy(ThreadingHTTPServer):
    """Forwards to `upstream`, a base URL that ends in /v1, or to nobody: then it answers wrongly itself."""

    daemon_threads = True

    def __init__(self, upstream: str = "", status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.status = urlsplit(upstream), status
        self._counts = Counts()
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def taken(self) -> Counts:
        """The counts since this was called last."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
        return counts

    def count(self, body: bytes) -> None:
        """Add one answer."""
        try:
            usage: dict[str, Any] | None = json.loads(body).get("usage")
        except (ValueError, AttributeError):
            usage = None
        with self._lock:
            self._counts.calls += 1
            if usage is None:
                self._counts.uncounted += 1
            else:
                self._counts.tokens_in += usage["prompt_tokens"]
                self._counts.tokens_out += usage["completion_tokens"]


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._forward(b"", counted=False)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._forward(body, counted=True)

    def _forward(self, body: bytes, *, counted: bool) -> None:
        if self.server.upstream.netloc:
            status, answer = self._asked(body)
        else:
            status, answer = self.server.status, _wrong(self.server.status)
        if counted:
            self.server.count(answer)
        if status:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def _asked(self, body: bytes) -> tuple[int, bytes]:
        """The model server's answer; 0 where the client hung up, and then the server is told so."""
        upstream = http.client.HTTPConnection(self.server.upstream.netloc)
        try:
            upstream.request(self.command, self.path, body, {"content-type": "application/json"})
            while not select.select([upstream.sock], [], [], 0.2)[0]:
                if _is_gone(self.connection):
                    self.close_connection = True
                    return 0, b""
            answer = upstream.getresponse()
            return answer.status, answer.read()
        except OSError:
            self.close_connection = True
            return 0, b""
        finally:
            upstream.close()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _is_gone(client: socket.socket) -> bool:
    if not select.select([client], [], [], 0)[0]:
        return False
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _wrong(status: int) -> bytes:
    if status != 200:
        return json.dumps(
            {"error": {"message": "Incorrect API key", "type": "auth", "code": "invalid"}}
        ).encode()
    message = {"role": "assistant", "content": GARBAGE}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": "garbage",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }
    ).encode()


@contextmanager
def proxy(upstream: str = "", status: int = 200) -> Iterator[Proxy]:
    """Serve while the context lasts."""
    with Proxy(upstream, status) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
