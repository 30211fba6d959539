"""Facts of a proof: how what was found goes into a run's ledger, and how it is read there.

What is in it comes from code under review that was executed. It is masked, made printable and cut
before it is a fact: nothing rawer reaches the record, a prompt or an output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moa_engine.ledger import Fact
from moa_engine.printable import printable
from review_bot.proof.report import BehaviourReport, ProofReport, Said, SearchedReport, SideReport

if TYPE_CHECKING:
    from pytest_moa.proof.behaviour import BehaviourChange, Side

#: Kinds of facts: a change of behaviour, how the proof went, what a member thinks of a change, and what
#: became of a claim.
BEHAVIOUR, PROOF, JUDGEMENT, WITNESS = "behaviour", "proof", "judgement", "witness"

#: Characters of a value or message, of an input, of a test, and of a name.
_TEXT, _INPUT, _TEST, _NAME = 400, 1_000, 6_000, 300

#: Warnings of one run that are kept.
_WARNINGS = 5


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Makes text of executed code fit to be kept and shown."""

    mask: Callable[[str], str]

    def text(self, text: str, longest: int = _TEXT) -> str:
        """Masked, printable, its middle left out where it is longer."""
        shown = printable(self.mask(text[: 20 * longest]))
        half = longest // 2 - 3
        return shown if len(shown) <= longest else f"{shown[:half]} ... {shown[-half:]}"

    def test(self, source: str) -> str:
        """A test whole, or not at all."""
        return printable(self.mask(source)) if len(source) <= _TEST else ""

    def side(self, side: Side) -> SideReport:
        """One version's side."""
        return SideReport(
            outcome=side.outcome,
            text=self.text(side.text),
            stdout=self.text(side.stdout),
            warnings=[self.text(one) for one in side.warnings[:_WARNINGS]],
            arguments=self.text(side.arguments),
        )

    def behaviour(self, change: BehaviourChange, names: Mapping[str, str]) -> BehaviourReport:
        """A change of behaviour; `names` has members' names for what stands among the proposers."""
        return BehaviourReport(
            id=change.id,
            path=change.path,
            module=self.text(change.module, _NAME),
            qualname=self.text(change.qualname, _NAME),
            line=max(change.line, 1),
            input=self.text(change.input, _INPUT),
            base=self.side(change.base),
            head=self.side(change.head),
            differs=change.differs,
            test=self.test(change.test),
            found_by=list(dict.fromkeys(names.get(by, by) for by in change.found_by)),
            rank=change.rank,
        )


def behaviour_fact(report: BehaviourReport) -> Fact:
    """A change of behaviour as a fact about the whole change."""
    return Fact(BEHAVIOUR, f"{report.input}: {difference(report)}", data=report.model_dump(mode="json"))


def judgement_fact(behaviour: str, said: Said) -> Fact:
    """A member's judgement of a change of behaviour."""
    text = f"{said.member} on {behaviour}: {said.judgement}"
    return Fact(JUDGEMENT, text, data={"id": behaviour, **said.model_dump(mode="json")})


def proof_fact(report: ProofReport) -> Fact:
    """How the proof went."""
    return Fact(PROOF, f"{len(report.searched)} functions searched", data=report.model_dump(mode="json"))


def claim_fact(item: str, supports: bool | None, text: str, witness: Mapping[str, Any]) -> Fact:
    """What came of putting a finding to the test. `witness` as `BehaviourReport.witness` gives it."""
    return Fact(WITNESS, text, item=item, supports=supports, data=dict(witness))


def difference(report: BehaviourReport) -> str:
    """ "returned 0 before the change, now raises ZeroDivisionError: ..."."""
    return f"{told(report, 'base')} before the change, now {told(report, 'head')}"


def told(report: BehaviourReport, which: str) -> str:
    """What one side did, in words."""
    side = report.base if which == "base" else report.head
    past = which == "base"
    match side.outcome:
        case "raised":
            words = f"{'raised' if past else 'raises'} {side.text}"
        case "timed_out":
            words = "did not end" if past else "does not end"
        case "crashed":
            words = "crashed the process" if past else "crashes the process"
        case "not_importable":
            words = f"{'could' if past else 'can'} not be imported ({side.text})"
        case _ if report.differs == "import":
            words = "was imported" if past else "is imported"
        case _ if report.differs == "output":
            printed = f"'{side.stdout}'" if side.stdout else "nothing"
            words = f"{'printed' if past else 'prints'} {printed}"
        case _ if report.differs == "warnings":
            words = f"{'warned' if past else 'warns'}: {'; '.join(side.warnings) or 'of nothing'}"
        case _ if report.differs == "arguments":
            words = f"{'left' if past else 'leaves'} {side.arguments or side.text}"
        case _:
            words = f"{'returned' if past else 'returns'} {side.text}"
    return " ".join(words.split())


def behaviours_in(facts: Iterable[Fact]) -> list[BehaviourReport]:
    """The changes of behaviour among facts, each once, the likeliest regressions first."""
    found: dict[tuple[str, str], BehaviourReport] = {}
    for fact in facts:
        if fact.kind == BEHAVIOUR:
            report = BehaviourReport.model_validate(fact.data)
            found.setdefault((report.name, report.input), report)
    return sorted(found.values(), key=by_interest)


def by_interest(report: BehaviourReport) -> tuple[object, ...]:
    """What is likely a regression first; within a rank, plain inputs before those of a wrong type."""
    misused = report.head.text.startswith(("TypeError", "AttributeError")) or "None" in report.input
    return (-report.rank, misused, report.path, report.line, len(report.input), report.input)


def judgements_in(facts: Iterable[Fact]) -> dict[str, list[Said]]:
    """What members said of each change of behaviour, by its id."""
    said: dict[str, list[Said]] = {}
    for fact in facts:
        if fact.kind == JUDGEMENT:
            said.setdefault(str(fact.data["id"]), []).append(Said.model_validate(fact.data))
    return said


def proof_in(facts: Iterable[Fact]) -> ProofReport | None:
    """How the proof went; None where none is among the facts."""
    return next((ProofReport.model_validate(fact.data) for fact in facts if fact.kind == PROOF), None)


__all__ = [
    "BEHAVIOUR",
    "JUDGEMENT",
    "PROOF",
    "WITNESS",
    "Cleaner",
    "SearchedReport",
    "behaviour_fact",
    "behaviours_in",
    "by_interest",
    "claim_fact",
    "difference",
    "judgement_fact",
    "judgements_in",
    "proof_fact",
    "proof_in",
    "told",
]
