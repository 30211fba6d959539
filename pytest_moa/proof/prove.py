"""Compare two versions of a project by running both: the entry of the proof."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moa_engine.errors import MoaError
from pytest_moa.proof.behaviour import Proof


class ProofUnavailable(MoaError):
    """Nothing can be run: no sandbox works here, or no Python has changed."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The two versions, as plain folders that nobody else changes meanwhile."""

    base: Path
    head: Path


@dataclass(frozen=True, slots=True)
class ProposedCalls:
    """Calls that somebody proposes to try: source of statements whose last one is looked at."""

    function: str  #: "package.module:Class.method"
    calls: tuple[str, ...]
    by: str  #: the proposer's name, for the record


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A changed function for which no difference was found yet: what a proposer of calls should see."""

    function: str  #: "package.module:Class.method"
    base: str  #: source of the function at base, "" if it is not there
    head: str
    tried: tuple[str, ...]  #: some of the inputs, as source
    unreached: tuple[str, ...]  #: source lines of changed branches that no input reached


def prove(
    sides: Sides,
    changed: Sequence[str] | None,
    *,
    functions: Sequence[str] | None = None,
    seconds: float = 60,
    workers: int = 2,
    unsafe: bool = False,
    calls: Sequence[ProposedCalls] = (),
    progress: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Proof:
    """Search inputs on which head behaves otherwise than base.

    `changed` are paths relative to the trees (None: every Python file that differs); `functions`, as
    "package.module:Class.method", limits the search to those. `unsafe` runs the code also where no
    sandbox works. What was found when `seconds` are over or `stop` is set is returned.

    Raises:
        ProofUnavailable: no sandbox works here and not `unsafe`, or no Python file has changed.
    """
    raise NotImplementedError


def replay(test: str, sides: Sides, *, unsafe: bool = False, workers: int = 2) -> tuple[bool, bool]:
    """Whether a test passes on base and on head: three times of three, each in a fresh process.

    Raises:
        ProofUnavailable: no sandbox works here and not `unsafe`.
    """
    raise NotImplementedError


def open_questions(sides: Sides, proof: Proof) -> tuple[OpenQuestion, ...]:
    """What proposers of calls need to know of the functions for which no difference was found."""
    raise NotImplementedError
