"""CPU of one call through the engine, over a bare client on the same transport, in one run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

from benchmarks.cpu_time import AT_ONCE, PROMPT, cpu_per_call
from benchmarks.loopback import endpoint, session
from moa_engine.budget import Budget
from moa_engine.caller import Caller
from moa_engine.committee import build_committee
from moa_engine.member import Message, PromptVersion
from moa_engine.pacing import Pace
from moa_engine.session import Session
from moa_engine.task import Question

ROUNDS = 3


class Note(BaseModel):
    """What the endpoint answers: enough for JSON to be parsed and validated."""

    text: str
    tags: list[str]


async def bare(base_url: str, calls: int) -> float:
    """httpx on the aiohttp transport, with nothing around it."""
    import httpx
    import httpx_aiohttp

    transport = httpx_aiohttp.AiohttpTransport()
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:

        async def call(number: int) -> None:
            messages = [{"role": "user", "content": f"{number} {PROMPT}"}]
            body = {"model": "bare", "messages": messages, "temperature": 0.7, "max_tokens": 2048}
            response = await client.post(f"{base_url}/chat/completions", json=body)
            response.json()

        await cpu_per_call(AT_ONCE, call)  # connections and imports
        return await cpu_per_call(calls, call)


async def ours(opened: Session, calls: int, label: str) -> float:
    """Through `Caller`: masking, cache look-up, budget, pace, hedge timer, parsing, record."""
    committee = build_committee(opened.settings, opened.plugins)
    member = committee.members["m1"]
    await member.open()
    with quiet_caller(opened, label) as caller:

        async def call(number: int) -> None:
            question = Question(PromptVersion("bench", "1"), (Message("user", f"{label} {number} {PROMPT}"),))
            answer = await caller.ask(
                member,
                question,
                role="proposer",
                layer=1,
                sample=0,
                answer_type=Note,
                subject=None,
                subject_digest="",
            )
            assert answer.value is not None, answer.error

        await cpu_per_call(AT_ONCE, call)
        used = await cpu_per_call(calls, lambda number: call(number + AT_ONCE))
        start = time.process_time()
        opened.record.flush()
        used += (time.process_time() - start) / calls * 1e6
    await committee.aclose()
    return used


@contextmanager
def quiet_caller(opened: Session, label: str) -> Iterator[Caller]:
    record = opened.record
    record.start_run(
        run=label, key=label, task="bench", committee="bench", payload={}, plan={}, seed=0, version="bench"
    )
    yield Caller(
        run=label,
        record=record,
        budget=Budget(None),
        pace=Pace(),
        mask=opened.redactor.mask,
        prices={},
        latencies={"m1": []},
        attempts=3,
        hedge=True,
        use_cache=True,
        seed=0,
        observer=lambda _: None,
        announce=lambda _: None,
    )
    record.finish_run(label, status="complete", result="null", outcome="{}")


def cpu(calls: int) -> dict[str, Any]:
    """The best of three rounds of each, in turn: neighbours on the machine only ever add."""
    bare_us: list[float] = []
    ours_us: list[float] = []
    with endpoint() as url:
        member = {"model": "model-1", "base_url": url, "concurrency": AT_ONCE}
        with session(url, transport="aiohttp", members={"m1": member}, aggregator=[]) as opened:
            for number in range(ROUNDS):
                bare_us.append(asyncio.run(bare(url, calls)))
                ours_us.append(asyncio.run(ours(opened, calls, f"round-{number}")))
    return {
        "what": "CPU microseconds a call at 200 calls at once, with parsing, record and cache",
        "calls": calls,
        "bare": [round(us) for us in bare_us],
        "ours": [round(us) for us in ours_us],
        "ratio": round(min(ours_us) / min(bare_us), 3),
        "goal": 1.6,
    }
