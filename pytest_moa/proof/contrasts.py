"""Texts that the regular expression of one version matches and that of the other does not."""

from __future__ import annotations

import difflib
import random
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.clues import Sources, constants_of
from pytest_moa.search.patterns import matching_text

#: Pairs of patterns that are compared.
MOST_PATTERNS = 4
#: Texts that each version's pattern is asked for, and how many of those that differ are used.
MOST_DRAWN, MOST_TEXTS = 24, 6
#: Characters of a text of which others are made near to.
LONGEST = 40
#: What one character is exchanged for, or what is added.
_OTHERS = ("a", "1", ".", " ", "\n", "é")
#: What regular expressions have, and other texts seldom.
_MARKS = re.compile(r"[\\\[^$*+|]|\(\?|\.\?")


def patterns_of(function: ChangedFunction, sources: Sources) -> list[tuple[str, str]]:
    """Texts that may be regular expressions, of base only, and what became of each at head."""
    module = function.module
    sides = [
        [
            one
            for one in constants_of(function, {module: (side, None)})
            if isinstance(one, str) and _MARKS.search(one)
        ]
        for side in sources.get(module, (None, None))
    ]
    gone = [one for one in sides[0] if one not in sides[1]]
    new = [one for one in sides[1] if one not in sides[0]]
    return [(was, now) for was in gone for now in difflib.get_close_matches(was, new, 1)][:MOST_PATTERNS]


def telling(_: Mapping[str, Any], args: Mapping[str, Any]) -> list[str]:
    """The shortest texts that tell the two patterns of one of the "pairs" apart.

    The patterns are the code's own, and matching may take for ever: for a confined child, with a limit.
    """
    rng = random.Random(0)  # noqa: S311 - repeatable on purpose
    return [text for was, now in args["pairs"] for text in _between(was, now, rng)]


def _between(was: str, now: str, rng: random.Random) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patterns = re.compile(was), re.compile(now)
        drawn = {str(matching_text(one, rng)) for one in patterns for _ in range(MOST_DRAWN)}
    except (re.error, ValueError, IndexError, KeyError, OverflowError, RecursionError):
        return []
    found: dict[str, bool] = {}
    for text in sorted(drawn, key=lambda one: (len(one), one)):
        for other in _near(text) if len(text) <= LONGEST else (text,):
            first, second = (_matched(one, other) for one in patterns)
            if first != second:
                found[other] = (first is None) == (second is None)
    return sorted(found, key=lambda one: (found[one], _oddity(one), len(one), one))[:MOST_TEXTS]


def _oddity(text: str) -> int:
    """How much of a text is no plain letter or digit: other code may refuse it before."""
    return sum(not (one.isascii() and one.isalnum()) for one in text) + 9 * (not text.isprintable())


def _near(text: str) -> Iterator[str]:
    yield text
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]
        yield from (text[:at] + other + text[at + 1 :] for other in _OTHERS)
    yield from (text + other for other in _OTHERS)


def _matched(pattern: re.Pattern[str], text: str) -> tuple[int, int] | None:
    match = pattern.search(text)
    return match.span() if match else None
