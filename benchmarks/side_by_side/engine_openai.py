"""The OpenAI SDK's asynchronous client, as it comes and with its own aiohttp client."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.side_by_side.engine_driver import MAX_TOKENS, System, drive


class OpenAI(System):
    package = "openai"

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def load(self) -> None:
        import openai  # noqa: F401

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        from openai import AsyncOpenAI, DefaultAioHttpClient

        options: dict[str, Any] = {"base_url": url, "api_key": "none", "timeout": timeout}
        if self.variant == "openai-aiohttp":
            options["http_client"] = DefaultAioHttpClient()
        if resilient:
            options["max_retries"] = 5  # its default is 2
        self.client = AsyncOpenAI(**options)

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        completion = await self.client.chat.completions.create(
            model=model,
            messages=messages,
            temperature=0.7,
            max_tokens=MAX_TOKENS,
        )
        return completion.choices[0].message.content or ""

    async def close(self) -> dict[str, Any]:
        await self.client.close()
        return {}


if __name__ == "__main__":
    drive(OpenAI(sys.argv[1]))
