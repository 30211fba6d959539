"""What tests are wanted for: one function or method of the user's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Why a function is a target: it changed, it was named, or everything is wanted.
Reason = Literal["changed", "named", "all"]


@dataclass(frozen=True, slots=True)
class Target:
    """A function or method. Lines count from 1, decorators included; `path` is relative to the root."""

    path: str  #: with forward slashes
    module: str  #: dotted name under which the tests import it
    qualname: str  #: "function" or "Class.method"
    first_line: int
    last_line: int
    reason: Reason = "named"

    @property
    def name(self) -> str:
        """How targets are written everywhere: `path::qualname`."""
        return f"{self.path}::{self.qualname}"
