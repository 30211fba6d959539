"""The review as a task of the engine: what members are asked, how they are read, what comes of it.

Layer 1 reviews independently; tools take part in it and in no other. Later layers see all findings
under neutral ids and take a stance on each. What reviewers quote is found by code (`anchors`), what
becomes of findings follows rules (`standing`, `conclusion`), and an aggregator can only add to that.
A proof (`review_bot.proof`) runs beside the layers: it gives facts, and the worst of these are findings.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from moa_engine.errors import RunFailed
from moa_engine.ledger import Answer, Item, Ledger, item_id
from moa_engine.member import Member, PromptVersion
from moa_engine.task import Contribution, Question, Synthesis, Task
from moa_engine.tokens import TokenEstimator
from review_bot.anchors import Anchors
from review_bot.answers import CallingAnswer, CallingSecondAnswer, ReviewAnswer, SecondAnswer, Verdicts
from review_bot.asking import Asking, by_unit, paths_of
from review_bot.change import Asked, Change, NotReviewed, change_from_json, change_to_json, digest, narrowed
from review_bot.conclusion import Rulings, conclude
from review_bot.finding import Review, UnplacedFinding
from review_bot.grouping import body_of, by_item
from review_bot.located import located, unplaced
from review_bot.masking import mask_change
from review_bot.packing import Unit
from review_bot.proof.deciding import ProofPlan
from review_bot.proof.facts import behaviours_in, judgements_in, proof_in
from review_bot.proof.judging import PROVER, VOICE, found_by_proof, judged
from review_bot.proof.report import BehaviourReport, ProofReport
from review_bot.scratch import ScratchTrees
from review_bot.settling import Settling
from review_bot.standing import Voice, is_tool
from review_bot.subject import ReviewSubject
from review_bot.suggested import SuggestedTests, read_suggested

if TYPE_CHECKING:
    from moa_engine.ledger import Fact
    from moa_engine.outcome import Outcome
    from moa_engine.task import Ask
    from review_bot.proof.proving import Proving


class ReviewTask(Task[Review]):
    """Reviews one change.

    `change` is taken as it is, for the tools; `mask` is applied before anything of it reaches a
    message, the record or a report. `repository` is where the change was read, None for a bare patch.
    `voices` says what each member's word counts (`voices_of`), `needed` how many votes confirm a finding of
    some category, where that is not two. `proof` says whether both versions are run;
    `layers` is how many proposer layers the run has. `suggestions` is a report of `pytest --moa`.
    `asked` narrows what models are asked about to some hunks (`Asked`), where the rest was reviewed
    before; tools, which cost nothing, see everything, and models everything that is near.

    Raises:
        ConfigError: the report cannot be used.
    """

    name: ClassVar[str] = "review"
    merges_late: ClassVar[bool] = True
    keeps_facts: ClassVar[bool] = True

    def __init__(
        self,
        change: Change,
        *,
        repository: Path | None,
        mask: Callable[[str], str],
        voices: Mapping[str, Voice],
        proof: ProofPlan | None = None,
        layers: int = 1,
        suggestions: Path | None = None,
        asked: Asked | None = None,
        needed: Mapping[str, float] | None = None,
    ) -> None:
        self.voices = dict(voices)
        self.needed = dict(needed or {})
        self.proof = proof or ProofPlan()
        self._mask = mask
        self._layers = layers
        self._proving: Proving | None = None
        self._subject = ReviewSubject(change, repository, ScratchTrees(repository, change))
        self.subject = self._subject
        self.subject_digest = digest(change)
        self.change = mask_change(change, mask)
        self.anchors = Anchors(self.change)
        self.asked = asked
        self._asked = self.change if asked is None else narrowed(self.change, asked)
        self._units: dict[int, tuple[list[Unit], list[NotReviewed]]] = {}
        listed = dict.fromkeys((*self.change.not_reviewed, *self._not_shown()))
        self.change = replace(self.change, not_reviewed=tuple(listed))
        self.suggested = SuggestedTests()
        if suggestions is not None:
            self.suggested = read_suggested(suggestions, change, self._subject.trees(), mask)

    def dump(self) -> Mapping[str, Any]:
        return {
            "change": change_to_json(self.change),
            "voices": {name: asdict(voice) for name, voice in self.voices.items()},
            "subject_digest": self.subject_digest,
            "proof": self.proof.to_json(),
            "suggested": self.suggested.model_dump(mode="json"),
            "asked": self.asked,
            "needed": self.needed,
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> ReviewTask:
        """The task again, from its masked change: enough for everything but running tools."""
        voices = {name: Voice(**voice) for name, voice in data["voices"].items()}
        task = cls(
            change_from_json(data["change"]),
            repository=None,
            mask=str,
            voices=voices,
            proof=ProofPlan(**data["proof"]),
            asked=data.get("asked"),
            needed=data.get("needed"),
        )
        task.subject_digest = data["subject_digest"]
        task.suggested = SuggestedTests(**data.get("suggested", {}))
        return task

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        if member.reads == "subject":
            return (Question(PromptVersion("", "")),) if layer == 1 and self.change.files else ()
        asking = self._asking(Voice.of(member), ledger)
        units, _ = self._packed(asking)
        paths = paths_of(units)
        if layer == 1 or not units:
            return [asking.first(unit, paths) for unit in units]
        facts = by_item(ledger.facts)
        shuffled = ledger.shuffled(self._in_question(ledger), lambda item: item.id)
        shown = by_unit(shuffled, units, self._asked, self.anchors)
        heard = {answer.unit for answer in ledger.answers if answer.member == member.name and answer.value}
        questions: list[Question] = []
        for unit in units:
            if items := shown[unit.name]:
                questions += asking.again(unit, paths, items, facts)
            elif unit.name not in heard:  # nothing to discuss, but this member has not had its say yet
                questions.append(asking.first(unit, paths))
        return questions

    def answer_type(self, layer: int) -> type[BaseModel]:
        if self.proof.on:
            return CallingAnswer if layer == 1 else CallingSecondAnswer
        return ReviewAnswer if layer == 1 else SecondAnswer

    def beside(self, member: Member) -> Sequence[Question]:
        if not self.proof.on or member.reads == "subject":
            return ()
        from review_bot.proof.asides import besides

        asking = self._asking(Voice.of(member), Ledger())
        units, _ = self._packed(asking)
        return besides([asking.first(unit, paths_of(units)) for unit in units[:1]])

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:
        if not self.proof.on or self._subject.repository is None:
            return
        from review_bot.proof.proving import Proving

        self._proving = Proving(
            self.proof,
            self._subject.change,
            trees=ScratchTrees(self._subject.repository, self._subject.change, everything=True),
            mask=self._mask,
            voices=self.voices,
            asking=lambda voice: self._asking(voice, Ledger()),
            layers=self._layers,
        )
        self._proving.begin(ask, say)

    async def examine(self, ledger: Ledger, layer: int) -> Sequence[Fact]:
        return () if self._proving is None else await self._proving.told(ledger, layer)

    async def rest(self, ledger: Ledger, *, wait: bool) -> Sequence[Fact]:  # noqa: ARG002 - the engine's
        return () if self._proving is None else await self._proving.rest(wait=wait)

    def read(self, answer: Answer) -> Contribution:
        value = answer.value
        if not isinstance(value, ReviewAnswer):
            return Contribution()
        if is_tool(self.voices, answer.member):
            return Contribution(items=value.exact()[0])
        stances = value.stances if isinstance(value, SecondAnswer) else []
        return Contribution(
            items=located(value.drafts(), self.anchors)[0],
            stances=[(stance.id, stance.position, stance.why) for stance in stances],
        )

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:
        proved, voices = self._with_proof(ledger, self._behaviour(ledger))
        return Settling(self._asking(Voice.of(aggregator), ledger), proved, voices).questions()

    def synthesis_type(self) -> type[BaseModel]:
        return Verdicts

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> Review:
        if ledger.answers and all(answer.value is None for answer in ledger.answers):
            raise RunFailed("no reviewer gave an answer that could be used")
        wrong = [f"{answer.member}: {reason}" for answer in ledger.answers for reason in self._wrong(answer)]
        lost = [finding for answer in ledger.answers for finding in self._unplaced(answer)]
        rulings = None
        if synthesis is not None:
            rulings, more = self._rulings(synthesis)
            lost += more
        behaviour = self._behaviour(ledger)
        proved, voices = self._with_proof(ledger, behaviour)
        review = conclude(proved, self.anchors, voices, rulings, wrong, lost, self.needed)
        return review.model_copy(
            update={"behaviour": behaviour, "proof": self._proof(ledger), "suggested": self.suggested}
        )

    def dump_result(self, result: Review) -> Any:
        return result.model_dump(mode="json")

    def fates(self, outcome: Outcome[Review]) -> Mapping[str, str]:
        fates: dict[str, str] = {}
        for finding in outcome.result.findings if outcome.result else ():
            shared = f" with {len(finding.items) - 1} more" if len(finding.items) > 1 else ""
            why = f": {finding.reason}" if finding.reason else ""
            fates.update(
                (item, f"{finding.standing} in finding {finding.id}{shared}{why}") for item in finding.items
            )
        return fates

    def present(self, outcome: Outcome[Review], format: str) -> str:
        from review_bot.formats import render

        return render(outcome, format)

    def _asking(self, voice: Voice, ledger: Ledger) -> Asking:
        secret = hashlib.sha256(f"{ledger.seed} {self.subject_digest}".encode()).hexdigest()
        return Asking(
            change=self.change,
            anchors=self.anchors,
            boundary=f"----- {secret[:16]} -----",
            room=voice.prompt_tokens,
            tokens=TokenEstimator().estimate,
            calls=self.proof.on,
            asked=self._asked,
        )

    def _in_question(self, ledger: Ledger) -> Sequence[Item]:
        """The items about files that models are asked about."""
        if self.asked is None:
            return ledger.items
        return [item for item in ledger.items if body_of(item).path in self.asked]

    def _behaviour(self, ledger: Ledger) -> list[BehaviourReport]:
        """What behaves differently, as the committee judges it."""
        return judged(behaviours_in(ledger.facts), judgements_in(ledger.facts), self.voices)

    def _with_proof(
        self, ledger: Ledger, behaviour: Sequence[BehaviourReport]
    ) -> tuple[Ledger, Mapping[str, Voice]]:
        """The ledger, and the voices, with what readers have to see of a proof as findings."""
        found = found_by_proof(behaviour)
        if not found:
            return ledger, self.voices
        return replace(ledger, items=(*ledger.items, *found)), {**self.voices, PROVER: VOICE}

    def _proof(self, ledger: Ledger) -> ProofReport | None:
        """How the proof went, or why there is none, where that is not evident."""
        if (report := proof_in(ledger.facts)) is not None:
            return report
        return ProofReport(notes=[self.proof.why]) if self.proof.why else None

    def _packed(self, asking: Asking) -> tuple[list[Unit], list[NotReviewed]]:
        """The units for prompts of one size; every member and layer gets the same."""
        if asking.room not in self._units:
            self._units[asking.room] = asking.units()
        return self._units[asking.room]

    def _not_shown(self) -> list[NotReviewed]:
        """What does not fit into chat members' prompts, and whose."""
        lost: defaultdict[NotReviewed, list[str]] = defaultdict(list)
        for name, voice in self.voices.items():
            if not voice.deterministic and self._asked.files:
                for entry in self._packed(self._asking(voice, Ledger()))[1]:
                    lost[entry].append(name)
        return [
            NotReviewed(entry.path, f"by {', '.join(names)}: {entry.why}") for entry, names in lost.items()
        ]

    def _wrong(self, answer: Answer) -> list[str]:
        """What of a tool's answer is no finding, and why."""
        if not isinstance(answer.value, ReviewAnswer) or not is_tool(self.voices, answer.member):
            return []
        return answer.value.exact()[1]

    def _unplaced(self, answer: Answer) -> list[UnplacedFinding]:
        """What a chat reviewer found about no file of the change."""
        if not isinstance(answer.value, ReviewAnswer) or is_tool(self.voices, answer.member):
            return []
        return unplaced(answer.member, located(answer.value.drafts(), self.anchors)[1])

    def _rulings(self, synthesis: Synthesis) -> tuple[Rulings, list[UnplacedFinding]]:
        """What the aggregator decided and added, and which of its own findings have no place."""
        decisions, added, astray = [], [], []
        for answer in synthesis.answers:
            if isinstance(answer.value, Verdicts):
                decisions += answer.value.decisions
                findings, lost = located(answer.value.drafts(), self.anchors)
                astray += unplaced(answer.member, lost)
                for index, finding in enumerate(findings):
                    name = item_id(answer.member, answer.layer, answer.sample, answer.unit, index, finding)
                    added.append(
                        Item(name, answer.member, answer.layer, finding, answer.sample, answer.generation)
                    )
        return Rulings(synthesis.aggregator, decisions, added), astray
