"""httpx with nothing around it: one shared client, a client per call, and its aiohttp transport."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.side_by_side.engine_driver import MAX_TOKENS, System, drive


class Httpx(System):
    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.package = "httpx-aiohttp" if variant == "httpx-aiohttp" else "httpx"
        self.keeps_connections = variant != "httpx-per-call"
        self.client: Any = None

    def load(self) -> None:
        import httpx  # noqa: F401

        if self.variant == "httpx-aiohttp":
            import httpx_aiohttp  # noqa: F401

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        self.url, self.timeout = f"{url}/chat/completions", timeout
        self.retries = 5 if resilient else 0  # of connecting: httpx retries nothing else
        self.client = self._client() if self.keeps_connections else None

    def _client(self) -> Any:
        import httpx

        if self.variant == "httpx-aiohttp":
            import httpx_aiohttp

            transport: Any = httpx_aiohttp.AiohttpTransport()
        else:
            transport = httpx.AsyncHTTPTransport(retries=self.retries) if self.retries else None
        return httpx.AsyncClient(transport=transport, timeout=self.timeout)

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        if self.client is not None:
            return await self._post(self.client, model, messages)
        async with self._client() as client:
            return await self._post(client, model, messages)

    async def _post(self, client: Any, model: str, messages: list[dict[str, str]]) -> str:
        body = {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": MAX_TOKENS}
        response = await client.post(self.url, json=body)
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])

    async def close(self) -> dict[str, Any]:
        if self.client is not None:
            await self.client.aclose()
        return {}


if __name__ == "__main__":
    drive(Httpx(sys.argv[1]))
