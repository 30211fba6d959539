"""What confines jobs on this machine, found by trying it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Mechanism:
    """How jobs are confined. `strong` says that all of the promises hold, see docs/design/sandbox.md."""

    name: str
    layers: tuple[str, ...]
    strong: bool


NONE = Mechanism("none", (), False)


@cache
def probe() -> Mechanism:
    """The strongest mechanism that works here."""
    return NONE
