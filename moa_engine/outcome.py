"""What a run ended with: the result, and who did what for it at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from moa_engine.ledger import Ledger
from moa_engine.task import Task

ResultT = TypeVar("ResultT")
Status = Literal["complete", "partial", "failed"]


@dataclass(frozen=True, slots=True)
class MemberReport:
    """One member's part in a run. `cost_usd` is None when it is not known."""

    name: str
    kind: str
    model: str
    role: tuple[str, ...]  #: "proposer", "aggregator"
    calls: int  #: attempts that were made
    cached: int  #: answers taken from the record
    failed: int  #: questions that ended without an answer
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    seconds: float
    errors: tuple[str, ...] = ()  #: why its questions failed, each reason once

    def to_json(self) -> dict[str, Any]:
        """The fields of `members[]` in every JSON output."""
        return {
            "name": self.name,
            "kind": self.kind,
            "model": self.model,
            "role": list(self.role),
            "calls": self.calls,
            "cached": self.cached,
            "failed": self.failed,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": self.cost_usd,
            "seconds": self.seconds,
            "errors": list(self.errors),
        }


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ResultT]):
    """A finished run. `result` is None when the status is "failed".

    `cost_usd` is what is known to have been spent, None when a price is not known; what calls that
    were cut off may cost on top of it is among the warnings.
    `aggregator` is the member whose synthesis stands, "" for the deterministic aggregator.
    `seconds` is the run without start-up. `warnings` are sentences for people.
    """

    run: str
    task: Task[ResultT]
    status: Status
    result: ResultT | None
    ledger: Ledger
    members: tuple[MemberReport, ...]
    missing: tuple[str, ...]  #: members from whom an answer was expected and did not come
    aggregator: str
    calls: int
    cached: int
    cost_usd: float | None
    seconds: float
    masked_secrets: int
    warnings: tuple[str, ...] = ()

    def figures(self) -> Mapping[str, Any]:
        """The run's figures under the names that every JSON output uses."""
        return {
            "run": self.run,
            "status": self.status,
            "calls": self.calls,
            "cached": self.cached,
            "cost_usd": self.cost_usd,
            "seconds": self.seconds,
            "members": [member.to_json() for member in self.members],
            "missing": list(self.missing),
            "masked_secrets": self.masked_secrets,
            "warnings": list(self.warnings),
        }
