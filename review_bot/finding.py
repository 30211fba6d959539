"""What a reviewer says, and what the review reports of it: the types behind the JSON output."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from review_bot.proof.report import BehaviourReport, ProofReport
from review_bot.suggested import SuggestedTests

Severity = Literal["critical", "major", "minor", "nit"]
Standing = Literal["confirmed", "minority", "disputed", "rejected"]

#: From the worst to the mildest.
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "nit")


class Finding(BaseModel):
    """One reviewer's finding, with its place in the change. An item of the engine's ledger.

    `line` is None for a finding about the whole file. `start_line` equals `line` for a single line.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    side: Literal["LEFT", "RIGHT"] = "RIGHT"
    start_line: int | None = None
    line: int | None = None
    severity: Severity
    category: str = Field(description="bug, security, correctness, performance, api, types, style, ...")
    title: str
    body: str = ""
    suggestion: str | None = Field(
        default=None, description="text that replaces the lines start_line to line; empty deletes them"
    )
    rule: str = Field(default="", description="the tool's rule, for deterministic reviewers")
    evidence: list[dict[str, Any]] = Field(default_factory=list)
    call: str = Field(default="", description="source of a call that shows it, to be put to the test")


class FindingsAnswer(BaseModel):
    """What a deterministic reviewer answers. `note` says why it had nothing to look at, if so."""

    model_config = ConfigDict(frozen=True)

    findings: list[Finding] = Field(default_factory=list)
    note: str = ""


class ReportedFinding(BaseModel):
    """A finding in the review's result: after clustering, with everybody who had a say in it."""

    model_config = ConfigDict(frozen=True)

    id: str
    path: str
    side: Literal["LEFT", "RIGHT"]
    start_line: int | None
    line: int | None
    severity: Severity
    category: str
    title: str
    body: str
    suggestion: str | None
    standing: Standing
    reason: str | None
    raised_by: list[str]
    seconded_by: list[str]
    disputed_by: list[str]
    evidence: list[dict[str, Any]]
    rule: str = ""
    stances: list[dict[str, str]] = Field(
        default_factory=list, description="who took which position in a later layer, and why"
    )
    merged: list[dict[str, Any]] = Field(
        default_factory=list, description="the other members' own words for the same finding"
    )
    items: list[str] = Field(
        default_factory=list, description="ids of all that was said of it, in the record"
    )


class UnplacedFinding(BaseModel):
    """What a member found about no file of the change: in its own words, since nothing can be checked."""

    model_config = ConfigDict(frozen=True)

    member: str
    path: str = Field(description="as the member named it: no file of the change; empty when it named none")
    severity: Severity
    category: str
    title: str
    body: str


class Review(BaseModel):
    """The result of a review task; the run's figures are added when it is written out."""

    model_config = ConfigDict(frozen=True)

    findings: list[ReportedFinding]
    objections: list[str] = Field(
        default_factory=list, description="what members said that could not be used, and why"
    )
    unplaced: list[UnplacedFinding] = Field(
        default_factory=list, description="what members found about no file of the change"
    )
    behaviour: list[BehaviourReport] = Field(
        default_factory=list, description="what behaves differently, the intended included"
    )
    proof: ProofReport | None = Field(default=None, description="how the proof went, if there is one")
    suggested: SuggestedTests = Field(
        default_factory=SuggestedTests, description="tests that pytest --moa suggested for the change"
    )
