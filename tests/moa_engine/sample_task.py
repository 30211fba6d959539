"""A small typed task, with items and late answers, for runs that plain questions do not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from moa_engine.errors import RunFailed
from moa_engine.ledger import Answer, Ledger
from moa_engine.member import Member, Message, PromptVersion
from moa_engine.task import Contribution, Patience, Question, Synthesis, Task


class Idea(BaseModel):
    title: str


class Ideas(BaseModel):
    ideas: list[Idea]


class IdeasTask(Task[list[str]]):
    """Proposers have ideas; the result is all of them. Layer 2 and later see those of the layers before."""

    name: ClassVar[str] = "ideas"
    merges_late: ClassVar[bool] = True
    patience: ClassVar[Patience] = Patience(quorum=0.5, grace=0)
    subject_digest = "what they are about"

    def dump(self) -> Mapping[str, Any]:
        return {}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> IdeasTask:
        return cls()

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        shown = ", ".join(item.body.title for item in ledger.items)  # type: ignore[attr-defined]
        text = f"Ideas, please. Layer {layer}, so far: {shown}"
        return [Question(PromptVersion("ideas", "1"), (Message("user", text),))]

    def answer_type(self, layer: int) -> type[BaseModel]:
        return Ideas

    def read(self, answer: Answer) -> Contribution:
        assert isinstance(answer.value, Ideas)
        return Contribution(items=answer.value.ideas)

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:
        return ()

    def synthesis_type(self) -> None:
        return None

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> list[str]:
        if not ledger.items:
            raise RunFailed("no idea")
        return [item.body.title for item in ledger.items]  # type: ignore[attr-defined]

    def dump_result(self, result: list[str]) -> list[str]:
        return result

    def present(self, outcome: Any, format: str) -> str:
        return "\n".join(outcome.result)
