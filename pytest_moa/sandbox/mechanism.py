"""What confines jobs on this machine, found by trying it in a process that is thrown away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Seconds after which a machine that does not answer counts as one that has nothing.
PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Mechanism:
    """How jobs are confined. `strong` says that all of the promises hold, see docs/design/sandbox.md."""

    name: str
    layers: tuple[str, ...]
    strong: bool


NONE = Mechanism("none", (), False)


def probe() -> Mechanism:
    """The strongest mechanism that works here; `NONE` if there is none. Looked for once, in any thread."""
    with _one_at_a_time:
        return _probed()


_one_at_a_time = threading.Lock()


@cache
def _probed() -> Mechanism:
    boot = Path(__file__).parents[1] / "warm" / "boot.py"
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-P", "-S", str(boot), "pytest_moa.sandbox.trial"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return NONE
    # It tries the strongest first and says how each went: a layer may be there and not work.
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if not found:
        return NONE
    best = min(found, key=lambda one: len(one["open"]))
    layers = tuple(best["layers"])
    return Mechanism(" + ".join(layers), layers, strong=not best["open"])
