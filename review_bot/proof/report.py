"""What a review reports of a proof: the types behind `behaviour` and `proof` in the JSON output."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Judgement = Literal["intended", "suspicious", "regression", "unjudged"]

#: Rank from which on a change of behaviour is a finding although nobody has judged it: it raises where it
#: did not. (`pytest_moa.proof.behaviour.RAISES`; importing that would cost every review.)
RAISES = 90


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SideReport(_Frozen):
    """What one version did with an input."""

    outcome: str = Field(description="returned, raised, timed_out, crashed or not_importable")
    text: str = ""
    stdout: str = ""
    warnings: list[str] = Field(default_factory=list)
    arguments: str = ""


class Said(_Frozen):
    """What one member thinks of a change of behaviour."""

    member: str
    judgement: Literal["intended", "suspicious", "regression"]
    why: str = ""


class BehaviourReport(_Frozen):
    """An input on which both versions differ, and what the committee thinks of it."""

    id: str
    path: str
    module: str
    qualname: str
    line: int
    input: str
    base: SideReport
    head: SideReport
    differs: str
    test: str = Field(
        description="pytest module: passes on base, fails on head; empty where differs is import"
    )
    found_by: list[str]
    rank: int
    judgement: Judgement = "unjudged"
    why: str = ""
    votes: int = Field(default=0, description="families of models that hold the judgement")
    judged_by: list[Said] = Field(default_factory=list)

    @property
    def name(self) -> str:
        """The function, as "package.module:Class.method"."""
        return f"{self.module}:{self.qualname}" if self.qualname else self.module

    def witness(self) -> dict[str, Any]:
        """As evidence of a finding."""
        return {
            "kind": "witness",
            "test": self.test,
            "input": self.input,
            "base": self.base.model_dump(mode="json"),
            "head": self.head.model_dump(mode="json"),
            "found_by": list(self.found_by),
        }


class SearchedReport(_Frozen):
    """What became of one changed function."""

    path: str
    qualname: str
    status: str = Field(description="differs, no difference found, not comparable or not searched")
    why: str = ""
    executions: int = 0
    seconds: float = 0.0
    branches: str = ""


class ProofReport(_Frozen):
    """How the proof went. Without `mechanism` nothing was run, and `notes` say why."""

    mechanism: str = ""
    seconds: float = 0.0
    searched: list[SearchedReport] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
