"""From what a model wrote to a typed answer: lenient in form, strict about having something to use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from moa_engine.errors import BrokenAnswer

AnswerT = TypeVar("AnswerT", bound=BaseModel)

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_OBJECT = re.compile(r"\{\s*\"")
_BEGUN = re.compile(r"[\[{]\s*[\"{\[]")
_STEP = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)  #: a whole string, or what ends a value
_MOST_OBJECTS = 100  #: looked at in one text, each of which may be broken
_MOST_OPENED, _LONGEST = 500, 100_000  #: brackets and characters: repairing takes the square of them
_FENCED = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}


def read_answer(text: str, answer_type: type[BaseModel] | None) -> tuple[BaseModel | str, bool]:
    """What a member wrote, as the type that was asked for, and whether it is cut off in the middle.

    None asked for plain text, of which nobody can tell.

    Raises:
        BrokenAnswer: it cannot be used.
    """
    if answer_type is not None:
        return _parsed(text, answer_type)
    if not text.strip():
        raise BrokenAnswer("the answer is empty")
    return text.strip(), False


def parse_answer(text: str, answer_type: type[AnswerT]) -> AnswerT:
    """The answer in `text`: JSON, fenced or not, with chatter around it, or cut off.

    Fields that the type does not know are its own business (`extra`). An object without a single
    known field is not an empty answer but a broken one, unless it is an entry of one of the type's
    lists: models that have one thing to say leave the list around it out. Of an answer that is cut
    off, what is whole counts.

    Raises:
        BrokenAnswer: nothing of this type is in the text; the message says what is wrong with it.
    """
    return _parsed(text, answer_type)[0]


def _parsed(text: str, answer_type: type[AnswerT]) -> tuple[AnswerT, bool]:
    text = _THOUGHTS.sub("", text).strip()
    if not text:
        raise BrokenAnswer("the answer is empty")
    data, cut = _load(text, answer_type)
    try:
        return answer_type.model_validate(data), cut
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False)[:5]
        )
        raise BrokenAnswer(f"the answer is not of the type asked for: {problems}", raw=text) from error


def _load(text: str, answer_type: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    """The answer's fields, and whether the text is cut off."""
    fenced = [match.group(1) for match in _FENCED.finditer(text)]
    for candidate in [text, *fenced]:
        try:
            data = _shaped(json.loads(candidate), answer_type)
        except (ValueError, RecursionError):
            continue
        if data is not None:
            return data, False

    if (data := _within(text, answer_type)) is not None:
        return data, False
    cut = _cut_off(text)
    if (data := _whole_of(cut, answer_type)) is not None:
        return data, True

    import json_repair  # only here: most answers are JSON already, and the import costs 60 ms

    for candidate in [cut] if cut else [*fenced, text]:
        if len(candidate) > _LONGEST or candidate.count("{") + candidate.count("[") > _MOST_OPENED:
            continue  # the whole run would wait: the member is asked to say it again
        try:
            data = _shaped(json_repair.loads(candidate), answer_type)
        except (ValueError, RecursionError):
            continue
        if data and any(data.values()):  # an answer without content must be one in strict JSON
            return data, bool(cut)
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
            if _is_early_end(error):
                return None
        except RecursionError:
            return None
        else:
            found = _shaped(data, answer_type, bare=False) or found
    return found


def _cut_off(text: str) -> str:
    """The JSON that begins in `text` and has not ended where the text does; "" where there is none."""
    decoder = json.JSONDecoder(strict=False)
    end = 0
    for begin in islice(_BEGUN.finditer(text), _MOST_OBJECTS):
        if begin.start() < end:
            continue
        try:
            _, end = decoder.raw_decode(text, begin.start())
        except json.JSONDecodeError as error:
            if _is_early_end(error):
                return text[begin.start() :]
        except RecursionError:
            return ""
    return ""


def _is_early_end(error: json.JSONDecodeError) -> bool:
    """Whether JSON was as it should be up to the end of the text, and only went no further."""
    rest = error.doc[error.pos :]
    if error.msg.startswith(r"Invalid \u"):
        return len(rest) < len(r"u0000")
    return error.msg.startswith("Unterminated") or any(
        word.startswith(rest) for word in ("true", "false", "null", "-")
    )


def _whole_of(cut: str, answer_type: type[BaseModel]) -> dict[str, Any] | None:
    """Of JSON that is cut off: all of it where it only lacks brackets, else its whole entries or values."""
    for begun in _completed(cut):
        try:
            data = _shaped(json.loads(begun, strict=False), answer_type)
            if data and any(data.values()):
                answer_type.model_validate(data)
                return data
        except (ValueError, RecursionError):
            continue
    return None


def _completed(cut: str) -> Iterator[str]:
    """JSON that is cut off, with its brackets closed: at its end, after an entry of a list, after a value."""
    closing = entry = value = ""
    for step in _STEP.finditer(cut):
        match step[0]:
            case "{" | "[" as bracket:
                closing = _CLOSING[bracket] + closing
            case "}" | "]" as bracket:
                closing = closing[1:]
                if bracket == "}" and 0 < len(closing) <= 2:
                    entry = cut[: step.end()] + closing
            case '"':
                break  # a string that does not end
            case ",":
                value = cut[: step.start()] + closing
    yield from (cut + closing, *filter(None, (entry, value)))


def _shaped(data: Any, answer_type: type[BaseModel], *, bare: bool = True) -> dict[str, Any] | None:
    """`data` as an object with at least one of the type's fields, or None.

    `bare` takes an entry, or a list of them, without the object around it.
    """
    known = answer_type.model_fields.keys()
    if isinstance(data, dict) and known & data.keys():
        return data
    if isinstance(data, list):
        if data and isinstance(data[-1], dict) and known & data[-1].keys():
            return data[-1]  # several objects one after the other: the last is the model's last word
        first_field = next(iter(known), None)
        if first_field and bare and all(isinstance(part, dict) for part in data):
            return {_list_of(data, answer_type) or first_field: data}
    elif isinstance(data, dict) and bare and (name := _list_of([data], answer_type)):
        return {name: [data]}
    return None


def _list_of(entries: Sequence[Mapping[str, Any]], answer_type: type[BaseModel]) -> str:
    """The field whose list holds such entries: two of their keys at least are those of its entries."""
    keys = {key for entry in entries for key in entry}
    alike = {
        name: len(fields & keys)
        for name, fields in _entry_fields(answer_type).items()
        if len(fields & keys) >= min(2, len(fields))
    }
    return max(alike, key=lambda name: alike[name], default="")


@cache
def _entry_fields(answer_type: type[BaseModel]) -> Mapping[str, frozenset[str]]:
    """For each field that is a list of objects: the fields that the schema gives these objects."""
    schema = answer_type.model_json_schema()
    found = {}
    for name, field in schema.get("properties", {}).items():
        entry = field.get("items", {})
        if "$ref" in entry:
            entry = schema["$defs"][entry["$ref"].rpartition("/")[2]]
        if fields := frozenset(entry.get("properties", ())):
            found[name] = fields
    return found
