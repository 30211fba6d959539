"""What is known of each candidate: who proposed it, what executing it showed, who objects.

Candidates that do the same under other names, whoever proposed them, are one (`content_key`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moa_engine.ledger import Fact, Item, Ledger, Settled, Stance, settle
from moa_engine.task import Synthesis
from pytest_moa.candidate import Candidate
from pytest_moa.suggest.answers import PROBLEMS, DecisionTaken, Verdicts
from pytest_moa.suggest.arranging import content_key
from pytest_moa.suggest.cases import expected_in
from pytest_moa.suggest.proposal import Proposal
from pytest_moa.suggest.voices import Voice, Vote, vote
from pytest_moa.suggestions import CandidateStatus, Opinion

#: The kind of the facts that executing a candidate gives.
EXECUTED = "executed"

#: Characters of what a test expects that are told, and expectations of one member that are.
_WORDS, _NAMED = 80, 3


@dataclass(frozen=True, slots=True)
class Executed:
    """What executing a candidate showed: `pytest_moa.running.CandidateFacts` as the ledger keeps it."""

    status: CandidateStatus
    message: str = ""
    branches: frozenset[str] = frozenset()
    kills: frozenset[str] = frozenset()
    seconds: float = 0.0
    observed: tuple[Candidate, ...] = ()  #: of a model's test that fails: what its calls give, as tests

    def fact(self, key: str, item: str | None) -> Fact:
        """As a fact about an item of the ledger; None for a test that was made from what was observed."""
        data = {
            "key": key,
            "status": self.status,
            "message": self.message,
            "branches": sorted(self.branches),
            "kills": sorted(self.kills),
            "seconds": round(self.seconds, 4),
            "observed": [one.to_json() for one in self.observed],
        }
        supports = {"passes": True, "fails": False}.get(self.status) if item else None
        return Fact(EXECUTED, self.in_words(), item, supports, data)

    def in_words(self) -> str:
        """In one line, for members."""
        if self.status == "passes":
            return f"passes; kills {len(self.kills)} mutants"
        return f"{self.status}: {self.message.strip()}" if self.message.strip() else self.status

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Executed:
        """What `fact` wrote."""
        return cls(
            status=data["status"],
            message=data["message"],
            branches=frozenset(data["branches"]),
            kills=frozenset(data["kills"]),
            seconds=data["seconds"],
            observed=tuple(Candidate.from_json(one) for one in data.get("observed", ())),
        )


UNJUDGED = Executed("unjudged", "not executed before the end")


@dataclass(slots=True)
class Judged:
    """One candidate with all that the ledger has on it."""

    key: str
    candidate: Candidate
    items: list[Item] = field(default_factory=list)
    executed: Executed = UNJUDGED
    stances: list[Stance] = field(default_factory=list)
    ruling: Settled | None = None  #: an aggregator's word against it
    vote: Vote = field(default_factory=lambda: Vote(0, 0, ()))
    name: str = ""  #: a better name, from an aggregator
    hardens: list[str] = field(default_factory=list)  #: keys of what it was made from
    observed_for: list[Judged] = field(default_factory=list)  #: failing tests with the same call

    @property
    def authors(self) -> tuple[str, ...]:
        """Its proposers, in the order of the ledger; whoever chose the call of what was observed, too."""
        calling = [author for original in self.observed_for for author in original.authors]
        return tuple(dict.fromkeys([*(item.author for item in self.items), *calling]))

    @property
    def expected(self) -> str:
        """What it expects, in a few words."""
        text = " ".join(expected_in(self.candidate.source).split())
        return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"

    @property
    def problems(self) -> tuple[str, ...]:
        """What members say is wrong with it besides its value."""
        return tuple(
            dict.fromkeys(
                problem for stance in self.stances for problem in PROBLEMS if stance.why.startswith(problem)
            )
        )

    @property
    def disputed_by(self) -> tuple[str, ...]:
        """Who objects to what it asserts."""
        ruled = (self.ruling.by,) if self.ruling else ()
        return tuple(dict.fromkeys((*self.vote.disputed_by, *ruled)))

    @property
    def is_claimed(self) -> bool:
        """Whether the documentation promises what it asserts."""
        return any(body_of(item).claimed for item in self.items)

    @property
    def is_disputed(self) -> bool:
        """Whether it is kept out of the selection."""
        return self.vote.is_disputed

    @property
    def opinions(self) -> tuple[Opinion, ...]:
        """What members say of it."""
        said = [Opinion(stance.member, stance.position, stance.why) for stance in self.stances]
        if self.ruling:
            said.append(Opinion(self.ruling.by, "dispute", self.ruling.reason))
        return tuple(dict.fromkeys(said))


def expectations(tests: Iterable[Judged]) -> dict[str, str]:
    """What members had expected of these tests' calls, where the code gives something else."""
    wrong: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for original in [original for one in tests for original in one.observed_for]:
        for author in original.authors:
            wrong[author][original.expected] = None
    return {
        author: ", ".join([*texts][:_NAMED])
        + (f" and {more} more" if (more := len(texts) - _NAMED) > 0 else "")
        for author, texts in wrong.items()
    }


def observed_note(tests: Iterable[Judged]) -> str:
    """That tests hold what was observed, and who had expected something else; "" where nobody had."""
    wrong = [f"{author} expected {text}" for author, text in expectations(tests).items()]
    return f"observed; {'; '.join(wrong)}" if wrong else ""


def worded(problem: str, why: str) -> str:
    """A stance's reason with the problem that it names in front."""
    return f"{problem}: {why}".rstrip(": ") if problem else why


def judged(
    ledger: Ledger, voices: Mapping[str, Voice], synthesis: Synthesis | None = None
) -> tuple[dict[str, Judged], list[str]]:
    """All candidates by key, in the order of the ledger, and what of an aggregator's answer was refused."""
    by_key: dict[str, Judged] = {}
    key_of: dict[str, str] = {}
    for item in ledger.items:
        proposal = body_of(item)
        key = key_of[item.id] = content_key(proposal.candidate)
        one = by_key.setdefault(key, Judged(key, proposal.candidate))
        one.items.append(item)
        if not one.candidate.says and proposal.says:
            one.candidate = proposal.candidate
    for item in ledger.items:
        origin = key_of.get(body_of(item).hardens)
        if origin is not None and origin != key_of[item.id]:
            by_key[key_of[item.id]].hardens.append(origin)
    executed = executed_by_key(ledger.facts)
    for key, one in by_key.items():
        one.executed = executed.get(key, UNJUDGED)
    for stance in ledger.stances:
        by_key[key_of[stance.item]].stances.append(stance)
    decisions = _decisions(synthesis)
    settlement = settle(ledger.items, decisions, synthesis.aggregator if synthesis else "")
    for group in settlement.groups:
        for item_name in group.ids if group.by else ():
            one = by_key[key_of[item_name]]
            if group.verdict in ("disputed", "rejected") and group.reason:
                one.ruling = group
    for decision in decisions:
        for name in decision.ids:
            if decision.name and name in key_of:
                by_key[key_of[name]].name = decision.name.strip()
    for one in by_key.values():
        against = [*one.stances, *_as_stance(one.ruling)]
        one.vote = vote(_layers(one.items), against, voices)
    for original in list(by_key.values()):
        for candidate in original.executed.observed:
            key = content_key(candidate)
            one = by_key.setdefault(key, Judged(key, candidate, executed=executed.get(key, UNJUDGED)))
            one.observed_for.append(original)
    broken = [one for one in by_key.values() if one.is_claimed and one.executed.status == "fails"]
    for one in by_key.values():
        if not one.items:
            contrary = [*one.observed_for, *(claim for claim in broken if _calls_the_same(one, claim))]
            one.stances = [stance for original in contrary for stance in _holding(original)]
            one.vote = vote({}, one.stances, voices)
    return by_key, list(settlement.objections)


def _holding(original: Judged) -> list[Stance]:
    """Who holds that a failing test is right, as their dispute of what was observed instead.

    Its only proposer does not count, unless it repeats the documentation: without a second word it is a
    wrong guess.
    """
    said = {stance.member: stance.position for stance in original.stances if stance.position != "unsure"}
    members = [member for member, position in said.items() if position == "agree"]
    if original.vote.held > 1 or original.is_claimed:
        members += original.authors
    why = f"holds that {original.expected} is right"
    return [Stance(original.key, member, _LAST, "dispute", why) for member in dict.fromkeys(members)]


def _calls_the_same(one: Judged, claim: Judged) -> bool:
    """Whether a test makes the call of which the documentation promises something, after the same setup."""
    case = claim.candidate.case
    if case is None or claim.candidate.target != one.candidate.target:
        return False
    return all(line in one.candidate.source for line in (*case.setup, case.call))


def executed_by_key(facts: Iterable[Fact]) -> dict[str, Executed]:
    """What executing candidates showed, by content key."""
    return {fact.data["key"]: Executed.of(fact.data) for fact in facts if fact.kind == EXECUTED}


def body_of(item: Item) -> Proposal:
    """The proposal of an item."""
    assert isinstance(item.body, Proposal)
    return item.body


def _layers(items: Sequence[Item]) -> dict[str, int]:
    """The layer in which each author last proposed it."""
    return {item.author: item.layer for item in items}


def _as_stance(ruling: Settled | None) -> list[Stance]:
    return [] if ruling is None else [Stance(ruling.ids[0], ruling.by, _LAST, "dispute", ruling.reason)]


#: A layer after all others: an aggregator speaks last.
_LAST = 1_000


def _decisions(synthesis: Synthesis | None) -> list[DecisionTaken]:
    if synthesis is None:
        return []
    return [
        decision
        for answer in synthesis.answers
        if isinstance(answer.value, Verdicts)
        for decision in answer.value.decisions
    ]
