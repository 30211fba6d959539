"""What models write where plain text or one of a few words was asked for, and what they mean by it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moa_engine.ledger import Position, Verdict

#: What steers a terminal, hides text or is no text: controls, marks of direction and width, surrogates.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_WORD = re.compile(r"[a-z][a-z0-9]*")


def meanings(table: Mapping[str, str]) -> dict[str, str]:
    """From each word that is used for a meaning, and the meaning itself, to the meaning."""
    return {word: meaning for meaning, words in table.items() for word in [meaning, *words.split()]}


_POSITION = meanings(
    {
        "agree": "agreed yes true support confirm confirmed valid correct right",
        "dispute": "disputed disagree no not false reject rejected refute invalid wrong incorrect",
        "unsure": "",
    }
)
_VERDICT = meanings(
    {
        "kept": "keep accept accepted confirm confirmed valid agree",
        "merged": "merge duplicate duplicates same",
        "disputed": "dispute contested unsure uncertain",
        "rejected": "reject remove drop dismiss dismissed invalid wrong false",
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
    return INVISIBLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(value: Any, length: int) -> str:
    """Any JSON value as one line of at most `length` characters; what is cut ends with an ellipsis."""
    return cut(" ".join(text(value).split()), length)


def cut(whole: str, length: int) -> str:
    """`whole`, or its beginning and an ellipsis."""
    return whole if len(whole) <= length else f"{whole[: length - 1]}…"


def first_word(value: Any) -> str:
    """The first word of a JSON value, in lower case; "" where it has none."""
    match = _WORD.search(text(value).lower())
    return match[0] if match else ""


def position(value: Any) -> Position:
    """The position that is meant; "unsure" when that is not clear."""
    match _POSITION.get(first_word(value)):
        case "agree":
            return "agree"
        case "dispute":
            return "dispute"
    return "unsure"


def verdict(value: Any) -> Verdict:
    """The verdict that is meant; "kept" when that is not clear, so that nothing is lost to a typo."""
    match _VERDICT.get(first_word(value)):
        case "merged":
            return "merged"
        case "disputed":
            return "disputed"
        case "rejected":
            return "rejected"
    return "kept"
