"""What members propose: a candidate as an item of the ledger, and deterministic members' answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_moa.candidate import Candidate, Case
from pytest_moa.suggest.lambdas import without_named_lambdas


class CaseBody(BaseModel):
    """A `Case` in the ledger."""

    model_config = ConfigDict(frozen=True)

    callee: str
    arguments: tuple[tuple[str, str], ...]
    outcome: Literal["returns", "raises"]
    expected: str
    match: str = ""
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


class Proposal(BaseModel):
    """A candidate in the ledger.

    `refused` says why it must not even be executed, "" if it may. `hardens` is the id of the
    candidate that it is meant to replace. `claimed`: the documentation promises what it asserts.
    """

    model_config = ConfigDict(frozen=True)

    target: str
    name: str
    source: str
    imports: tuple[str, ...] = ()
    support: str = ""
    says: str = ""
    case: CaseBody | None = None
    refused: str = ""
    hardens: str = ""
    claimed: bool = False

    @property
    def title(self) -> str:
        """What it is, in one line."""
        *_, last = self.source.strip().split("\n")
        return f"{self.target}: {self.name}: {last.strip()}"

    @property
    def candidate(self) -> Candidate:
        """What is executed."""
        case = None if self.case is None else Case(**self.case.model_dump())
        return Candidate(self.target, self.name, self.source, self.imports, self.support, self.says, case)

    @classmethod
    def of(cls, candidate: Candidate, *, refused: str = "", hardens: str = "") -> Proposal:
        """The item that proposes this candidate."""
        return cls.model_validate(
            {**without_named_lambdas(candidate).to_json(), "refused": refused, "hardens": hardens}
        )


def written(candidates: Iterable[Candidate], *, claimed: bool = False) -> str:
    """A deterministic member's answer: these candidates as JSON."""
    plain = map(without_named_lambdas, candidates)
    return json.dumps({"candidates": [{**one.to_json(), "claimed": claimed} for one in plain]})


def read_written(text: str) -> Sequence[Proposal]:
    """What `written` wrote. A part that is no candidate is left out: members can be plug-ins'."""
    try:
        data: Any = json.loads(text)
    except ValueError:
        return ()
    found = data.get("candidates") if isinstance(data, dict) else None
    proposals = []
    for one in found if isinstance(found, list) else ():
        try:
            proposals.append(Proposal.model_validate(one))
        except ValidationError:
            continue
    return proposals
