"""One aggregator on recorded proposals, as a task of the engine: priced, cached and recorded like all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from moa_engine.errors import RunFailed
from moa_engine.ledger import Item, Ledger, Stance
from moa_engine.member import Member
from moa_engine.task import Question, Synthesis, Task
from review_bot.answers import Verdicts
from review_bot.finding import Finding, Review
from review_bot.review_task import ReviewTask
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome

#: Who says what was planted for a study; its voice is nobody else's.
PLANTED = "planted"


class StudyTask(Task[Review]):
    """Asks one member to settle findings that others made earlier; no proposer is asked.

    The member sits in the only layer: what it is asked, and in what form, is what the review asks its
    aggregator. So an answer that a real run got counts here too.
    """

    name: ClassVar[str] = "bench-aggregation"

    def __init__(self, review: ReviewTask, proposals: Ledger) -> None:
        review.voices[PLANTED] = Voice(PLANTED)
        self._review = review
        self.proposals = proposals
        self.subject, self.subject_digest = review.subject, review.subject_digest

    def dump(self) -> Mapping[str, Any]:
        ledger = self.proposals
        return {
            "review": self._review.dump(),
            "seed": ledger.seed,
            "items": [{**_plain(item), "body": item.body.model_dump(mode="json")} for item in ledger.items],
            "stances": [asdict(stance) for stance in ledger.stances],
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> StudyTask:
        items = tuple(Item(**{**item, "body": Finding(**item["body"])}) for item in data["items"])
        stances = tuple(Stance(**stance) for stance in data["stances"])
        ledger = Ledger(seed=data["seed"], items=items, stances=stances)
        return cls(ReviewTask.load(data["review"]), ledger)

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        return self._review.synthesis(member, self.proposals)

    def answer_type(self, layer: int) -> type[BaseModel]:  # noqa: ARG002 - there is one
        return Verdicts

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        return ()

    def synthesis_type(self) -> type[BaseModel] | None:
        return None

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> Review:  # noqa: ARG002
        """What readers would see.

        Raises:
            RunFailed: the aggregator gave no answer that could be used.
        """
        if any(answer.value is None for answer in ledger.answers):
            raise RunFailed("the aggregator gave no answer that could be used")
        said = Synthesis(ledger.answers[0].member, tuple(ledger.answers)) if ledger.answers else None
        return self._review.conclude(self.proposals, said)

    def dump_result(self, result: Review) -> Any:
        return self._review.dump_result(result)

    def present(self, outcome: Outcome[Review], format: str) -> str:
        return self._review.present(replace(outcome, task=self._review), format)


def _plain(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "author": item.author,
        "layer": item.layer,
        "sample": item.sample,
        "generation": item.generation,
    }
