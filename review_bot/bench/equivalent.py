"""Whether an edit changes what the code does: both versions are run on inputs that the witness search finds.

A defect that changes nothing is none, and a clean edit that changes something is not clean. No difference
found is no proof that there is none: such a defect is left out of a case set all the same, since nobody
could be blamed for not seeing it.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from moa_engine.printable import one_line
from review_bot.bench.sources import Sources

if TYPE_CHECKING:
    from pytest_moa.proof.behaviour import BehaviourChange, Proof

#: Characters of an input and of what is seen on it.
_LONGEST = 300

#: "unknown": it could not be run (no caller is known, no sandbox, not importable here).
Effect = Literal["differs", "same", "unknown"]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What running both versions showed, and an input that shows the difference, for people."""

    effect: Effect
    words: str = ""

    def agrees(self, kind: str) -> bool:
        """Whether a hunk of that kind is what it is said to be, as far as running it can tell."""
        return self.effect != ("differs" if kind == "clean" else "same")


class Witness(Protocol):
    """Judges an edit of one function."""

    def __call__(self, path: str, new: str, function: str) -> Witnessed: ...


@contextmanager
def witness(sources: Sources, *, seconds: float) -> Iterator[Witness]:
    """A judge for edits of these sources, that takes so many seconds for each at most."""
    with tempfile.TemporaryDirectory(prefix="moa-bench-", ignore_cleanup_errors=True) as folder:
        base, head = Path(folder) / "base", Path(folder) / "head"
        for side in (base, head):
            _copy(sources, side)

        def judge(path: str, new: str, function: str) -> Witnessed:
            file = head / path
            before = file.read_bytes()
            file.write_bytes(new.encode())
            try:
                return _searched(base, head, path, f"{sources.module(path)}:{function}", seconds)
            finally:
                file.write_bytes(before)

        yield judge


def _searched(base: Path, head: Path, path: str, function: str, seconds: float) -> Witnessed:
    from pytest_moa.proof.prove import ProofUnavailable, Sides, prove

    stop = threading.Event()  # one difference is enough
    seen: list[BehaviourChange] = []

    def found(change: BehaviourChange) -> None:
        seen.append(change)
        stop.set()

    try:
        proof = prove(
            Sides(base, head), [path], functions=[function], seconds=seconds, found=found, stop=stop
        )
    except ProofUnavailable:
        return Witnessed("unknown")
    if seen:
        shown = seen[0]
        words = f"{shown.input}: {shown.base.text}, now {shown.head.text}"
        for side in (base, head):  # a text may say where its code is: on this machine, for this once
            words = words.replace(str(side), "")
        return Witnessed("differs", one_line(words)[:_LONGEST])
    return Witnessed("same" if _was_run(proof) else "unknown")


def _was_run(proof: Proof) -> bool:
    return any(one.status == "no difference found" and one.executions for one in proof.searched)


def _copy(sources: Sources, side: Path) -> None:
    """The sources' project without what no code reads: the package alone where it is among others."""
    tops = {Path(path).parts[0] for path in sources.texts}
    side.mkdir()
    for top in tops:
        place = sources.root / top
        if place.is_dir():
            shutil.copytree(place, side / top, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        else:
            shutil.copy2(place, side / top)
