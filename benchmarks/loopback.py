"""What the engine's benchmarks run against: an endpoint in a process of its own, and six members there."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moa_engine.session import Session, open_session

PROPOSERS = 6
LAYERS = 3


@contextmanager
def endpoint(*arguments: str) -> Iterator[str]:
    """A scripted endpoint in its own process; gives its base URL."""
    command = [sys.executable, "-m", "tests.scripted_endpoint", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["base_url"]
        finally:
            server.kill()


@contextmanager
def session(base_url: str, **settings: Any) -> Iterator[Session]:
    """A session with six proposers at the endpoint and a fresh record."""
    members = {f"m{n}": {"model": f"model-{n}", "base_url": base_url} for n in range(1, PROPOSERS + 1)}
    with tempfile.TemporaryDirectory() as folder:
        flags = {
            "record": str(Path(folder) / "record.sqlite"),
            "layers": LAYERS,
            "aggregator": ["m1"],
            "members": members,
            **settings,
        }
        with open_session(start=Path(folder), flags=flags, environ={}) as opened:
            yield opened
