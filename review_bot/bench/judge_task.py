"""What a jury is asked about plain answers: which of two is better, or how good one is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from moa_engine.errors import RunFailed
from moa_engine.ledger import Ledger
from moa_engine.member import Member, Message
from moa_engine.outcome import Outcome
from moa_engine.printable import printable
from moa_engine.prompts import load_prompt
from moa_engine.task import Question, Synthesis, Task

_CHOICE = re.compile(r"\[\[([ABC])\]\]")

#: What a choice says for the answer that was shown first.
_PREFERENCE = {"A": 1.0, "B": 0.0, "C": 0.5}

#: Tokens of a usual verdict, for the plan.
_VERDICT = 100


class JudgeTask(Task[dict[str, str]]):
    """Asks every juror by itself; the result is what each said.

    `prompt` is the prompt file, `values` what is put into it; the boundary between parts is made here.
    """

    name: ClassVar[str] = "bench-judgement"

    def __init__(self, prompt: str, values: Mapping[str, str]) -> None:
        self._prompt, self._values = prompt, dict(values)
        text = json.dumps([prompt, self._values], sort_keys=True)
        self.subject_digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def dump(self) -> Mapping[str, Any]:
        return {"prompt": self._prompt, "values": self._values}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> JudgeTask:
        return cls(data["prompt"], data["values"])

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        if member.reads != "messages":
            return ()
        prompt = load_prompt("review_bot", self._prompt)
        boundary = f"----- {self.subject_digest[:16]} -----"
        text = prompt.render(boundary=boundary, **self._values)
        return (Question(prompt.ref, (Message("user", text),), expected_tokens=_VERDICT),)

    def answer_type(self, layer: int) -> type[BaseModel] | None:  # noqa: ARG002 - plain text
        return None

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        return ()

    def synthesis_type(self) -> type[BaseModel] | None:
        return None

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> dict[str, str]:  # noqa: ARG002
        said = {answer.member: str(answer.value) for answer in ledger.answers if answer.value is not None}
        if not said:
            raise RunFailed("no juror answered")
        return said

    def dump_result(self, result: dict[str, str]) -> Any:
        return result

    def present(self, outcome: Outcome[dict[str, str]], format: str) -> str:
        if format == "json":
            return json.dumps({"said": outcome.result, **outcome.figures()}, ensure_ascii=False) + "\n"
        said = outcome.result or {}
        return "".join(f"{juror}: {printable(words)}\n" for juror, words in said.items())


def preference_in(words: str) -> float | None:
    """For the answer shown first, 0 to 1: the last choice that stands in the words; None without one."""
    found = _CHOICE.findall(words)
    return _PREFERENCE[found[-1]] if found else None
