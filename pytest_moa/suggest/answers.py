"""What members answer once they have seen candidates with their facts: lenient in form.

The schemas that go to endpoints are written by hand, plain and with everything required, with the keys
in the order in which a model should think: why before the verdict.
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

from moa_engine.ledger import Decision, Position, Verdict

JsonObject = dict[str, Any]

#: Characters of a reason that are kept; the whole answer is in the record.
_REASON = 400

#: What is wrong with a test besides its value: asserts what the code says, or what nobody decided.
PROBLEMS = ("repeats the code", "pins noise")

_POSITIONS: Mapping[str, Position] = {
    **dict.fromkeys(("agree", "agreed", "right", "correct", "yes", "true", "valid", "confirm"), "agree"),
    **dict.fromkeys(
        ("dispute", "disputed", "disagree", "wrong", "incorrect", "no", "false", "invalid", "reject"),
        "dispute",
    ),
}
_VERDICTS: Mapping[str, Verdict] = {
    **dict.fromkeys(("merged", "merge", "duplicate", "same"), "merged"),
    **dict.fromkeys(("disputed", "dispute", "contested"), "disputed"),
    **dict.fromkeys(("rejected", "reject", "remove", "drop", "wrong", "invalid"), "rejected"),
}
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return "" if value is None else _INVISIBLE.sub("", str(value).replace("\r\n", "\n"))


def _line(value: Any) -> str:
    line = " ".join(_text(value).split())
    return line if len(line) <= _REASON else f"{line[: _REASON - 1]}…"


def _word(value: Any) -> str:
    found = re.search(r"[a-z]+", _text(value).lower())
    return found[0] if found else ""


def _ids(value: Any) -> list[str]:
    return re.findall(r"\b[0-9a-f]{8}\b", _text(value).lower())


def _objects(value: Any, key: str) -> list[Any]:
    """A list of objects; one alone is a list of one, {id: ...} one of each, null none."""
    if isinstance(value, Mapping) and not {key, "ids", "code"} & value.keys():
        value = [
            {**(said if isinstance(said, Mapping) else {"position": said}), key: name}
            for name, said in value.items()
        ]
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, Mapping)]


Text = Annotated[str, BeforeValidator(_text)]
Reason = Annotated[str, BeforeValidator(_line)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class StanceTaken(_Lenient):
    """What a member thinks of a candidate: whether what it asserts is right, and if it is a good test."""

    id: Annotated[str, BeforeValidator(lambda value: next(iter(_ids(value)), ""))]
    why: Reason = Field(default="", validation_alias=AliasChoices("why", "reason", "explanation"))
    position: Annotated[Position, BeforeValidator(lambda value: _POSITIONS.get(_word(value), "unsure"))] = (
        "unsure"
    )
    problem: Annotated[str, BeforeValidator(lambda value: _problem(_text(value)))] = ""


def _problem(text: str) -> str:
    low = text.lower()
    return next((known for known in PROBLEMS if known.split()[-1] in low), "")


class TestWritten(_Lenient):
    """A test that a member wrote having seen the others; `hardens` is the id of the one it is made from."""

    __test__ = False

    hardens: Annotated[str, BeforeValidator(lambda value: next(iter(_ids(value)), ""))] = ""
    code: Text = Field(default="", validation_alias=AliasChoices("code", "test", "source"))


def _object(**properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


def _enum(*values: str) -> JsonObject:
    return {"type": "string", "enum": list(values)}


_STRING: JsonObject = {"type": "string"}


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
        stance = _object(
            id=_STRING,
            why=_STRING,
            position=_enum("agree", "dispute", "unsure"),
            problem=_enum("none", *PROBLEMS),
        )
        return _object(stances=_list_of(stance), tests=_list_of(_object(hardens=_STRING, code=_STRING)))


class DecisionTaken(Decision):
    """An aggregator's decision, read leniently; what is no verdict keeps. `name` is a better name."""

    ids: Annotated[list[str], BeforeValidator(_ids)] = Field(validation_alias=AliasChoices("ids", "id"))
    verdict: Annotated[Verdict, BeforeValidator(lambda value: _VERDICTS.get(_word(value), "kept"))] = "kept"
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
        decision = _object(
            ids=_list_of(_STRING),
            reason=_STRING,
            verdict=_enum("kept", "merged", "disputed", "rejected"),
            name=_STRING,
        )
        return _object(decisions=_list_of(decision))
