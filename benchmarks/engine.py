"""The engine against its limits and against a bare client, on a loopback endpoint.

    python -m benchmarks.engine fixed        6+6+1 calls at 200 ms: wall over the 600 ms critical path
    python -m benchmarks.engine cpu          CPU per call, 5,000 calls, 200 at once, over the bare transport's
    python -m benchmarks.engine stragglers   lognormal latency, then 5 % stuck calls, over waiting for all
    python -m benchmarks.engine faults       30 % of calls fail: runs that end with a valid result and record

Each prints one JSON object. The endpoint runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from typing import Any

from benchmarks.loopback import PROPOSERS, endpoint, session
from moa_engine.ask import AskTask
from moa_engine.committee import build_committee
from moa_engine.outcome import Outcome
from moa_engine.session import Session, conduct, plan_for

CRITICAL_PATH = 0.6


async def one_run(opened: Session, question: str) -> Outcome[str]:
    task = AskTask(question)
    committee = build_committee(opened.settings, opened.plugins)
    return await conduct(opened, task, committee, plan_for(opened, task, committee))


def fixed(runs: int, transport: str) -> dict[str, Any]:
    ours: list[float] = []
    bare: list[float] = []
    with endpoint("--latency", "fixed:0.2") as url, session(url, transport=transport) as opened:

        async def measure() -> None:
            gc.freeze()  # as the commands do, see `run_task`
            for n in range(runs):  # in turn, so that a busy moment hits both
                ours.append((await one_run(opened, f"question {n}")).seconds)
                bare.append(await bare_run(url, transport))

        asyncio.run(measure())
    return {
        "what": "wall time of 6+6+1 calls at 200 ms over the critical path of 600 ms",
        "transport": transport,
        "runs": runs,
        "ours": over_critical_path(ours),
        "bare client, three gathers": over_critical_path(bare),
        "goal": 1.03,
    }


def over_critical_path(seconds: list[float]) -> dict[str, float]:
    ratios = [round(one / CRITICAL_PATH, 4) for one in seconds]
    median = round(statistics.median(ratios), 4)
    return {"first": ratios[0], "min": min(ratios), "median": median, "max": max(ratios)}


async def bare_run(base_url: str, transport: str) -> float:
    """The same calls by a bare httpx client on the same transport, with nothing around them."""
    import httpx

    options: dict[str, Any] = {}
    if transport == "aiohttp":
        import httpx_aiohttp

        options["transport"] = httpx_aiohttp.AiohttpTransport()
    body = {"model": "bare", "messages": [{"role": "user", "content": "question"}], "max_tokens": 2048}
    async with httpx.AsyncClient(timeout=60, **options) as client:
        start = time.perf_counter()
        for calls in (PROPOSERS, PROPOSERS, 1):
            requests = [client.post(f"{base_url}/chat/completions", json=body) for _ in range(calls)]
            for response in await asyncio.gather(*requests):
                response.json()
        return time.perf_counter() - start


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 4)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }


def stragglers(runs: int, at_once: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "runs": runs,
        "goal": {"lognormal": {"p95": 0.55, "p99": 0.45}, "stuck": {"p95": 0.2}},
    }
    for name, latency in (("lognormal", "lognormal:0.2:0.8"), ("stuck", "fixed:0.2+stuck:0.05:5")):
        measured = {}
        for policy, settings in (
            ("wait for all", {"stragglers": {"hedge": False, "quorum": 1.0}}),
            ("quorum and hedge", {}),
        ):
            with (
                endpoint("--latency", latency) as url,
                session(url, transport="aiohttp", **settings) as opened,
            ):
                outcomes = asyncio.run(many(opened, runs, at_once, f"{name} "))
            measured[policy] = {
                **percentiles([outcome.seconds for outcome in outcomes]),
                "calls": round(statistics.mean(outcome.calls for outcome in outcomes), 2),
                "complete": sum(outcome.status == "complete" for outcome in outcomes),
            }
        ours, base = measured["quorum and hedge"], measured["wait for all"]
        result[name] = {**measured, "ratio": {p: round(ours[p] / base[p], 3) for p in ("p50", "p95", "p99")}}
    return result


async def many(opened: Session, runs: int, at_once: int, label: str) -> list[Outcome[str]]:
    """Many runs, some at once, after a few that give the members a history."""
    gate = asyncio.Semaphore(at_once)

    async def gated(question: str) -> Outcome[str]:
        async with gate:
            return await one_run(opened, question)

    for n in range(3):
        await one_run(opened, f"warm {label}{n}")
    return await asyncio.gather(*[gated(f"{label}{n}") for n in range(runs)])


def faults(runs: int, at_once: int) -> dict[str, Any]:
    # A call that hangs must not make 500 runs take an hour: members get two seconds for an attempt.
    with endpoint("--latency", "fixed:0.02", "--fault-rate", "0.3") as url:
        members = {
            f"m{n}": {"model": f"model-{n}", "base_url": url, "timeout": 2.0} for n in range(1, PROPOSERS + 1)
        }
        with session(url, members=members, aggregator=["m1", "m2"], transport="aiohttp") as opened:
            outcomes = asyncio.run(many(opened, runs, at_once, "faults "))
            opened.record.flush()
            verification = opened.record.verify()
    return {
        "runs": runs,
        "with a valid result": sum(bool(outcome.result) for outcome in outcomes),
        "complete": sum(outcome.status == "complete" for outcome in outcomes),
        "partial": sum(outcome.status == "partial" for outcome in outcomes),
        "record verifies": verification.ok,
        "calls per run": round(statistics.mean(outcome.calls for outcome in outcomes), 2),
        "goal": f"{runs} of {runs}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("fixed", "cpu", "stragglers", "faults"))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--transport", choices=("httpx", "aiohttp", "auto"), default="aiohttp")
    args = parser.parse_args()
    start = time.perf_counter()
    if args.what == "fixed":
        result = fixed(args.runs or 12, args.transport)
    elif args.what == "stragglers":
        result = stragglers(args.runs or 500, at_once=10)
    elif args.what == "faults":
        result = faults(args.runs or 500, at_once=20)
    else:
        from benchmarks.engine_cpu import cpu

        result = cpu(args.runs or 5000)
    print(json.dumps({**result, "took_s": round(time.perf_counter() - start, 1)}, indent=2))


if __name__ == "__main__":
    main()
