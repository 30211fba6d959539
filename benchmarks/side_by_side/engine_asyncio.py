"""HTTP by hand over asyncio's streams: what no engine in Python can be below.

It knows just what the loopback endpoint sends (Content-Length, keep-alive): no TLS, proxies or chunks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from benchmarks.side_by_side.engine_driver import MAX_TOKENS, System, drive

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ByHand(System):
    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:  # noqa: ARG002 - has no means
        host, _, path = url.removeprefix("http://").partition("/")
        self.host, self.port = host.split(":")
        self.head = f"POST /{path}/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: ".encode()
        self.timeout = timeout
        self.free: list[Connection] = []

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        request = {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": MAX_TOKENS}
        body = json.dumps(request).encode()
        async with asyncio.timeout(self.timeout):
            connection = await self._connection()
            try:
                answer = await self._exchange(connection, body)
            except BaseException:
                connection[1].transport.abort()
                raise
        self.free.append(connection)
        return str(json.loads(answer)["choices"][0]["message"]["content"])

    async def _connection(self) -> Connection:
        return self.free.pop() if self.free else await asyncio.open_connection(self.host, self.port)

    async def _exchange(self, connection: Connection, body: bytes) -> bytes:
        reader, writer = connection
        writer.write(self.head + f"{len(body)}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        if head.split(b" ", 2)[1] != b"200":
            raise ConnectionError(answer.decode(errors="replace"))
        return answer

    async def close(self) -> dict[str, Any]:
        for _, writer in self.free:
            writer.close()
        return {}


if __name__ == "__main__":
    drive(ByHand())
