"""The witnesses so far, and which others would say something new."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pytest_moa.proof.behaviour import BehaviourChange, Outcome, Side, identity
from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.difference import Difference, shown
from pytest_moa.proof.sighting import Sighting
from pytest_moa.proof.texts import shortened

#: Witnesses of one changed function, and of one kind among them.
MOST_WITNESSES, MOST_OF_A_KIND = 4, 2
#: Tests that were written for one kind of difference and did not prove it.
MOST_REFUTED = 4
#: Share of the whole time after a function's last witness, divided by how many there are, that is enough.
QUIET = 0.2


class Kept:
    """Collects witnesses for `seconds`; `tell` hears of each."""

    def __init__(self, seconds: float, tell: Callable[[BehaviourChange], None]) -> None:
        self._seconds = seconds
        self._tell = tell
        self.found: list[BehaviourChange] = []
        self._kinds: Counter[tuple[str, ...]] = Counter()
        self._refuted: Counter[tuple[str, ...]] = Counter()
        self._shapes: set[tuple[Any, ...]] = set()
        self._said: dict[tuple[str, str], int] = {}  # highest rank by function and what head raised
        self._last: dict[str, float] = {}  # when a function showed its last witness

    def done_with(self, name: str) -> bool:
        """Whether a function has shown enough, or nothing new for a while."""
        mine = sum(change_name(one) == name for one in self.found)
        quiet = time.monotonic() - self._last.get(name, time.monotonic())
        return mine >= MOST_WITNESSES or (mine > 0 and quiet > QUIET * self._seconds / mine)

    def wants(self, sighting: Sighting) -> bool:
        """Whether its witness would be a new one, and is likely to be one."""
        return (
            self._kinds[sighting.kind] < MOST_OF_A_KIND
            and sighting.shape not in self._shapes
            and self._said.get((sighting.name, sighting.raised), -1) < sighting.difference.rank
            and self._refuted[sighting.kind] < MOST_REFUTED
            and not self.done_with(sighting.name)
        )

    def refuted(self, sighting: Sighting) -> None:
        """Its test proved nothing, or none could be written."""
        self._refuted[sighting.kind] += 1

    def proved(
        self,
        sighting: Sighting,
        function: ChangedFunction,
        test: str,
        base: Mapping[str, Any],
        head: Mapping[str, Any],
    ) -> None:
        """Keep a witness."""
        self._kinds[sighting.kind] += 1
        self._shapes.add(sighting.shape)
        if sighting.raised:
            self._said[sighting.name, sighting.raised] = sighting.difference.rank
        change = change_of(sighting, function, test, base, head)
        if all(one.test != test for one in self.found):
            self.found.append(change)
            self._last[sighting.name] = time.monotonic()
            self._tell(change)


def change_of(
    sighting: Sighting,
    function: ChangedFunction,
    test: str,
    base: Mapping[str, Any],
    head: Mapping[str, Any],
) -> BehaviourChange:
    """The change of behaviour that a test has proved."""
    difference, source = sighting.difference, sighting.snippet.source
    was, now = side_of(base, difference, difference.base), side_of(head, difference, difference.head)
    return BehaviourChange(
        id=identity(function.module, function.qualname, source, was, now, difference.differs),
        path=function.path,
        module=function.module,
        qualname=function.qualname,
        line=function.lines[0],
        input=source,
        base=was,
        head=now,
        differs=difference.differs,
        test=test,
        found_by=sighting.snippet.by,
        rank=difference.rank,
    )


def change_name(change: BehaviourChange) -> str:
    """The changed function, as "package.module:Class.method"."""
    return f"{change.module}:{change.qualname}"


def side_of(details: Mapping[str, Any], difference: Difference, text: str) -> Side:
    """What one side did, for people."""
    outcome: Outcome = "returned"
    if details["late"]:
        outcome = "timed_out"
    elif details.get("crashed"):
        outcome = "crashed"
    elif details["error"] is not None:
        outcome = "raised"
    arguments = text if difference.differs == "arguments" else ""
    whole = shown(details) if difference.differs in ("arguments", "output", "warnings") else text
    return Side(
        outcome,
        shortened(whole or text),
        shortened(details.get("output", "")),
        tuple(shortened(one) for one in details.get("warned", ())),
        shortened(arguments),
    )
