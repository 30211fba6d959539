"""The smallest task: plain text in, plain text out, with the flow of the MoA paper (arXiv 2406.04692).

Every layer's proposers see all answers of the layer before; the aggregator sees those of the last
one. Unlike the paper's code the question comes first and the answers last, so that endpoints can
reuse the common prefix across layers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from moa_engine.agreement import similarity
from moa_engine.errors import RunFailed
from moa_engine.ledger import Answer, Ledger
from moa_engine.member import Member, Message
from moa_engine.outcome import Outcome
from moa_engine.printable import printable
from moa_engine.prompts import load_prompt
from moa_engine.task import Patience, Question, Synthesis, Task


class AskTask(Task[str]):
    """A question to the committee; the result is its answer."""

    name: ClassVar[str] = "ask"
    patience: ClassVar[Patience] = Patience(quorum=0.66, grace=0.1)

    def __init__(self, question: str) -> None:
        self.question = question
        self.subject_digest = hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()

    def dump(self) -> Mapping[str, Any]:
        return {"question": self.question}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> AskTask:
        return cls(data["question"])

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        if member.reads != "messages":
            return ()
        return (self._question(ledger, layer),)

    def answer_type(self, layer: int) -> type[BaseModel] | None:  # noqa: ARG002 - the same in every layer
        return None

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        last = max((answer.layer for answer in ledger.answers if answer.value), default=0)
        return (self._question(ledger, last + 1),)

    def synthesis_type(self) -> type[BaseModel] | None:
        return None

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> str:
        if synthesis is not None:
            return str(synthesis.answers[0].value)
        last = max((answer.layer for answer in ledger.answers if answer.value), default=0)
        answers = ledger.of_layer(last)
        if not answers:
            raise RunFailed("no member answered", hint="the members' errors are in the record: moa show last")
        return _most_agreed(answers)

    def dump_result(self, result: str) -> str:
        return result

    def present(self, outcome: Outcome[str], format: str) -> str:
        if format == "text":  # a model wrote it: nothing in it may steer a terminal
            return "" if outcome.result is None else f"{printable(outcome.result)}\n"
        if format == "json":
            data = {"answer": outcome.result, **outcome.figures()}
            return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
        raise ValueError(f"no such format: {format!r}; known are text, json")

    def _question(self, ledger: Ledger, layer: int) -> Question:
        prompt = load_prompt("moa_engine", "ask")
        text = self.question
        if layer > 1 and (answers := ledger.of_layer(layer - 1)):
            boundary = f"===== answers {self.subject_digest[:12]} ====="
            shown = ledger.shuffled(answers, lambda answer: (answer.member, answer.layer, answer.sample))
            numbered = "\n\n".join(f"{n}. {answer.value}" for n, answer in enumerate(shown, 1))
            refine = load_prompt("moa_engine", "ask-refine")
            text += "\n\n" + refine.render(boundary=boundary, answers=f"{boundary}\n{numbered}\n{boundary}")
            prompt_version = refine.ref
        else:
            prompt_version = prompt.ref
        return Question(prompt_version, (Message("system", prompt.text), Message("user", text)))


def _most_agreed(answers: Sequence[Answer]) -> str:
    """The answer that is most like all the others; the first of equals."""
    texts = [str(answer.value) for answer in answers]
    support = [sum(similarity(text, other) for other in texts) for text in texts]
    return texts[support.index(max(support))]
