"""What members answer once they have seen candidates with their facts: lenient in form.

The schemas that go to endpoints are those of `moa_engine.plain_schema`: why before the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

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

from moa_engine import answer_words
from moa_engine.answer_words import one_line, text
from moa_engine.ledger import Decision, Position, Verdict
from moa_engine.plain_schema import STRING, JsonObject, enum, list_of, object_of

#: Characters of a reason that are kept; the whole answer is in the record.
_REASON = 400

#: What is wrong with a test besides its value: asserts what the code says, or what nobody decided.
PROBLEMS = ("repeats the code", "pins noise")


def _ids(value: Any) -> list[str]:
    return re.findall(r"\b[0-9a-f]{8}\b", text(value).lower())


def _objects(value: Any, key: str) -> list[Any]:
    """A list of objects; one alone is a list of one, {id: ...} one of each, null none."""
    if isinstance(value, Mapping) and not {key, "ids", "code"} & value.keys():
        value = [
            {**(said if isinstance(said, Mapping) else {"position": said}), key: name}
            for name, said in value.items()
        ]
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, Mapping)]


Text = Annotated[str, BeforeValidator(text)]
Reason = Annotated[str, BeforeValidator(lambda value: one_line(value, _REASON))]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class StanceTaken(_Lenient):
    """What a member thinks of a candidate: whether what it asserts is right, and if it is a good test."""

    id: Annotated[str, BeforeValidator(lambda value: next(iter(_ids(value)), ""))]
    why: Reason = Field(default="", validation_alias=AliasChoices("why", "reason", "explanation"))
    position: Annotated[Position, BeforeValidator(answer_words.position)] = "unsure"
    problem: Annotated[str, BeforeValidator(lambda value: _problem(text(value)))] = ""


def _problem(said: str) -> str:
    low = said.lower()
    return next((known for known in PROBLEMS if known.split()[-1] in low), "")


class TestWritten(_Lenient):
    """A test that a member wrote having seen the others; `hardens` is the id of the one it is made from."""

    __test__ = False

    hardens: Annotated[str, BeforeValidator(lambda value: next(iter(_ids(value)), ""))] = ""
    code: Text = Field(default="", validation_alias=AliasChoices("code", "test", "source"))


class Critique(_Lenient):
    """A chat member's answer in a later layer."""

    stances: list[StanceTaken] = Field(default_factory=list)
    tests: list[TestWritten] = Field(default_factory=list)

    @field_validator("stances", mode="before")
    @classmethod
    def _taken(cls, value: Any) -> Any:
        return [taken for taken in _objects(value, "id") if "id" in taken]

    @field_validator("tests", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [{"code": value}]
        written = value if isinstance(value, list) else [value]
        return [
            {"code": one} if isinstance(one, str) else one
            for one in written
            if isinstance(one, str | Mapping)
        ]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        stance = object_of(
            id=STRING,
            why=STRING,
            position=enum("agree", "dispute", "unsure"),
            problem=enum("none", *PROBLEMS),
        )
        return object_of(stances=list_of(stance), tests=list_of(object_of(hardens=STRING, code=STRING)))


class DecisionTaken(Decision):
    """An aggregator's decision, read leniently; what is no verdict keeps. `name` is a better name."""

    ids: Annotated[list[str], BeforeValidator(_ids)] = Field(validation_alias=AliasChoices("ids", "id"))
    verdict: Annotated[Verdict, BeforeValidator(answer_words.verdict)] = "kept"
    reason: Reason = Field(default="", validation_alias=AliasChoices("reason", "why"))
    name: Text = ""


class Verdicts(_Lenient):
    """An aggregator's answer."""

    decisions: list[DecisionTaken]

    @field_validator("decisions", mode="before")
    @classmethod
    def _decided(cls, value: Any) -> Any:
        return [taken for taken in _objects(value, "id") if "ids" in taken or "id" in taken]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        decision = object_of(
            ids=list_of(STRING),
            reason=STRING,
            verdict=enum("kept", "merged", "disputed", "rejected"),
            name=STRING,
        )
        return object_of(decisions=list_of(decision))
