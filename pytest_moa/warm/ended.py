"""How a job ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["returned", "raised", "exited", "crashed", "timed_out", "out_of_memory", "too_much_output"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended, and what it left.

    `value` is what it returned, or the list of all that it yielded, also when it was ended early.
    `error` says for people why it did not return; `output` is what it and its processes printed, cut at
    the limit; `seconds` is its wall time.
    """

    status: Status
    value: Any = None
    error: str = ""
    output: str = ""
    seconds: float = 0.0
