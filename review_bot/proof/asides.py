"""What chat members are asked beside the layers: to judge changes of behaviour, and to propose calls.

Each is one small question of its own, so that a small model has one thing to do, and a committee with a
single layer can do it too. Answers are read leniently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    field_validator,
)
from pydantic_core import CoreSchema

from moa_engine.answer_words import text
from moa_engine.member import Message
from moa_engine.plain_schema import STRING, enum, list_of, object_of
from moa_engine.printable import printable
from moa_engine.task import Question
from review_bot import synonyms
from review_bot.answers import Reason, Text
from review_bot.asking import Asking, prompt_file, version_of
from review_bot.proof.facts import told
from review_bot.proof.judging import PROVER
from review_bot.proof.report import BehaviourReport, Said
from review_bot.proof.written_calls import calls_in

if TYPE_CHECKING:
    from pytest_moa.proof.prove import OpenQuestion

#: Rounds in which members propose calls.
ROUNDS = 3

#: Calls for one function that are tried, and their characters.
_CALLS, _CALL = 8, 1_000

#: Characters of a function's source at one side, and inputs and branches that are listed.
_SOURCE, _LISTED = 4_000, 8

#: Shares of a prompt's room for the code that differences are about.
_CODE = 0.5

JUDGEMENTS = ("intended", "suspicious", "regression")

_MEANINGS = {
    **dict.fromkeys(("intended", "intentional", "expected", "wanted", "fine", "ok", "correct"), "intended"),
    **dict.fromkeys(("regression", "bug", "broken", "wrong", "unintended"), "regression"),
}


def _judgement(value: Any) -> str:
    words = text(value).lower().split()
    return _MEANINGS.get(words[0].strip(".,;:!\"'"), "suspicious") if words else "suspicious"


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class JudgedBehaviour(_Lenient):
    """What a member thinks of one change of behaviour."""

    id: Text
    judgement: Annotated[str, BeforeValidator(_judgement)] = Field(
        validation_alias=AliasChoices("judgement", "judgment", "verdict")
    )
    why: Reason = Field(default="", validation_alias=AliasChoices("why", "reason", "explanation"))

    @field_validator("id")
    @classmethod
    def _bare(cls, value: str) -> str:
        return synonyms.bare_id(value)


class Judgements(_Lenient):
    """A member's answer to `judge-behaviour`."""

    judgements: list[JudgedBehaviour] = Field(
        validation_alias=AliasChoices("judgements", "judgments", "behaviour", "behaviours", "answers")
    )

    @field_validator("judgements", mode="before")
    @classmethod
    def _objects(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "id" not in value:
            value = [
                {**(said if isinstance(said, Mapping) else {"judgement": said}), "id": name}
                for name, said in value.items()
            ]
        keys = ("judgement", "judgment", "verdict")
        return [
            one for one in synonyms.objects(value, "id") if "id" in one and any(key in one for key in keys)
        ]

    def said(self, member: str, known: Iterable[str]) -> dict[str, Said]:
        """What the member said, by the id of a change of behaviour that it was asked about."""
        wanted = set(known)
        return {
            one.id: Said.model_validate({"member": member, "judgement": one.judgement, "why": one.why})
            for one in self.judgements
            if one.id in wanted
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return object_of(judgements=list_of(object_of(id=STRING, why=STRING, judgement=enum(*JUDGEMENTS))))


class Proposed(_Lenient):
    """Calls for one function."""

    function: Text = Field(default="", validation_alias=AliasChoices("function", "name"))
    calls: list[str] = Field(default_factory=list, validation_alias=AliasChoices("calls", "call", "inputs"))

    @field_validator("calls", mode="before")
    @classmethod
    def _sources(cls, value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        texts = [text(one.get("call", "") if isinstance(one, Mapping) else one) for one in values]
        whole = [text.strip().strip("`") for text in texts if 0 < len(text.strip()) <= _CALL]
        return calls_in(whole)[:_CALLS]


class ProposedAnswer(_Lenient):
    """A member's answer to `propose-calls`."""

    calls: list[Proposed]

    @field_validator("calls", mode="before")
    @classmethod
    def _objects(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and not {"calls", "call", "inputs"} & value.keys():
            value = [{"function": name, "calls": calls} for name, calls in value.items()]
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return [{"calls": value}]
        return synonyms.objects(value, "call")

    def by_function(self, known: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The calls for functions that were asked about; unnamed ones are for the only function."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.calls:
            names = [name for name in known if one.function and _same(one.function, name)]
            name = names[0] if names else known[0] if len(known) == 1 else ""
            if name and one.calls:
                found[name] = (*found.get(name, ()), *one.calls)
        return found

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return object_of(calls=list_of(object_of(function=STRING, calls=list_of(STRING))))


def _same(said: str, name: str) -> bool:
    """Whether a member means this function; models leave parts of the name out."""
    said = said.strip("`() ").replace(":", ".")
    return said == name.replace(":", ".") or said == name.partition(":")[2]


def judging(asking: Asking, reports: Sequence[BehaviourReport], code: str) -> Question:
    """The question whether these changes of behaviour are intended."""
    parts = [*asking.words(), f"{asking.boundary} the change\n{code}"]
    shown = "\n".join(
        f"[{one.id}] in {one.name}\n"
        + "\n".join(f"  > {line}" for line in one.input.splitlines())
        + f"\n  before: {told(one, 'base')}\n  after: {told(one, 'head')}"
        for one in reports
    )
    parts.append(f"{asking.boundary} differences\n{shown}")
    text = prompt_file("judge-behaviour").render(boundary=asking.boundary, parts="\n".join(parts))
    return Question(version_of("judge-behaviour"), (Message("user", text),), PROVER, 80 * len(reports) + 40)


def besides(like: Sequence[Question]) -> list[Question]:
    """All that one member may be asked, each about as long as a question of the first layer."""
    names = ("judge-behaviour", "judge-behaviour", *("propose-calls" for _ in range(ROUNDS)))
    return [Question(version_of(name), one.messages, PROVER, 300) for one in like for name in names]


def room_for_code(asking: Asking) -> int:
    """Tokens of the change that a question whether it is intended may show."""
    return int(asking.room * _CODE)


def proposing(asking: Asking, open_questions: Sequence[OpenQuestion]) -> tuple[Question, list[str]] | None:
    """The question for calls, and the functions that fit into it; None where none does."""
    parts: list[str] = []
    names: list[str] = []
    left = asking.room - asking.tokens(prompt_file("propose-calls").text)
    for one in open_questions:
        part = f"{asking.boundary} {one.function}\n{_about(one)}"
        left -= asking.tokens(part)
        if left < 0:
            break
        parts.append(part)
        names.append(one.function)
    if not parts:
        return None
    text = prompt_file("propose-calls").render(boundary=asking.boundary, parts="\n".join(parts))
    question = Question(version_of("propose-calls"), (Message("user", text),), PROVER, 120 * len(names))
    return question, names


def _about(one: OpenQuestion) -> str:
    parts = [f"before:\n{one.base[:_SOURCE] or '(it is not there)'}", f"after:\n{one.head[:_SOURCE]}"]
    if one.tried:
        parts.append("tried, without a difference:\n" + "\n".join(one.tried[:_LISTED]))
    if one.unreached:
        parts.append("lines that no input has reached:\n" + "\n".join(one.unreached[:_LISTED]))
    return printable("\n".join(parts))
