"""One review as a page: what is confirmed first, with its lines, its evidence and who said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moa_engine.printable import one_line
from review_bot.finding import ReportedFinding, Review, Standing
from review_bot.formats import behaviour, suggested_tests, wording
from review_bot.formats.frame import FrameLine, Frames
from review_bot.page.rendering import render_page

if TYPE_CHECKING:
    from moa_engine.outcome import MemberReport, Outcome
    from review_bot.change import Change
    from review_bot.proof.report import BehaviourReport

#: Standings whose findings stand open on the page.
OPEN: tuple[Standing, ...] = ("confirmed", "disputed", "minority")


@dataclass(frozen=True, slots=True)
class Voice:
    """What one member says of a finding: "raised", "seconded", "disputed" or "unsure", and why."""

    member: str
    position: str
    why: str


@dataclass(frozen=True, slots=True)
class Witness:
    """An input on which both versions differ."""

    input: str
    before: str
    after: str
    found_by: str


@dataclass(frozen=True, slots=True)
class Card:
    """One finding, ready to be shown."""

    finding: ReportedFinding
    anchor: str
    place: str
    kind: str
    frame: Sequence[FrameLine]
    suggestion: Sequence[tuple[str, str]]
    witnesses: Sequence[Witness]
    evidence: Sequence[str]
    test: str
    reason: str
    voices: Sequence[Voice]
    others: Sequence[tuple[str, str]]  #: other members' own words: (who, what)

    @property
    def tally(self) -> str:
        """ "3 for, 1 against"."""
        held = sum(voice.position in ("raised", "seconded") for voice in self.voices)
        against = sum(voice.position == "disputed" for voice in self.voices)
        return f"{held} for" + (f", {against} against" if against else "")


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of what behaves differently."""

    row: behaviour.Row
    judgement: str
    opinions: Sequence[str]
    test: str


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one standing."""

    standing: Standing
    means: str
    cards: Sequence[Card]


def render(outcome: Outcome[Review], change: Change) -> str:
    """The outcome as one HTML document, ended by a newline.

    Raises:
        PageMissing: jinja2 is not installed.
    """
    review = outcome.result
    frames = Frames(change)
    groups = [
        Group(standing, wording.STANDINGS[standing], [_card(one, frames) for one in found])
        for standing, found in wording.by_standing(review.findings if review else ()).items()
    ]
    return render_page(
        "review.html",
        subject=wording.subject(change),
        change=change,
        outcome=outcome,
        review=review,
        tally=wording.tally(review) if review else "no review",
        groups=groups,
        cards=[card for group in groups for card in group.cards],
        open_standings=OPEN,
        failures=wording.failures(outcome),
        remarks=wording.remarks(outcome, change),
        differences=[_difference(one) for one in review.behaviour] if review else [],
        searched=behaviour.summary(review.proof, review.behaviour) if review and review.proof else "",
        unsearched=behaviour.unsearched(review.proof) if review and review.proof else [],
        unplaced=[(one, wording.kind(one), wording.author(one)) for one in review.unplaced] if review else [],
        unplaced_means=wording.UNPLACED,
        tests=[(t, suggested_tests.place(t), suggested_tests.facts(t)) for t in review.suggested.tests]
        if review
        else [],
        tests_mean=suggested_tests.ABOUT,
        part=_parts(groups, outcome.members),
        closing=wording.closing(outcome),
    )


def _card(finding: ReportedFinding, frames: Frames) -> Card:
    witnesses = [item for item in finding.evidence if item.get("kind") == "witness" and "base" in item]
    other = [item for item in finding.evidence if item not in witnesses]
    return Card(
        finding,
        f"finding-{finding.id}",
        wording.place(finding),
        wording.kind(finding),
        frames.frame(finding),
        frames.suggested(finding) if finding.suggestion is not None else (),
        [_witness(item) for item in witnesses],
        [wording.evidence(item) for item in other],
        behaviour.test_in(finding.evidence),
        wording.reason(finding),
        list(_voices(finding)),
        [_words(one) for one in finding.merged],
    )


def _witness(item: dict[str, Any]) -> Witness:
    found_by = ", ".join(map(str, item.get("found_by", ())))
    return Witness(str(item.get("input", "")), _side(item["base"]), _side(item["head"]), found_by)


def _side(side: dict[str, Any]) -> str:
    said = {"timed_out": "does not end", "crashed": "crashes the process"}.get(str(side.get("outcome")))
    return said or one_line(str(side.get("text") or side.get("stdout") or side.get("outcome", "")))


def _voices(finding: ReportedFinding) -> Iterator[Voice]:
    why = {(said["member"], said["position"]): said["why"] for said in finding.stances}
    named = (
        ("raised", "", finding.raised_by),
        ("seconded", "agree", finding.seconded_by),
        ("disputed", "dispute", finding.disputed_by),
    )
    heard: set[str] = set()
    for position, stance, members in named:
        for member in members:
            heard.add(member)
            yield Voice(member, position, why.get((member, stance), ""))
    for said in finding.stances:
        if said["position"] == "unsure" and said["member"] not in heard:
            yield Voice(said["member"], "unsure", said["why"])


def _words(said: dict[str, Any]) -> tuple[str, str]:
    who = str(said.get("member") or said.get("author") or "")
    return who, "\n".join(filter(None, (str(said.get("title", "")), str(said.get("body", "")))))


def _difference(report: BehaviourReport) -> Difference:
    return Difference(
        behaviour.row(report), report.judgement, behaviour.opinions(report), report.test.strip("\n")
    )


def _parts(groups: Sequence[Group], members: Sequence[MemberReport]) -> dict[str, dict[str, int]]:
    """How often each member raised, seconded and disputed, by its name."""
    part = {member.name: {"raised": 0, "seconded": 0, "disputed": 0} for member in members}
    for voice in (voice for group in groups for card in group.cards for voice in card.voices):
        if voice.position in part.get(voice.member, ()):
            part[voice.member][voice.position] += 1
    return part
