"""What models write where a severity, a category or ids were asked for, and what they mean by it."""

from __future__ import annotations

import re
from typing import Any

from moa_engine.answer_words import first_word, meanings, text
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

_ALL_CLEAR = re.compile(
    r"(?:none|n/a|lgtm|looks good(?: to me)?|nothing(?: wrong| to report)?(?: (?:was )?found)?"
    r"|no (?:\w+ )?(?:issues?|problems?|findings?|bugs?|defects?)"
    r"(?: (?:were |was )?(?:found|detected|identified|to report))?)[.!]?",
    re.IGNORECASE,
)
_ID = re.compile(r"[0-9a-z]+")


_SEVERITY = meanings(
    {
        "critical": "blocker fatal severe p0",
        "major": "high error important serious p1",
        "minor": "medium moderate low warning warn p2",
        "nit": "info note trivial suggestion cosmetic nitpick none p3",
    }
)
_CATEGORY = meanings(
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


def severity(value: Any) -> Severity:
    """The severity that is meant; "minor" when that is not clear."""
    found = _SEVERITY.get(first_word(value), "minor")
    return next(known for known in SEVERITIES if known == found)


def category(value: Any) -> str:
    """The category that is meant; "other" when that is not clear."""
    return _CATEGORY.get(first_word(value), "other")


def ids(value: Any) -> list[str]:
    """The ids in a list, a string with several, or a number."""
    return [
        found
        for part in (value if isinstance(value, list) else [value])
        for found in _ID.findall(text(part).lower())
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
