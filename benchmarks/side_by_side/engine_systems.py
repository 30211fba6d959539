"""The systems of the engine's comparison: which package in which environment, and a process of each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers import peer
from benchmarks.side_by_side.comparison import Absent

#: optillm without what only its other approaches and its models in process need (torch and 60 more).
OPTILLM = {
    "aiohttp": "3.14.5",
    "cerebras_cloud_sdk": "1.91.0",
    "flask": "3.1.3",
    "httpx": "0.28.1",
    "math-verify": "0.9.0",
    "networkx": "3.6.1",
    "numpy": "2.4.6",
    "openai": "3.57.0",
    "PyYAML": "6.0.4",
    "sympy": "1.14.0",
    "z3-solver": "4.15.4.0",
}


@dataclass(frozen=True)
class Kind:
    """One row of the tables. `at_once` of 0: it has no part where all make many runs at the same time."""

    name: str
    command: tuple[str, ...]  #: a module of this package, and its arguments
    environment: Callable[[], Path]
    cpu_calls: int  #: in a round that measures the CPU of a call
    runs: int = 100  #: at most, where all make many runs
    at_once: int = 5


def _own() -> Path:
    return Path(sys.executable)


_openai = partial(peer, "engine-openai", "openai==3.57.0", "aiohttp==3.14.5")
_httpx = partial(peer, "engine-httpx", "httpx==0.28.1", "httpx-aiohttp==0.2.0", "aiohttp==3.14.5")
_litellm = partial(peer, "engine-litellm", "litellm==1.110.2")
_optillm = partial(
    peer,
    "engine-optillm",
    *[f"{name}=={version}" for name, version in OPTILLM.items()],
    bare=("optillm==0.4.0",),
)

OURS, OURS_HTTPX, LIMIT, BARE = (
    "pytest-moa (aiohttp)",
    "pytest-moa (httpx)",
    "asyncio by hand",
    "httpx-aiohttp",
)
PER_CALL = "httpx (client per call)"
# With these numbers the systems keep two cores half busy while all make many runs at the same time.
KINDS = (
    Kind(OURS, ("engine_moa", "aiohttp"), _own, 5000, 500, 20),
    Kind(OURS_HTTPX, ("engine_moa", "httpx"), _own, 2000, 200, 10),
    Kind("litellm", ("engine_litellm",), _litellm, 400),
    Kind("openai", ("engine_openai", "openai"), _openai, 400),
    Kind("openai (aiohttp)", ("engine_openai", "openai-aiohttp"), _openai, 400),
    Kind("optillm", ("engine_optillm",), _optillm, 400, 200, 10),
    Kind("httpx", ("engine_httpx", "httpx"), _httpx, 400),
    Kind(PER_CALL, ("engine_httpx", "httpx-per-call"), _httpx, 200, at_once=0),
    Kind(BARE, ("engine_httpx", "httpx-aiohttp"), _httpx, 5000, 200, 10),
    Kind(LIMIT, ("engine_asyncio",), _own, 5000, 400, 20),
)


class Stopped(Exception):
    """A system ended or did not answer in time."""


class Process:
    """A system in a process of its own: a context manager, and requests to it."""

    def __init__(self, kind: Kind, python: Path) -> None:
        self.kind = kind
        self.started = time.perf_counter()
        module, *arguments = kind.command
        self.process = subprocess.Popen(
            [str(python), "-m", f"benchmarks.side_by_side.{module}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.ready = self.answer(60)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said = [*self.said[-20:], line.rstrip()]

    def send(self, do: str, **arguments: Any) -> None:
        assert self.process.stdin is not None
        try:
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise self._stopped() from None

    def answer(self, within: float) -> dict[str, Any]:
        """The answer to the oldest request that has none yet.

        Raises:
            Stopped: there is none after so many seconds.
        """
        assert self.process.stdout is not None
        timer = threading.Timer(within, self.process.kill)
        timer.start()
        try:
            while line := self.process.stdout.readline():
                if line.startswith("{"):  # peers print what they like
                    return dict(json.loads(line))
        finally:
            timer.cancel()
        raise self._stopped()

    def ask(self, do: str, within: float = 60.0, **arguments: Any) -> dict[str, Any]:
        self.send(do, **arguments)
        return self.answer(within)

    def _stopped(self) -> Stopped:
        said = self.said[-1] if self.said else "no answer in time"
        return Stopped(f"{self.kind.name} ended with {self.process.wait()}: {said}")

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def installed() -> tuple[dict[str, tuple[Kind, Path]], list[Absent]]:
    """The systems whose environment can be made here, and those whose cannot."""
    found: dict[str, tuple[Kind, Path]] = {}
    absent: list[Absent] = []
    for kind in KINDS:
        try:
            found[kind.name] = kind, kind.environment()
        except subprocess.CalledProcessError as error:
            absent.append(Absent(kind.name, f"its installation ended with {error.returncode}"))
    return found, absent
