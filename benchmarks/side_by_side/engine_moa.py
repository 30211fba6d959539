"""The product's engine, by either transport: `moa ask`'s own task, with its record, cache and stragglers."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

from benchmarks.cpu_time import AT_ONCE
from benchmarks.side_by_side.engine_driver import PROPOSERS, System, drive


class Moa(System):
    package = "pytest-moa"

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self.opened = ExitStack()

    def load(self) -> None:
        import benchmarks.engine  # noqa: F401 - and with it the engine

        if self.transport == "aiohttp":
            import httpx_aiohttp  # noqa: F401
        else:
            import httpx  # noqa: F401

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        from benchmarks.loopback import session

        self.url, self.calls, self.runs = url, 0, 0
        self.opened.close()
        members = {
            f"m{n}": {"model": f"model-{n}", "base_url": url, "timeout": timeout}
            for n in range(1, PROPOSERS + 1)
        }
        aggregator = ["m1", "m2"] if resilient else ["m1"]
        settings: dict[str, Any] = {"members": members, "aggregator": aggregator, "transport": self.transport}
        self.session = self.opened.enter_context(session(url, **settings))

    async def committee(self, question: str, resilient: bool) -> str:  # noqa: ARG002 - a setting
        from benchmarks.engine import one_run

        outcome = await one_run(self.session, question)
        self.calls += outcome.calls
        self.runs += 1
        return outcome.result or ""

    async def cpu(self, calls: int, label: str) -> float:
        from benchmarks.engine_cpu import ours
        from benchmarks.loopback import session

        member = {"model": "model-1", "base_url": self.url, "concurrency": AT_ONCE}
        with session(self.url, transport=self.transport, members={"m1": member}, aggregator=[]) as opened:
            return await ours(opened, calls, label)

    async def close(self) -> dict[str, Any]:
        self.session.record.flush()
        verified = self.session.record.verify().ok
        self.opened.close()
        return {"verified": verified, "calls": self.calls / max(self.runs, 1)}


if __name__ == "__main__":
    drive(Moa(sys.argv[1]))
