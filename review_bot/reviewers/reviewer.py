"""The member behind every reviewer that runs no model."""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from moa_engine.config import Price
from moa_engine.errors import Refused
from moa_engine.member import Reply, Request
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers import environment
from review_bot.reviewers.tool import ToolTimedOut
from review_bot.subject import ReviewSubject

if TYPE_CHECKING:
    from moa_engine.config import Settings
    from review_bot.settings import ReviewerSettings, ReviewSettings


#: Findings of one rule that one reviewer lists.
MOST_PER_RULE = 100


@dataclass(frozen=True, slots=True)
class ReviewerKind:
    """What decides a reviewer's answers besides the change: part of the key of its cached answers."""

    revision: int  #: raised when its own rules change
    distribution: str = ""  #: the tool it runs, as pip knows it; "" for none
    optional: bool = False  #: comes with an extra; without it the reviewer does not stand by default
    looks_at_packages: bool = False  #: what is installed has a part in its answers


#: Every kind; the module of the same name has its `review`.
KINDS: Mapping[str, ReviewerKind] = {
    "ruff": ReviewerKind(1, "ruff"),
    "griffe": ReviewerKind(1, "griffelib"),
    "ty": ReviewerKind(1, "ty", optional=True, looks_at_packages=True),
    "secrets": ReviewerKind(1, "detect-secrets"),
    "hygiene": ReviewerKind(1),
    "tests": ReviewerKind(1),
}


@dataclass
class Reviewer:
    """A member that reads the change itself and answers with a `FindingsAnswer` in JSON."""

    name: str
    kind: str
    model: str
    family: str
    timeout: float  #: a second more than its tools get, so that they are named when they are too slow
    parameters: Mapping[str, Any]
    ignored: frozenset[str]
    endpoint: str = ""
    reads: Literal["messages", "subject"] = "subject"
    samples: int = 1
    context_window: int | None = None
    concurrency: int = 8
    secrets: tuple[str, ...] = ()
    price: Price | None = field(default_factory=lambda: Price(input=0, output=0))

    @classmethod
    def of_kind(cls, kind: str) -> Callable[[str, ReviewerSettings, Settings], Reviewer]:
        """What builds the members of one kind, for the plug-in."""

        def build(name: str, settings: ReviewerSettings, _: Settings) -> Reviewer:
            decisive = {"version": _version(kind), "ignore": sorted(settings.ignore)}
            if KINDS[kind].looks_at_packages:
                decisive["packages"] = environment.state()
            return cls(
                name=name,
                kind=kind,
                model="",
                family=settings.family or kind,
                timeout=settings.timeout + 1,
                parameters=decisive,
                ignored=frozenset(settings.ignore),
            )

        return build

    async def open(self) -> None:
        """Nothing to prepare."""

    async def generate(self, request: Request) -> Reply:
        """Review the request's subject.

        Raises:
            Refused: the tool is not installed, or the subject is no change.
            ToolFailed: the tool crashed.
            ToolTimedOut: the tool took too long.
        """
        if not isinstance(request.subject, ReviewSubject):
            raise Refused(f"{self.name} reviews changes and nothing else")
        review = importlib.import_module(f"review_bot.reviewers.{self.kind}").review
        seconds = self.timeout - 1
        try:
            async with asyncio.timeout(seconds):
                answer: FindingsAnswer = await review(request.subject)
        except TimeoutError as error:
            raise ToolTimedOut(f"{self.name}: not done within {seconds:g} s") from error
        kept = [finding for finding in answer.findings if finding.rule not in self.ignored]
        if kept:
            from review_bot.reviewers.secrets import masked, masker

            mask = await asyncio.to_thread(masker, request.subject.change)
            kept = [masked(finding, mask) for finding in kept]
        answer = FindingsAnswer(findings=_listed(kept), note=answer.note)
        return Reply(text=answer.model_dump_json(), tokens_in=0, tokens_out=0)

    async def aclose(self) -> None:
        """Nothing is held."""


def _listed(findings: list[Finding]) -> list[Finding]:
    """The findings, each once, of one rule no more than anybody reads; the last one says what is left out."""
    once = {(f.path, f.side, f.line, f.rule, f.title): f for f in reversed(findings)}  # the first one stays
    findings = list(reversed(once.values()))
    total = Counter(finding.rule for finding in findings)
    listed: Counter[str] = Counter()
    kept = []
    for finding in findings:
        listed[finding.rule] += 1
        more = total[finding.rule] - MOST_PER_RULE
        if listed[finding.rule] == MOST_PER_RULE and more > 0:
            finding = finding.model_copy(
                update={"body": f"{finding.body}\n\nAnother {more} of the same rule are not listed."}
            )
        if listed[finding.rule] <= MOST_PER_RULE:
            kept.append(finding)
    return kept


def standing_members(settings: ReviewSettings) -> list[str]:
    """The kinds of reviewers that sit on every committee; those whose extra is not installed stay away."""
    return [
        kind
        for kind in settings.reviewers
        if kind not in KINDS or not KINDS[kind].optional or find_spec(kind) is not None
    ]


def _version(kind: str) -> str:
    """The reviewer's revision, with its tool's version if there is a tool and it is installed."""
    from importlib import metadata

    described = KINDS[kind]
    try:
        tool = metadata.version(described.distribution) if described.distribution else ""
    except metadata.PackageNotFoundError:
        tool = ""
    return f"{described.revision} {tool}".rstrip()
