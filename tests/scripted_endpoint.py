"""An OpenAI-compatible endpoint on loopback that answers as scripted: for tests and benchmarks.

In a test::

    with ScriptedEndpoint(lambda request: "4") as endpoint:
        ...  # talk to endpoint.base_url
        assert endpoint.requests[0].body["model"] == "qwen"

As a process, which prints one JSON line with its base_url and runs until its stdin is closed::

    python -m tests.scripted_endpoint --latency lognormal:0.2:0.8+stuck:0.05:5 --fault-rate 0.3 --seed 7

Latencies and faults are drawn from the seed, the request and how often it has been seen: they do not
depend on the order in which requests arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FAULTS = ("500", "429", "429-retry-after", "reset", "hang", "garbage", "truncated", "wrong-schema", "empty")


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer: a chat completion with this text, or an error body when the status is not 200.

    `raw` is sent as the body, verbatim. `reset` tears the connection down, `hang` never answers.
    `latency` (seconds) passes before any of it. `message` adds fields to the completion's message.
    """

    text: str = ""
    status: int = 200
    latency: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    reset: bool = False
    hang: bool = False
    usage: Mapping[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    )
    finish_reason: str = "stop"
    message: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Received:
    """One request. `at` and `ended` are `time.monotonic()`; `gone`: the client left before the answer."""

    path: str
    body: Any
    headers: dict[str, str]
    at: float
    ended: float | None = None
    gone: bool = False


Answer = Callable[[Any], "str | Scripted"]


def digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def smallest(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that a JSON Schema, as pydantic writes it, allows."""
    root = schema if root is None else root
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return smallest(target, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return smallest(schema[choice][0], root)
    kind = schema.get("type", "object")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: smallest(properties[name], root) for name in schema.get("required", ())}
    if kind == "array":
        return [smallest(schema.get("items", {}), root)] * schema.get("minItems", 0)
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return False if kind == "boolean" else None


def default_answer(request: Any) -> str:
    """A text that depends on model and messages; smallest valid JSON where a schema is asked for."""
    wanted = (request.get("response_format") or {}).get("json_schema", {}).get("schema")
    if wanted is not None:
        return json.dumps(smallest(wanted))
    return f"{request.get('model')} says {digest(request.get('model'), request.get('messages'))[:12]}"


def latency_of(spec: str) -> Callable[[random.Random], float]:
    """`fixed:S`, `lognormal:MEDIAN:SIGMA`, `stuck:SHARE:S`; joined by +, the longest counts."""
    terms = [_latency_term(*term.split(":")) for term in spec.split("+")]
    return lambda rng: max(term(rng) for term in terms)


def _latency_term(kind: str, *numbers: str) -> Callable[[random.Random], float]:
    match kind, [float(number) for number in numbers]:
        case "fixed", [seconds]:
            return lambda _: seconds
        case "lognormal", [median, sigma]:
            return lambda rng: median * rng.lognormvariate(0, sigma)
        case "stuck", [share, seconds]:
            return lambda rng: seconds if rng.random() < share else 0.0
    raise ValueError(f"not a latency: {kind} {numbers}")


def completion(request: Any, scripted: Scripted) -> bytes:
    """The body of a chat completion, or of an error."""
    if scripted.raw is not None:
        return scripted.raw
    if scripted.status != 200:
        return json.dumps({"error": {"message": scripted.text, "type": "scripted"}}).encode()
    return json.dumps(
        {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "model": request.get("model"),
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": scripted.text, **scripted.message},
                    "finish_reason": scripted.finish_reason,
                }
                for index in range(request.get("n") or 1)
            ],
            **({} if scripted.usage is None else {"usage": dict(scripted.usage)}),
        }
    ).encode()


def faulty(fault: str, request: Any, good: Scripted) -> Scripted:
    """What `good` becomes under a fault."""
    whole = completion(request, good)
    return {
        "500": Scripted("the server is on fire", status=500),
        "429": Scripted("slow down", status=429),
        "429-retry-after": Scripted("slow down", status=429, headers={"retry-after-ms": "20"}),
        "reset": Scripted(reset=True),
        "hang": Scripted(hang=True),
        "garbage": Scripted(raw=b"<html>\x00\xff not json at all"),
        "truncated": Scripted(raw=whole[: len(whole) // 2]),
        "wrong-schema": Scripted('{"unexpected": [1, 2, 3]}'),
        "empty": Scripted(""),
    }[fault]


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length bodies and keep-alive: all that clients of an endpoint need."""

    def __init__(self, endpoint: ScriptedEndpoint) -> None:
        self.endpoint = endpoint
        self.buffer = b""
        self.pending: dict[int, tuple[Received, asyncio.TimerHandle | None]] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.endpoint.connections += 1
        self.endpoint.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.endpoint.open.discard(self.transport)
        for received, timer in self.pending.values():
            received.gone, received.ended = True, time.monotonic()
            self.endpoint.gone += 1
            if timer:
                timer.cancel()
        self.pending.clear()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.buffer.startswith(b"\x16"):  # somebody speaks TLS to a server that does not
            self.send(400, b"plain HTTP, please")
            self.transport.close()
            return
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            size = end + 4 + int(headers.get("content-length", 0))
            if len(self.buffer) < size:
                return
            body, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
            method, path, _ = lines[0].split(" ")
            self.request(method, path, headers, body)

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        if method == "GET":
            self.send(200, json.dumps(self.endpoint.listing(path)).encode())
            return
        parsed = json.loads(body)
        received = Received(path, parsed, headers, time.monotonic())
        self.endpoint.count += 1
        if self.endpoint.keep:
            self.endpoint.requests.append(received)
        try:
            scripted = self.endpoint.script(parsed)
        except Exception as error:  # the test's own function is wrong: said when the endpoint closes
            self.endpoint.error = error
            self.transport.abort()
            return
        if scripted.hang:
            self.pending[id(received)] = (received, None)
            return
        body = completion(parsed, scripted)
        if scripted.latency > 0:  # counted from the arrival: this server's own work is part of it
            loop = asyncio.get_running_loop()
            timer = loop.call_at(received.at + scripted.latency, self.answer, received, scripted, body)
            self.pending[id(received)] = (received, timer)
        else:
            self.answer(received, scripted, body)

    def answer(self, received: Received, scripted: Scripted, body: bytes) -> None:
        self.pending.pop(id(received), None)
        received.ended = time.monotonic()
        if scripted.reset:
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()
        else:
            self.send(scripted.status, body, scripted.headers)

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}{extra}\r\n".encode() + body)


class ScriptedEndpoint:
    """The endpoint; a context manager that runs it in a thread of its own.

    `answer` maps a request's body to a text or a `Scripted`; it runs in the server's thread.
    `latency` is a spec of `latency_of`, added where the answer has none of its own. `certificate` is
    a PEM file with certificate and key, for https.
    """

    def __init__(
        self,
        answer: Answer = default_answer,
        *,
        latency: str = "fixed:0",
        fault_rate: float = 0.0,
        faults: Sequence[str] = FAULTS,
        seed: int = 0,
        models: Sequence[str] = ("scripted",),
        keep: bool = True,
        port: int = 0,
        certificate: str | None = None,
    ) -> None:
        self._answer, self._latency = answer, None if latency == "fixed:0" else latency_of(latency)
        self._fault_rate, self._faults, self._seed, self._models = fault_rate, faults, seed, models
        self._seen: Counter[str] = Counter()
        self.port, self.keep = port, keep
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.requests: list[Received] = []  #: in order of arrival
        self.count = 0  #: requests
        self.gone = 0  #: requests whose client left before the answer
        self.connections = 0  #: connections that were opened
        self.open: set[asyncio.WriteTransport] = set()
        self.error: Exception | None = None  #: raised by `answer`

    @property
    def base_url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"

    def listing(self, path: str) -> Any:
        """What GET answers: the models, and under /counts what came in so far."""
        if path.endswith("/models"):
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]}
        return {"requests": self.count, "gone": self.gone, "connections": self.connections}

    def script(self, request: Any) -> Scripted:
        """The answer to a request, with its latency, or the fault that befalls it."""
        answer = self._answer(request)
        scripted = Scripted(answer) if isinstance(answer, str) else answer
        if self._latency is None and not self._fault_rate:
            return scripted
        key = digest(request)
        self._seen[key] += 1
        rng = random.Random(f"{self._seed} {key} {self._seen[key]}")
        if rng.random() < self._fault_rate:
            scripted = faulty(rng.choice(self._faults), request, scripted)
        if self._latency is not None and not scripted.latency:
            fields = {name: getattr(scripted, name) for name in Scripted.__slots__}
            scripted = Scripted(**{**fields, "latency": self._latency(rng)})
        return scripted

    async def start(self) -> asyncio.Server:
        """Listen on loopback; `port` is known afterwards."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, backlog=1024, ssl=self._tls
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something that happens in the server's thread."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "the endpoint did not get there in time"
            time.sleep(0.005)

    def __enter__(self) -> ScriptedEndpoint:
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self.start())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        async def close() -> None:
            self._server.close()
            for transport in list(self.open):
                transport.abort()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self.error is not None:
            raise self.error


def main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible endpoint for tests and benchmarks")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", default="fixed:0", help=latency_of.__doc__)
    parser.add_argument("--fault-rate", type=float, default=0.0, help=f"share of {', '.join(FAULTS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="+", default=["scripted"])
    args = parser.parse_args()
    endpoint = ScriptedEndpoint(**vars(args), keep=False)

    async def serve() -> None:
        await endpoint.start()
        print(json.dumps({"base_url": endpoint.base_url}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
