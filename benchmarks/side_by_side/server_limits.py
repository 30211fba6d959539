"""The least that a server can do with a delivery: what the others are held against.

    python -m benchmarks.side_by_side.server_limits memory|sqlite PORT FOLDER

The signature is checked and the body parsed, nothing more. `memory` puts it into a queue of the process, so
that nothing is faster and all is lost with the process. `sqlite` commits a row for each delivery before the
answer, as one would write it without a thought of many at a time. Nobody reads either.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def application(keep: Callable[[str, bytes], None], secret: bytes) -> Starlette:
    async def take(request: Request) -> Response:
        body = await request.body()
        signature = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, request.headers["x-hub-signature-256"]):
            return JSONResponse({"state": "refused"}, 401)
        json.loads(body)
        keep(request.headers["x-github-delivery"], body)
        return JSONResponse({"state": "new"}, 202)

    async def well(_request: Request) -> Response:
        return JSONResponse({"state": "well"})

    return Starlette(routes=[Route("/webhook", take, methods=["POST"]), Route("/healthz", well)])


def in_memory() -> Callable[[str, bytes], None]:
    queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    return lambda id, body: queue.put_nowait((id, body))


def in_sqlite(path: Path) -> Callable[[str, bytes], None]:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE deliveries (id TEXT PRIMARY KEY, body BLOB NOT NULL)")

    def keep(id: str, body: bytes) -> None:
        with connection:
            connection.execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?)", (id, body))

    return keep


def main() -> None:
    kind, port, folder = sys.argv[1:]
    keep = in_memory() if kind == "memory" else in_sqlite(Path(folder) / "limit.sqlite")
    app = application(keep, os.environ["GITHUB_WEBHOOK_SECRET"].encode())
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
