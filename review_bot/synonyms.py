"""What models write where one of a few words was asked for, and what they mean by it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moa_engine.ledger import Position, Verdict
from review_bot.finding import SEVERITIES, Severity

CATEGORIES = (
    "bug",
    "security",
    "performance",
    "concurrency",
    "api",
    "types",
    "tests",
    "docs",
    "style",
    "other",
)

#: What steers a terminal, hides text or is no text: controls, marks of direction and width, surrogates.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_ALL_CLEAR = re.compile(
    r"(?:none|n/a|lgtm|looks good(?: to me)?|nothing(?: wrong| to report)?(?: (?:was )?found)?"
    r"|no (?:\w+ )?(?:issues?|problems?|findings?|bugs?|defects?)"
    r"(?: (?:were |was )?(?:found|detected|identified|to report))?)[.!]?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z0-9]*")
_ID = re.compile(r"[0-9a-z]+")


def _meanings(table: Mapping[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, words in table.items() for word in [meaning, *words.split()]}


_SEVERITY = _meanings(
    {
        "critical": "blocker fatal severe p0",
        "major": "high error important serious p1",
        "minor": "medium moderate low warning warn p2",
        "nit": "info note trivial suggestion cosmetic nitpick none p3",
    }
)
_CATEGORY = _meanings(
    {
        "bug": "correctness logic error crash functional functionality regression reliability",
        "security": "vulnerability injection privacy",
        "performance": "efficiency perf memory resource",
        "concurrency": "race threading async deadlock",
        "api": "interface compatibility breaking contract",
        "types": "type typing",
        "tests": "test testing coverage",
        "docs": "documentation doc comment docstring",
        "style": "maintainability readability formatting naming lint convention cleanup",
        "other": "",
    }
)
_POSITION = _meanings(
    {
        "agree": "agreed yes true support confirm confirmed valid correct",
        "dispute": "disputed disagree no not false reject rejected refute invalid wrong incorrect",
        "unsure": "",
    }
)
_VERDICT = _meanings(
    {
        "kept": "keep accept accepted confirm confirmed valid agree",
        "merged": "merge duplicate duplicates same",
        "disputed": "dispute contested unsure uncertain",
        "rejected": "reject remove drop dismiss dismissed invalid false",
    }
)


def text(value: Any) -> str:
    """Any JSON value as text that can be shown: None is "", lists are lines."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(text(part) for part in value)
    if not isinstance(value, str):
        return json.dumps(value)
    return _INVISIBLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def severity(value: Any) -> Severity:
    """The severity that is meant; "minor" when that is not clear."""
    found = _SEVERITY.get(_first_word(value), "minor")
    return next(known for known in SEVERITIES if known == found)


def category(value: Any) -> str:
    """The category that is meant; "other" when that is not clear."""
    return _CATEGORY.get(_first_word(value), "other")


def position(value: Any) -> Position:
    """The position that is meant; "unsure" when that is not clear."""
    match _POSITION.get(_first_word(value)):
        case "agree":
            return "agree"
        case "dispute":
            return "dispute"
    return "unsure"


def verdict(value: Any) -> Verdict:
    """The verdict that is meant; "kept" when that is not clear, so that nothing is lost to a typo."""
    match _VERDICT.get(_first_word(value)):
        case "merged":
            return "merged"
        case "disputed":
            return "disputed"
        case "rejected":
            return "rejected"
    return "kept"


def ids(value: Any) -> list[str]:
    """The ids in a list, a string with several, or a number."""
    return [
        found
        for part in (value if isinstance(value, list) else [value])
        for found in _ID.findall(_plain(part))
    ]


def bare_id(value: str) -> str:
    """An id without the brackets, hashes and quotes that models put around it."""
    return next(iter(ids(value)), "")


def objects(value: Any, key: str) -> list[Any]:
    """A list of objects: a single object is a list of one, null is none, a bare word is `{key: word}`.

    Raises:
        ValueError: the value is neither, or a list of something else.
    """
    if value is None:
        return []
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise ValueError("must be a list of objects")  # noqa: TRY004 - pydantic reports ValueErrors
    found = [{key: part} if isinstance(part, str) else part for part in value if isinstance(part, dict | str)]
    if not found and any(part is not None for part in value):
        raise ValueError("must be a list of objects")
    return found


def is_all_clear(title: str) -> bool:
    """Whether a finding says that there is none, as small models put it instead of an empty list."""
    return _ALL_CLEAR.fullmatch(" ".join(title.split())) is not None


def _plain(value: Any) -> str:
    return text(value).lower()


def _first_word(value: Any) -> str:
    match = _WORD.search(_plain(value))
    return match[0] if match else ""
