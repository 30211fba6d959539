"""An answer in words, and the words that mean there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Tone = Literal["yes", "no", "partly", "unclear"]

NOT_ENOUGH: Final = "not enough cases"
NOT_MEASURED: Final = "not measured"

#: Width of an interval of shares from which nothing is said about it.
TOO_WIDE: Final = 0.4


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with its answer: `verdict` in a word or three, `headline`, and what it stands on."""

    question: str
    verdict: str
    tone: Tone
    headline: str
    sentences: Sequence[str]
