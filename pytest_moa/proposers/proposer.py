"""The member behind every proposer that runs no model."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from moa_engine.config import Price
from moa_engine.errors import CallError, MoaError, Refused
from moa_engine.member import Reply, Request
from pytest_moa.candidate import Candidate
from pytest_moa.search.callers import is_private
from pytest_moa.suggest.proposal import written
from pytest_moa.suggest.subject import SuggestSubject

if TYPE_CHECKING:
    from moa_engine.config import Settings
    from pytest_moa.settings import ProposerSettings, TestsSettings

#: Seconds below which a search finds nothing.
LEAST = 0.5

#: Tests that one proposer proposes for one target, the best first.
MOST = 24


@dataclass(frozen=True, slots=True)
class ProposerKind:
    """What decides a proposer's answers besides its subject: part of the key of its cached answers."""

    revision: int  #: raised when its own rules change
    share: float  #: of the time for searching
    needs: tuple[str, ...] = ()  #: packages without which it does not stand by default
    runs_code: bool = True  #: needs a warm process
    claims: bool = False  #: what it asserts was not observed, but is promised by documentation


#: Every kind; the module of the same name has its `propose`.
KINDS: Mapping[str, ProposerKind] = {
    "witness": ProposerKind(2, 0.76),
    "recorded": ProposerKind(1, 0.08),
    "docstrings": ProposerKind(2, 0.03, runs_code=False, claims=True),
    "boundaries": ProposerKind(2, 0.08),
    "ghostwriter": ProposerKind(2, 0.05, ("hypothesis", "black")),
}


@dataclass(frozen=True, slots=True)
class Search:
    """One question to one proposer: a target. `found` is called with each candidate, the best first."""

    kind: str
    subject: SuggestSubject
    target: str
    found: Callable[[Candidate], None]
    kills: dict[str, frozenset[str]] = field(default_factory=dict)  #: mutants, by candidate, where known

    def seconds(self) -> float:
        """What this search may take if it begins now; 0 where no time is left, which is noted."""
        seconds = self.subject.seconds(self.kind, self.target)
        if seconds <= 0:
            self.subject.late.add(self.target)
        return seconds


@dataclass
class Proposer:
    """A member that reads the subject and answers with candidates in JSON (`proposal.written`)."""

    name: str
    kind: str
    model: str
    family: str
    timeout: float
    concurrency: int
    parameters: Mapping[str, Any]
    endpoint: str = ""
    reads: Literal["messages", "subject"] = "subject"
    samples: int = 1
    context_window: int | None = None
    secrets: tuple[str, ...] = ()
    price: Price | None = field(default_factory=lambda: Price(input=0, output=0))

    @classmethod
    def of_kind(cls, kind: str) -> Callable[[str, ProposerSettings, Settings], Proposer]:
        """What builds the members of one kind, for the plug-in."""

        def build(name: str, settings: ProposerSettings, _: Settings) -> Proposer:
            return cls(
                name=name,
                kind=kind,
                model="",
                family=settings.family or kind,
                timeout=settings.timeout,
                concurrency=8,
                parameters={"version": _version(kind)},
            )

        return build

    async def open(self) -> None:
        """Nothing to prepare."""

    async def generate(self, request: Request) -> Reply:
        """Propose tests for the target that the request's message names.

        Raises:
            Refused: the subject is none of ours, or the module cannot be imported.
        """
        subject = request.subject
        if not isinstance(subject, SuggestSubject):
            raise Refused(f"{self.name} proposes tests and nothing else")
        target = request.messages[0].content
        found = subject.found.setdefault((self.name, target), [])
        search = Search(self.kind, subject, target, found.append)
        work = partial(_propose, self.kind, search)
        try:
            if KINDS[self.kind].runs_code:
                await subject.processes.in_turn(work)
            else:
                await asyncio.to_thread(work)
        except asyncio.CancelledError:
            subject.processes.close()  # else the thread would go on until its share of time is over
            raise
        except CallError:
            raise
        except MoaError as error:
            raise Refused(f"{self.name}: {error.message}") from error
        text = written(best_first(_once(found), search.kills)[:MOST], claimed=KINDS[self.kind].claims)
        subject.answers[self.name, target] = text
        return Reply(text=text)

    async def aclose(self) -> None:
        """Nothing is held."""


def _propose(kind: str, search: Search) -> None:
    module = importlib.import_module(f"pytest_moa.proposers.{kind}")
    module.propose(search)


def _once(candidates: list[Candidate]) -> list[Candidate]:
    return list({candidate.id: candidate for candidate in candidates}.values())


def best_first(candidates: list[Candidate], kills: Mapping[str, frozenset[str]]) -> list[Candidate]:
    """What adds most kills to those before it comes first, tests of private functions late; else as given."""
    left, killed, ordered = list(candidates), set[str](), list[Candidate]()

    def rank(one: Candidate) -> tuple[bool, int]:
        gained = len(kills.get(one.id, frozenset()) - killed)
        return gained > 0 and not is_private(one.target.partition(":")[2]), gained

    while left:
        best = max(left, key=rank)
        left.remove(best)
        ordered.append(best)
        killed |= kills.get(best.id, frozenset())
    return ordered


def standing_members(settings: TestsSettings) -> list[str]:
    """The kinds of proposers that sit on every committee; those whose library is not installed stay away."""
    return [
        kind
        for kind in settings.proposers
        if kind not in KINDS or all(find_spec(name) is not None for name in KINDS[kind].needs)
    ]


@dataclass(frozen=True)
class Shares:
    """How the time for searching is split: by kind, and over targets by how much there is to find.

    `until` is when searching ends (`time.monotonic`); `cpu` are the seconds of all workers together.
    """

    weights: Mapping[str, float]
    cpu: float
    until: float

    def seconds(self, kind: str, target: str) -> float:
        """What one member may take for one target: 0 once the time is over."""
        share = KINDS[kind].share if kind in KINDS else 0.05
        mine = self.cpu * share * self.weights[target] / sum(self.weights.values())
        left = self.until - time.monotonic()
        return 0.0 if left < LEAST / 2 else min(max(mine, LEAST), left)


def _version(kind: str) -> str:
    """The proposer's revision, with the versions of the packages that it needs, as far as they are there."""
    from importlib import metadata

    found = [str(KINDS[kind].revision)]
    for name in KINDS[kind].needs:
        with suppress(metadata.PackageNotFoundError):
            found.append(metadata.version(name))
    return " ".join(found)
