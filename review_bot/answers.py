"""What reviewers and aggregators answer: lenient about form, so that a good finding is not lost to it.

The JSON Schemas that go to endpoints are those of `moa_engine.plain_schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    field_validator,
)
from pydantic_core import CoreSchema

from moa_engine import answer_words
from moa_engine.answer_words import cut, one_line
from moa_engine.ledger import Decision, Position, Verdict
from moa_engine.plain_schema import STRING, JsonObject, enum, list_of, object_of
from review_bot import synonyms
from review_bot.finding import SEVERITIES, Finding, Severity

#: Characters of a title, a reason and a body that are kept; the whole answer is in the record.
TITLE, REASON, BODY = 200, 600, 4000


Text = Annotated[str, BeforeValidator(answer_words.text)]
Reason = Annotated[str, BeforeValidator(lambda value: one_line(value, REASON))]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Draft(_Lenient):
    """A finding as a chat reviewer states it: it quotes the lines, code finds them.

    A line number is not a field: models get them wrong half of the time.
    """

    path: Text = Field(default="", validation_alias=AliasChoices("path", "file", "filename", "file_path"))
    quote: Text = Field(
        default="", validation_alias=AliasChoices("quote", "code", "snippet", "existing_code")
    )
    title: Text = Field(default="", validation_alias=AliasChoices("title", "issue", "problem", "summary"))
    body: Text = Field(
        default="", validation_alias=AliasChoices("body", "description", "explanation", "message", "comment")
    )
    severity: Annotated[Severity, BeforeValidator(synonyms.severity)] = "minor"
    category: Annotated[str, BeforeValidator(synonyms.category)] = "other"
    suggestion: Text = Field(default="", validation_alias=AliasChoices("suggestion", "fix", "improved_code"))
    call: Text = Field(default="", validation_alias=AliasChoices("call", "example", "reproduction"))

    def words(self) -> tuple[str, str]:
        """Title and body; a title that is overlong or missing is made from the other."""
        title, body = " ".join(self.title.split()), self.body.strip()
        if not title:
            title, _, rest = body.partition("\n")
            body = body if len(title) > TITLE else rest.strip()
        elif len(title) > TITLE:
            body = f"{title}\n\n{body}".strip()
        return cut(title, TITLE), cut(body, BODY)


def _drafts(findings: list[JsonObject]) -> list[Draft]:
    drafts = [Draft.model_validate(finding) for finding in findings]
    return [draft for draft in drafts if draft.words()[0]]


class StanceTaken(_Lenient):
    """What a reviewer thinks of a finding that it was shown."""

    id: Text
    position: Annotated[Position, BeforeValidator(answer_words.position)]
    why: Reason = Field(default="", validation_alias=AliasChoices("why", "reason", "explanation"))

    @field_validator("id")
    @classmethod
    def _bare(cls, value: str) -> str:
        return synonyms.bare_id(value)


_FINDING = {
    "path": STRING,
    "quote": STRING,
    "title": STRING,
    "body": STRING,
    "severity": enum(*SEVERITIES),
    "category": enum(*synonyms.CATEGORIES),
    "suggestion": STRING,
}
_FINDINGS = list_of(object_of(**_FINDING))
_WITH_CALLS = list_of(object_of(**_FINDING, call=STRING))
_STANCES = list_of(object_of(id=STRING, why=STRING, position=enum("agree", "dispute", "unsure")))
_DECISIONS = list_of(
    object_of(ids=list_of(STRING), reason=STRING, verdict=enum("kept", "merged", "disputed", "rejected"))
)


class ReviewAnswer(_Lenient):
    """A reviewer's answer in layer 1. Tools answer with exact findings, chat reviewers with drafts."""

    findings: list[JsonObject]

    @field_validator("findings", mode="before")
    @classmethod
    def _objects(cls, value: Any) -> Any:
        found = synonyms.objects(value, "title")
        if found and not _drafts(found):
            raise ValueError("no finding says what is wrong")
        return [one for one in found if not synonyms.is_all_clear(Draft.model_validate(one).words()[0])]

    def drafts(self) -> list[Draft]:
        """The findings as a chat reviewer's drafts; what says nothing at all is left out."""
        return _drafts(self.findings)

    def exact(self) -> tuple[list[Finding], list[str]]:
        """The findings as a tool's, whose places are exact, and what is wrong with the rest."""
        found: list[Finding] = []
        wrong: list[str] = []
        for finding in self.findings:
            try:
                found.append(Finding.model_validate(finding))
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                wrong.append(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return found, wrong

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return object_of(findings=_FINDINGS)


class SecondAnswer(ReviewAnswer):
    """A chat reviewer's answer in a later layer: stances on what is known, and what all missed."""

    stances: list[StanceTaken] = Field(default_factory=list)
    findings: list[JsonObject] = Field(default_factory=list)

    @field_validator("stances", mode="before")
    @classmethod
    def _taken(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "id" not in value:  # {id: position} or {id: {position, why}}
            value = [
                {**(said if isinstance(said, Mapping) else {"position": said}), "id": name}
                for name, said in value.items()
            ]
        return [taken for taken in synonyms.objects(value, "id") if "id" in taken and "position" in taken]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return object_of(stances=_STANCES, findings=_FINDINGS)


class CallingAnswer(ReviewAnswer):
    """A chat reviewer's answer where calls can be run."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return object_of(findings=_WITH_CALLS)


class CallingSecondAnswer(SecondAnswer):
    """A chat reviewer's answer in a later layer where calls can be run."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return object_of(stances=_STANCES, findings=_WITH_CALLS)


class DecisionTaken(Decision):
    """An aggregator's decision, read leniently. What is no verdict keeps the findings."""

    ids: Annotated[list[str], BeforeValidator(synonyms.ids)] = Field(
        validation_alias=AliasChoices("ids", "id")
    )
    verdict: Annotated[Verdict, BeforeValidator(answer_words.verdict)] = "kept"
    reason: Reason = Field(default="", validation_alias=AliasChoices("reason", "why"))


class Verdicts(_Lenient):
    """An aggregator's answer: its decisions over the ids, and findings that nobody had."""

    decisions: list[DecisionTaken]
    new: list[JsonObject] = Field(default_factory=list)

    @field_validator("decisions", mode="before")
    @classmethod
    def _decided(cls, value: Any) -> Any:
        return [taken for taken in synonyms.objects(value, "id") if "ids" in taken or "id" in taken]

    @field_validator("new", mode="before")
    @classmethod
    def _objects(cls, value: Any) -> Any:
        return synonyms.objects(value, "title")

    def drafts(self) -> list[Draft]:
        """The new findings; what says nothing at all is left out."""
        return _drafts(self.new)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        return object_of(decisions=_DECISIONS, new=_FINDINGS)
