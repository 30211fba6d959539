"""What is wrong with a setting, said for people: every problem of a configuration at once.

Values are repeated only where they cannot be secrets.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from moa_engine.config_sources import dotted
from moa_engine.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]

#: Types of pydantic's errors (docs.pydantic.dev/latest/errors/validation_errors) and what was expected.
_EXPECTED: Mapping[str, str] = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "list_type": "a list",
    "literal_error": "{expected}",
    "string_type": "a text",
}

_KEY_NAME = re.compile(
    r"(?i)(x-)?((api|access|auth|bearer|secret)[_-]?)?(key|token)|secret|password|(proxy-)?authorization|cookie"
)
_KEY_VALUE = re.compile(
    r"(?i:\bbearer\s+\S{8})|\bsk-[\w-]{16}|\b(gsk|hf|xai|nvapi|csk|tgp|gh[pousr])[_-][A-Za-z0-9]{16}"
    r"|\bgithub_pat_\w{16}|\bAIza[\w-]{30}|\bAKIA[A-Z0-9]{16}|\beyJ[\w-]{16,}\.[\w-]{8}|://[^/\s@]+:[^/\s@]+@"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and the key it is about. `near` are known words like the one that is wrong."""

    place: Place
    message: str
    near: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    unknown: bool = False  #: the last part of the key is the wrong word


def refusal(problems: Iterable[Problem], where: Callable[[Place], str] = lambda _: "") -> ConfigError:
    """One error that says all problems, in the order of their places; `where` names a key's source."""
    lines = []
    for problem in dict.fromkeys(problems):
        source = where(problem.place)
        near = f"; did you mean {_any_of(_as_in(source, problem))}?" if problem.near else ""
        allowed = f" (allowed: {', '.join(problem.allowed)})" if problem.allowed else ""
        lines.append(
            f"{source}{': ' if source else ''}{dotted(problem.place)}: {problem.message}{near}{allowed}"
        )
    if len(lines) == 1:
        return ConfigError(lines[0])
    return ConfigError(f"{len(lines)} settings are wrong:\n  " + "\n  ".join(lines))


def _as_in(source: str, problem: Problem) -> Iterable[str]:
    if not (problem.unknown and source.startswith("MOA_")):
        return problem.near
    parts = [str(part) for part in problem.place[:-1]]
    return ("MOA_" + re.sub(r"[^\w]", "_", "__".join([*parts, name])).upper() for name in problem.near)


def near(word: str, words: Iterable[str]) -> tuple[str, ...]:
    """The words that look like a mistyped one, the likeliest first."""
    return tuple(difflib.get_close_matches(word, list(words), n=3, cutoff=0.6))


def unknown_name(place: Place, what: str, name: str, known: Iterable[str]) -> Problem:
    """A name that nobody has, with those that there are."""
    known = tuple(known)
    return Problem(place, f"no {what} is named {name!r}", near(name, known), known)


def unknown_key(place: Place, known: Iterable[str]) -> Problem:
    """A key that no setting has; the value is not repeated."""
    known = tuple(known)
    return Problem(place, "unknown key", near(str(place[-1]), known), known, unknown=True)


def invalid(error: ValidationError, model: type[BaseModel], data: Any, place: Place = ()) -> list[Problem]:
    """What pydantic found, one problem for each key; `data` is what it looked at, `place` where that is."""
    found: dict[Place, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_key_of(detail, data), []).append(detail)
    deepest = [key for key in found if not any(other[: len(key)] == key != other for other in found)]
    return [_problem(place, key, found[key], model) for key in deepest]


def _key_of(detail: ErrorDetails, data: Any) -> Place:
    """The error's key, without the names of union members that pydantic puts between."""
    key: Place = ()
    for number, part in enumerate(detail["loc"]):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            last = number == len(detail["loc"]) - 1
            if not (detail["type"] == "missing" and last):
                continue
        key += (part,)
    return key


def _problem(place: Place, key: Place, details: list[ErrorDetails], model: type[BaseModel]) -> Problem:
    first = details[0]
    if first["type"] == "extra_forbidden":
        return unknown_key(place + key, _fields_at(model, key[:-1]))
    if first["type"] == "missing":
        return Problem(place + key, "is missing")
    if first["type"] == "string_pattern_mismatch":
        return Problem(place + key, _mismatch(str(key[-1]) if key else ""))
    if first["type"] == "value_error":
        return Problem(place + key, str(first["ctx"]["error"]))
    expected = [_EXPECTED[d["type"]].format(**d.get("ctx", {})) for d in details if d["type"] in _EXPECTED]
    if not expected:
        return Problem(place + key, first["msg"])
    value = first["input"]
    choices = [word for words in expected for word in re.findall(r"'([^']*)'", words) or [words]]
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    got = "" if isinstance(value, dict | list) or (key and holds_key(key[-1], value)) else f", not {written}"
    found = near(value, choices) if isinstance(value, str) else ()
    return Problem(place + key, f"must be {_any_of(dict.fromkeys(choices))}{got}", found)


def _mismatch(key: str) -> str:
    if key.endswith("_env"):  # never repeated: somebody may have written the key itself
        return "must be the name of an environment variable: letters, digits and _"
    return "must be a name: letters, digits, '.', '_' and '-', beginning with a letter or digit"


def _any_of(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _fields_at(model: type[BaseModel], key: Place) -> Iterable[str]:
    """The keys that are known in the table at `key` of a model."""
    for part in key:
        field = model.model_fields.get(str(part))
        if field is not None:
            model = next(_models(field.annotation), model)
    return model.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def literal_keys(data: Any, place: Place = ()) -> Iterator[Problem]:
    """The places where a configuration holds a key, a token or a password; it never says which."""
    if isinstance(data, dict | list):
        for part, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from literal_keys(value, (*place, part))
    elif place and holds_key(place[-1], data):
        yield Problem(
            place,
            "holds a key, and keys come from the environment only: "
            "put it into a variable and name that one in api_key_env",
        )


def holds_key(name: str | int, value: Any) -> bool:
    """Whether a setting is a secret, judged by its name or by how its value looks."""
    if not isinstance(value, str) or not value:
        return False
    return _KEY_VALUE.search(value) is not None or _KEY_NAME.fullmatch(str(name)) is not None
