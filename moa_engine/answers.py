"""From what a model wrote to a typed answer: lenient in form, strict about having something to use."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from moa_engine.errors import BrokenAnswer

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_OBJECT = re.compile(r"\{\s*\"")
_MOST_OBJECTS = 100  #: looked at in one text, each of which may be broken
_MOST_OPENED, _LONGEST = 500, 100_000  #: brackets and characters: repairing takes the square of them
_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


def read_answer(text: str, answer_type: type[BaseModel] | None) -> BaseModel | str:
    """What a member wrote, as the type that was asked for; None asked for plain text.

    Raises:
        BrokenAnswer: it cannot be used.
    """
    if answer_type is not None:
        return parse_answer(text, answer_type)
    if not text.strip():
        raise BrokenAnswer("the answer is empty")
    return text.strip()


def parse_answer(text: str, answer_type: type[AnswerT]) -> AnswerT:
    """The answer in `text`: JSON, fenced or not, with chatter around it, or cut off.

    Fields that the type does not know are its own business (`extra`). An object without a single
    known field is not an empty answer but a broken one.

    Raises:
        BrokenAnswer: nothing of this type is in the text; the message says what is wrong with it.
    """
    text = _THOUGHTS.sub("", text).strip()
    if not text:
        raise BrokenAnswer("the answer is empty")
    data = _load(text, answer_type)
    try:
        return answer_type.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False)[:5]
        )
        raise BrokenAnswer(f"the answer is not of the type asked for: {problems}", raw=text) from error


def _load(text: str, answer_type: type[BaseModel]) -> dict[str, Any]:
    fenced = [match.group(1) for match in _FENCED.finditer(text)]
    for candidate in [text, *fenced]:
        try:
            data = _shaped(json.loads(candidate), answer_type)
        except (ValueError, RecursionError):
            continue
        if data is not None:
            return data

    if (data := _within(text, answer_type)) is not None:
        return data

    import json_repair  # only here: most answers are JSON already, and the import costs 60 ms

    for candidate in [*fenced, text]:
        if len(candidate) > _LONGEST or candidate.count("{") + candidate.count("[") > _MOST_OPENED:
            continue  # the whole run would wait: the member is asked to say it again
        try:
            data = _shaped(json_repair.loads(candidate), answer_type)
        except (ValueError, RecursionError):
            continue
        if data and any(data.values()):  # an answer without content must be one in strict JSON
            return data
    raise BrokenAnswer("the answer holds no JSON of the type asked for", raw=text)


def _within(text: str, answer_type: type[BaseModel]) -> dict[str, Any] | None:
    """The last object of the type that stands whole between other words; None where the text is cut off."""
    decoder = json.JSONDecoder()
    found, end = None, 0
    for begin in islice(_OBJECT.finditer(text), _MOST_OBJECTS):
        if begin.start() < end:
            continue
        try:
            data, end = decoder.raw_decode(text, begin.start())
        except json.JSONDecodeError as error:
            if error.pos >= len(text) or error.msg.startswith("Unterminated"):
                return None
        except RecursionError:
            return None
        else:
            found = _shaped(data, answer_type) or found
    return found


def _shaped(data: Any, answer_type: type[BaseModel]) -> dict[str, Any] | None:
    """`data` as an object with at least one of the type's fields, or None."""
    if isinstance(data, list):
        if data and isinstance(data[-1], dict) and answer_type.model_fields.keys() & data[-1].keys():
            return data[-1]  # several objects one after the other: the last is the model's last word
        first_field = next(iter(answer_type.model_fields), None)
        if first_field and all(isinstance(part, dict) for part in data):
            return {first_field: data}  # the bare list of what the first field holds
        return None
    if isinstance(data, dict) and answer_type.model_fields.keys() & data.keys():
        return data
    return None
