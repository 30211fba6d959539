"""What an aggregate says that nobody proposed: claims, numbers and code of its own.

A sentence is a claim of its own where it says the same (`agreement`) as no sentence of any proposal; a
number or a piece of code where no proposal, nor the change that all have seen, contains it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moa_engine.agreement import SAME_CLAIM, cosine, vectors

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]|\.\d)")
_TICKED = re.compile(r"`+([^`\n]+)`+")
_IDENTIFIER = re.compile(r"\b(?:\w+(?:\.\w+)+|\w*[a-z]_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Invented:
    """What of an aggregate has no source, of how many things looked at."""

    claims: tuple[str, ...]
    numbers: tuple[str, ...]
    code: tuple[str, ...]
    looked_at: int

    @property
    def count(self) -> int:
        """How many things have no source."""
        return len(self.claims) + len(self.numbers) + len(self.code)


def invented(aggregate: str, proposals: Sequence[str], seen: str = "") -> Invented:
    """What is in no proposal; numbers and code may also come from the change that all have `seen`."""
    sources = "\n".join((*proposals, seen))
    claims, numbers, code = _sentences([aggregate]), _numbers(aggregate), _code(aggregate)
    known_numbers = set(_numbers(sources))
    return Invented(
        _without_source(claims, _sentences(proposals)),
        tuple(one for one in numbers if one not in known_numbers),
        tuple(one for one in code if one not in sources),
        len(claims) + len(numbers) + len(code),
    )


def _without_source(claims: Sequence[str], sources: Sequence[str]) -> tuple[str, ...]:
    placed = vectors([*claims, *sources])
    known = placed[len(claims) :]
    return tuple(
        claim
        for claim, vector in zip(claims, placed, strict=False)
        if vector and not any(cosine(vector, other) >= SAME_CLAIM for other in known)
    )


def _sentences(texts: Iterable[str]) -> list[str]:
    pieces = (piece.strip() for text in texts for piece in _SENTENCE.split(text))
    return [piece for piece in pieces if len(_WORD.findall(piece)) > 1]


def _numbers(text: str) -> list[str]:
    return list(dict.fromkeys(_NUMBER.findall(text)))


def _code(text: str) -> list[str]:
    ticked = [piece.strip() for piece in _TICKED.findall(text)]
    loose = _IDENTIFIER.findall(_TICKED.sub(" ", text))
    return list(dict.fromkeys(piece for piece in (*ticked, *loose) if not _NUMBER.fullmatch(piece)))
