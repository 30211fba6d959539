"""What the pytest side asks of a suggestion run, and what comes back: plain data, all of it JSON.

`pytest_moa.session` makes a `SuggestRequest` after the user's tests have run and shows the `Suggestions`;
`pytest_moa.suggest` is what happens between the two. A report, the cache and a merge of several reports
are the same JSON, `{"schema": "suggestions/1", ...}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_moa.candidate import Candidate
from pytest_moa.target import Target

if TYPE_CHECKING:
    from pytest_moa.project import Project

SCHEMA = "suggestions/1"

#: "nothing": the run is complete and found nothing worth a test; "plan": nothing was asked for but a plan.
Status = Literal["complete", "partial", "interrupted", "nothing", "plan"]

#: Like `pytest_moa.running.CandidateFacts.status`; "unjudged" was not executed before the end.
CandidateStatus = Literal["passes", "fails", "flaky", "broken", "unsafe", "vacuous", "slow", "unjudged"]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call of a target that the user's own tests made, as source that makes it again."""

    target: str  #: `Target.name`
    source: str  #: the whole call as one expression, such as `Parcel(3).price("inner", express=True)`
    arguments: tuple[tuple[str, str], ...] = ()  #: (parameter, source); "*args" and "**more" with a star
    imports: tuple[str, ...] = ()  #: import statements that `source` needs, the target's included
    receiver: str = ""  #: source of the object or class whose method it is; "" for functions
    test: str = ""  #: node id of the first test that made it


@dataclass(frozen=True, slots=True)
class ReachingTest:
    """A test of the user's that ran a target. Those marked `moa(skip=True)` are not among them."""

    nodeid: str
    file: str  #: relative to the root, with forward slashes
    reached: Mapping[str, tuple[str, ...]]  #: `Target.name` -> ids of branches, "7:0 enter" among them
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the user's own session showed about the targets, by `Target.name`."""

    calls: tuple[RecordedCall, ...] = ()
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: all that a target has
    reached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: those that some test took
    coverage: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: missed lines; pytest-cov's


#: Candidates for a request, from another plug-in (`pytest_moa_proposers`); judged like all others.
Proposer = Callable[["SuggestRequest"], Iterable[Candidate]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a run may do."""

    max: int  #: suggestions at most
    seconds: float  #: of wall time for everything
    workers: int  #: warm processes


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """What to suggest tests for, and with how much effort. `targets` come most wanted first.

    `max`, `seconds` and `workers` are those of `Effort`; None: as configured.
    """

    root: Path
    project: Project
    targets: tuple[Target, ...]
    recorded: Recorded = Recorded()
    existing: tuple[ReachingTest, ...] = ()
    max: int | None = None
    seconds: float | None = None
    committee: str | None = None  #: a preset or list of members; None: as configured
    budget: float | None = None  #: USD; None: as configured
    workers: int | None = None
    unsafe: bool = False  #: may run generated code unconfined, where nothing can confine it
    config: Path | None = None  #: settings file; None: found from `root`
    plan: bool = False  #: say what it would cost and call nobody
    proposers: Mapping[str, Proposer] = field(default_factory=dict)  #: of other plug-ins, by name


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one member says about a test that it has seen with its facts."""

    member: str
    position: Literal["agree", "dispute", "unsure"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What executing a suggestion showed, beyond what the existing tests do."""

    branches: tuple[str, ...] = ()  #: branches of the target that no existing test takes
    kills: tuple[str, ...] = ()  #: mutants that it kills and that no existing test kills
    seconds: float = 0.0  #: of one run


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A test that is worth adding. `candidate` is what `placing` writes: arranged and named already.

    `file`, `file_digest`, `creates` and `source` are filled in by `pytest_moa.placing`; the run leaves
    them empty. `file_digest` is the SHA-256 of the file as it was when the suggestion was made.
    """

    candidate: Candidate
    facts: Facts = Facts()
    proposed_by: tuple[str, ...] = ()
    hardened_by: tuple[str, ...] = ()
    disputed_by: tuple[str, ...] = ()
    standing: str = ""  #: "confirmed", "minority" or "disputed", as findings stand
    says: str = ""  #: the behaviour that it holds, in a few words
    opinions: tuple[Opinion, ...] = ()
    made_of: tuple[str, ...] = ()  #: ids of the candidates that were arranged into it
    file: str = ""  #: relative to the root, with forward slashes
    file_digest: str = ""
    creates: bool = False  #: whether `file` does not exist yet
    source: str = ""  #: as it will be written, formatted

    @property
    def id(self) -> str:
        """The candidate's id: the same test has the same id in every run and shard."""
        return self.candidate.id


@dataclass(frozen=True, slots=True)
class SuspectedBug:
    """A test that fails on the code as it is, because the code looks wrong to somebody."""

    candidate: Candidate
    message: str  #: how it fails
    proposed_by: tuple[str, ...] = ()
    disputed_by: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    says: str = ""

    @property
    def id(self) -> str:
        """The candidate's id."""
        return self.candidate.id


@dataclass(frozen=True, slots=True)
class JudgedCandidate:
    """Any candidate of the run with its facts and what became of it."""

    candidate: Candidate
    status: CandidateStatus
    proposed_by: tuple[str, ...] = ()
    message: str = ""
    branches: tuple[str, ...] = ()  #: all that it takes
    kills: tuple[str, ...] = ()  #: all that it kills
    seconds: float = 0.0
    fate: str = ""  #: in words: "suggested", "adds nothing to 1a2b3c4d", ...

    @property
    def id(self) -> str:
        """The candidate's id."""
        return self.candidate.id


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """Mutants and branches of one target, before and after the suggestions. Counts."""

    target: Target
    mutants: int = 0
    killed_before: int = 0
    killed_after: int = 0
    branches: int = 0
    reached_before: int = 0
    reached_after: int = 0
    survivors: tuple[str, ...] = ()  #: ids of mutants that nothing kills yet
    trusted: bool = True  #: False: the identity mutant did not keep the tests passing


@dataclass(frozen=True, slots=True)
class Control:
    """What the committee's set is compared with, from the same kill matrix and with the same limit.

    "all candidates that pass" has no limit: more cannot be reached with what was proposed.
    """

    name: str
    kills: int
    branches: int = 0
    tests: int = 0


@dataclass(frozen=True, slots=True)
class MemberCost:
    """What one member took. `model` is "" for those that run none, `cost_usd` None where it is not known."""

    name: str
    kind: str
    model: str = ""
    calls: int = 0  #: attempts that were made
    cached: int = 0  #: answers taken from the record
    failed: int = 0  #: questions that ended without an answer
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A target that nothing was suggested for."""

    target: str  #: `Target.name`
    why: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """All that came of a run; most useful suggestion first."""

    suggestions: tuple[Suggestion, ...] = ()
    suspected_bugs: tuple[SuspectedBug, ...] = ()
    candidates: tuple[JudgedCandidate, ...] = ()
    targets: tuple[TargetOutcome, ...] = ()
    members: tuple[str, ...] = ()  #: those that took part
    costs: tuple[MemberCost, ...] = ()  #: of everybody who was asked
    run: str = ""  #: id in the record
    calls: int = 0  #: of members, those answered from the record included
    cost_usd: float | None = 0.0  #: None: not known
    seconds: float = 0.0
    status: Status = "complete"
    sandbox: str = ""  #: `Mechanism.name`
    controls: tuple[Control, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    plan: str = ""  #: what it would cost, in words, when only that was asked for

    @property
    def score(self) -> float | None:
        """Share of all targets' mutants that existing tests kill, 0 to 1; None without mutants."""
        return _share(self.targets, "killed_before")

    @property
    def score_after(self) -> float | None:
        """The same with the suggestions accepted."""
        return _share(self.targets, "killed_after")

    def to_json(self) -> dict[str, Any]:
        """As JSON data; `from_json` reads it back. Ids, scores and `selected_in` are there for readers."""
        data = asdict(self)
        for kind in ("suggestions", "suspected_bugs", "candidates"):
            for written, item in zip(data[kind], getattr(self, kind), strict=True):
                written["id"] = item.id
        part_of = {part: one.id for one in self.suggestions for part in one.made_of}
        for written in data["candidates"]:
            written["selected_in"] = part_of.get(written["id"], "")
        for written in data["targets"]:
            for when in ("before", "after"):
                mutants = written["mutants"]
                written[f"score_{when}"] = written[f"killed_{when}"] / mutants if mutants else None
        return {"schema": SCHEMA, "score": self.score, "score_after": self.score_after, **data}

    @classmethod
    def from_json(cls, text: str | bytes) -> Suggestions:
        """What `to_json` wrote, once `json.dumps` made it text.

        Raises:
            ValueError: it is no JSON, not of this schema, or not of these types.
        """
        from pydantic import TypeAdapter

        data = json.loads(text)
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r} and not {SCHEMA!r}")
        return TypeAdapter(cls).validate_python(data)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. `so_far` is what could be accepted if it ended now; None where nothing has changed."""

    says: str  #: "executing candidates"
    done: int = 0
    of: int = 0  #: 0: not known
    found: int = 0  #: useful tests so far
    so_far: Suggestions | None = None


#: Called by a run from the thread that called it.
Observer = Callable[[Progress], None]


def _share(targets: tuple[TargetOutcome, ...], count: str) -> float | None:
    mutants = sum(target.mutants for target in targets)
    return sum(getattr(target, count) for target in targets) / mutants if mutants else None
