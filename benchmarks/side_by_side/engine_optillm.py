"""optillm's own mixture of agents, as a library: three answers of one model in a call, a critique, an answer.

Its calls block, so that many at once need a thread each (its proxy is a Flask application and does the same).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from benchmarks.side_by_side.engine_driver import MAX_TOKENS, System, drive

CALLS = 3


class Optillm(System):
    package = "optillm"

    def load(self) -> None:
        import optillm.moa  # noqa: F401

        logging.disable(logging.CRITICAL)

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        from openai import OpenAI

        options: dict[str, Any] = {"max_retries": 5} if resilient else {}
        self.client = OpenAI(base_url=url, api_key="none", timeout=timeout, **options)

    async def committee(self, question: str, resilient: bool) -> str:  # noqa: ARG002 - a matter of the client
        from optillm.moa import mixture_of_agents

        system = "Answer the question."
        options = {"max_tokens": MAX_TOKENS}
        answer, _ = await asyncio.to_thread(
            mixture_of_agents, system, question, self.client, "model-1", options
        )
        return "" if answer.startswith("Error: ") else str(answer)

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        """One call of the client that it is given."""

        def create() -> str:
            completion = self.client.chat.completions.create(
                model=model, messages=messages, temperature=0.7, max_tokens=MAX_TOKENS
            )
            return completion.choices[0].message.content or ""

        return await asyncio.to_thread(create)

    async def close(self) -> dict[str, Any]:
        self.client.close()
        return {}


if __name__ == "__main__":
    drive(Optillm())
