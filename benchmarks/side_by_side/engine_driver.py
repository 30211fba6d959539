"""What a system of the engine's comparison does in a process of its own: one JSON line for each request.

Runs in the peer's environment, so it knows the standard library only. A driver is started by
`python -m benchmarks.side_by_side.engine_PEER SYSTEM`; it says when it has imported the system, and
then does what it is asked on standard input until that is closed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.cpu_time import AT_ONCE, PROMPT, cpu_per_call

PROPOSERS = 6
LAYERS = 2  # of proposers; the aggregator comes after them
MAX_TOKENS = 2048

#: Sends messages to a model and gives the text of its answer.
Ask = Callable[[str, list[dict[str, str]]], Awaitable[str]]


class System:
    """What is measured. `resilient`: with its own means against faults, see `engine.py`."""

    package = ""  #: whose version is reported; none for what is not from the registry
    keeps_connections = True

    def load(self) -> None:
        """Import what a first call needs."""

    async def open(self, url: str, *, timeout: float, resilient: bool) -> None:
        """Be ready for calls at this endpoint, each attempt of which may take `timeout` seconds."""

    async def ask(self, model: str, messages: list[dict[str, str]]) -> str:
        raise NotImplementedError

    async def committee(self, question: str, resilient: bool) -> str:
        """One run of 6+6+1 calls; its answer."""
        return await (survived if resilient else gathered)(question, self.ask)

    async def cpu(self, calls: int, label: str) -> float:
        """CPU microseconds a call, many at once."""

        async def call(number: int) -> None:
            await self.ask("model-1", [{"role": "user", "content": f"{label} {number} {PROMPT}"}])

        if self.keeps_connections:
            await cpu_per_call(AT_ONCE, call)
        return await cpu_per_call(calls, call)

    async def close(self) -> dict[str, Any]:
        """Close the connections; what is to be said about the runs since `open`."""
        return {}


async def gathered(question: str, ask: Ask) -> str:
    """The committee as it is written down first: any error ends the run."""
    answers: list[str] = []
    for _ in range(LAYERS):
        messages = _messages(question, answers)
        answers = await asyncio.gather(*[ask(f"model-{n}", messages) for n in range(1, PROPOSERS + 1)])
    return await ask("model-1", _messages(question, answers))


async def survived(question: str, ask: Ask) -> str:
    """The committee that goes on with the answers it got, and asks a second aggregator."""
    answers: list[str] = []
    for _ in range(LAYERS):
        messages = _messages(question, answers)
        asked = [ask(f"model-{n}", messages) for n in range(1, PROPOSERS + 1)]
        came = await asyncio.gather(*asked, return_exceptions=True)
        answers = [answer for answer in came if isinstance(answer, str) and answer] or answers
    for aggregator in ("model-1", "model-2"):
        try:
            if answer := await ask(aggregator, _messages(question, answers)):
                return answer
        except Exception:  # whatever the peer raises: the next one is asked
            continue
    return ""


def _messages(question: str, answers: list[str]) -> list[dict[str, str]]:
    system = "Answer the question. Where answers of others are shown, weigh them and do better."
    shown = "".join(f"\n\n{n}. {answer}" for n, answer in enumerate(answers, 1))
    return [{"role": "system", "content": system}, {"role": "user", "content": question + shown}]


class _Driver:
    """The requests, by name."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.resilient = False
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(AT_ONCE))

    async def open(self, url: str, timeout: float = 60.0, resilient: bool = False) -> dict[str, Any]:
        self.resilient = resilient
        await self.system.open(url, timeout=timeout, resilient=resilient)
        gc.collect()
        gc.freeze()  # the product's commands do, so all may: no full collection amid a run
        return {}

    async def run(self, question: str) -> dict[str, Any]:
        """Seconds of one run. CPU and memory are those of the whole process so far."""
        seconds, answer = await self._timed(question, 60)
        return {"seconds": seconds, "answer": answer, "cpu": time.process_time(), "peak_mb": _peak_mb()}

    async def runs(self, runs: int, at_once: int, longest: float, until: float) -> dict[str, Any]:
        """Many runs, some at once; none begins when `until` seconds are over."""
        gate = asyncio.Semaphore(at_once)
        begun = time.perf_counter()

        async def one(number: int) -> tuple[float, str] | None:
            async with gate:
                if time.perf_counter() - begun > until:
                    return None
                return await self._timed(f"run {number}", longest)

        for number in range(3):  # histories and connections
            await self._timed(f"warm {number}", longest)
        begun = time.perf_counter()
        done = [result for result in await asyncio.gather(*map(one, range(runs))) if result is not None]
        return {"seconds": [seconds for seconds, _ in done], "valid": sum(bool(text) for _, text in done)}

    async def _timed(self, question: str, longest: float) -> tuple[float, str]:
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(longest):
                answer = await self.system.committee(question, self.resilient)
        except Exception as error:  # whatever the peer raises: the run has no result, and that is counted
            if "--show-errors" in sys.argv:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
            answer = ""
        return time.perf_counter() - begun, answer

    async def cpu(self, calls: int, label: str) -> dict[str, Any]:
        return {"us": await self.system.cpu(calls, label), "peak_mb": _peak_mb()}

    async def close(self) -> dict[str, Any]:
        return await self.system.close()


def _peak_mb() -> float:
    """The most memory this process ever held. (`getrusage` would count the parent it was forked from.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def drive(system: System) -> None:
    """Serve requests until standard input is closed."""
    begun = time.process_time()
    system.load()
    ready: dict[str, Any] = {"import_cpu": time.process_time() - begun}
    if system.package:
        ready["versions"] = {system.package: version(system.package)}
    print(json.dumps(ready), flush=True)
    with asyncio.Runner() as runner:

        async def start() -> _Driver:
            return _Driver(system)

        driver = runner.run(start())
        for line in sys.stdin:
            request: Mapping[str, Any] = json.loads(line)
            arguments = {key: value for key, value in request.items() if key != "do"}
            print(json.dumps(runner.run(getattr(driver, request["do"])(**arguments))), flush=True)
