"""Texts that match a regular expression, from its parsed form."""

from __future__ import annotations

import random
import re
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]
_constants: Any = re._constants  # type: ignore[attr-defined]

#: Repetitions that are unbounded get at most this many more than their least.
MOST_REPEATED = 3
_WORDS = "abcxyz"
_CLASSES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_NOT_DIGIT": "ab -",
    "CATEGORY_SPACE": " \t\n",
    "CATEGORY_NOT_SPACE": "ab1-",
    "CATEGORY_WORD": "abcXY1_",
    "CATEGORY_NOT_WORD": " -.!",
}


def matching_text(pattern: re.Pattern[Any], rng: random.Random) -> str | bytes:
    """One text that (nearly always) matches: look-arounds and back references are only tried."""
    written = pattern.pattern
    tree = _parser.parse(written, pattern.flags)
    text = _text(tree, rng, {})
    return text.encode("latin-1", "replace") if isinstance(written, bytes) else text


def _text(tree: Any, rng: random.Random, groups: dict[int, str]) -> str:
    return "".join(_one(str(op), argument, rng, groups) for op, argument in tree)


def _one(op: str, argument: Any, rng: random.Random, groups: dict[int, str]) -> str:
    match op:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return rng.choice([char for char in "ax1 " if ord(char) != argument])
        case "ANY":
            return rng.choice("ab1 ")
        case "IN":
            return _of_set(argument, rng)
        case "BRANCH":
            return _text(rng.choice(argument[1]), rng, groups)
        case "SUBPATTERN":
            number, _, _, inner = argument
            text = _text(inner, rng, groups)
            if number is not None:
                groups[number] = text
            return text
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            count = rng.randint(least, min(int(most), least + MOST_REPEATED))
            return "".join(_text(inner, rng, groups) for _ in range(count))
        case "GROUPREF":
            return groups.get(argument, "")
        case "ATOMIC_GROUP":
            return _text(argument, rng, groups)
        case "ASSERT" if argument[0] > 0:
            return ""
    return ""


def _of_set(items: Any, rng: random.Random) -> str:
    first = str(items[0][0])
    if first == "NEGATE":
        banned = re.compile("|".join(_class_source(items[1:])) or "(?!)")
        allowed = [char for char in "abz19 -_.,:/AZ\u00e9" if not banned.fullmatch(char)]
        return rng.choice(allowed or ["\u00e9"])
    op, argument = rng.choice(items)
    match str(op):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            low, high = argument
            return chr(rng.choice([low, high, rng.randint(low, high)]))
        case "CATEGORY":
            return rng.choice(_CLASSES.get(str(argument), _WORDS))
    return "a"


def _class_source(items: Any) -> list[str]:
    sources = []
    for op, argument in items:
        match str(op):
            case "LITERAL":
                sources.append(re.escape(chr(argument)))
            case "RANGE":
                sources.append(f"[{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}]")
            case "CATEGORY":
                kind = str(argument).removeprefix("CATEGORY_")
                letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[kind.removeprefix("NOT_")]
                sources.append("\\" + (letter.upper() if kind.startswith("NOT_") else letter))
    return sources
