"""LiteLLM's `acompletion`, with the price list in its package: the other would come from the network."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.side_by_side.engine_driver import MAX_TOKENS, System, drive


class LiteLLM(System):
    package = "litellm"

    def load(self) -> None:
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        litellm.suppress_debug_info = True  # otherwise it prints advice at each error, onto our pipe

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        self.options: dict[str, Any] = {"api_base": url, "api_key": "none", "timeout": timeout}
        if resilient:
            other = {"model": "openai/model-2", "api_base": url, "api_key": "none"}
            self.options |= {"num_retries": 5, "fallbacks": [other]}

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        import litellm

        completion = await litellm.acompletion(
            model=f"openai/{model}",
            messages=messages,
            temperature=0.7,
            max_tokens=MAX_TOKENS,
            **self.options,
        )
        return completion.choices[0].message.content or ""


if __name__ == "__main__":
    drive(LiteLLM())
