"""What was seen to differ, before it is proved; and what was left out, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.difference import Difference
from pytest_moa.proof.lane import Lane
from pytest_moa.proof.snippet import Snippet

#: What Python raises by itself where an argument is not of the kind that code expects.
ACCIDENTS = ("builtins.TypeError", "builtins.AttributeError")

#: Changed function; what base raised, and whether it was late; the same of head.
Group = tuple[str, str, bool, str, bool]


@dataclass(frozen=True, slots=True)
class Note:
    """What is counted, in words for one and for many."""

    one: str
    many: str


UNDECLARED = Note(
    "input was left out: an argument of it is not of the type that the code declares",
    "inputs were left out: an argument of each is not of the type that the code declares",
)
CHANCY = Note(
    "input was left out: a version answers it differently from one time to the next",
    "inputs were left out: a version answers each differently from one time to the next",
)
UNSTABLE = Note(
    "difference was left out: its test did not hold in fresh processes",
    "differences were left out: their tests did not hold in fresh processes",
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A program on which the sides were seen to differ; `name` is the changed function it is about."""

    lane: Lane
    snippet: Snippet
    name: str
    difference: Difference
    branches: frozenset[str]  #: of that function, that base took

    @property
    def order(self) -> tuple[int, int]:
        """What to prove first: the highest rank, then the shortest."""
        return -self.difference.rank, self.snippet.cost

    @property
    def raised(self) -> str:
        """What head raised, if that is the difference: from several places it is the same again."""
        return self.difference.head if self.difference.differs == "exception" else ""

    @property
    def kind(self) -> tuple[str, ...]:
        """What several witnesses of one function may have in common."""
        return self.name, *self.difference.kind

    @property
    def shape(self) -> tuple[Any, ...]:
        """What another witness would only say again."""
        return *self.kind, self.branches


def is_accident(side: Mapping[str, Any]) -> bool:
    """Whether a side raised what Python itself raises for an argument of a wrong kind."""
    error = side.get("error")
    return error is not None and error["kind"] in ACCIDENTS and not error["told"]


#: Proposers that know nothing of what a parameter without annotation is for.
_GUESSING = frozenset({"amplified", "annotations", "literals", "search"})


def is_meant(snippet: Snippet, function: ChangedFunction) -> bool:
    """Whether somebody means code to take such input: the code's annotations, or who wrote the program."""
    return function.declared or _GUESSING.isdisjoint(snippet.by)
