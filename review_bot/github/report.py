"""A review's outcome made ready for being posted: without secrets, and without texts that fill a page.

What members wrote is masked before it becomes Markdown, since escapes could split a secret that a reader
would still see whole. The finished text is masked once more (`gated`): what is put together from two
harmless pieces, or stands in the name of a file, must not get out either.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel

from moa_engine.printable import one_line
from review_bot.change import NotReviewed
from review_bot.finding import ReportedFinding
from review_bot.masking import Mask

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review
    from review_bot.review_task import ReviewTask

#: Characters of one text by a member; what is beyond is in the record.
LONGEST = 8_000

#: What names something, or is one of a few words: it stays what it is.
_NAMES = frozenset({"id", "items", "side", "severity", "standing", "judgement", "position"})
#: Characters of what is said in a line.
_LINES = {
    "title": 300, "category": 60, "rule": 60, "kind": 60, "reason": 2_000, "why": 1_000,
    "input": 600, "text": 1_500, "stdout": 600, "arguments": 600,
}  # fmt: skip
#: What is of use as a whole only.
_WHOLE = frozenset({"suggestion", "test", "patch", "edits"})

_MASKED = re.compile(r"<(masked:[a-z0-9-]+:[0-9a-f]{8})>")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
#: What Markdown and HTML are made of. Masking must not have taken any of it.
_STRUCTURE = "`|~<>\n"

#: How the JSON of a finding is told from that of anything else with a path.
_FINDING = frozenset(ReportedFinding.model_fields)

SaidT = TypeVar("SaidT", bound=BaseModel)

WITHHELD = "(left out: it would have shown a secret)"


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be posted: made by `report`. `mask` is asked once more about every finished text."""

    outcome: Outcome[Review]
    change: Change
    mask: Mask


def report(outcome: Outcome[Review], mask: Mask) -> Report:
    """The outcome of a `ReviewTask` without secrets, and without texts that would fill a page.

    `mask` is the run's `Redactor.mask`; teach it GitHub's token and all keys (`learn`) before.
    """
    change = cast("ReviewTask", outcome.task).change

    def short(text: str) -> str:
        return cut(one_line(mask(text)), 500)

    cleaned = replace(
        outcome,
        result=outcome.result and clean(outcome.result, mask),
        members=tuple(
            replace(member, model=short(member.model), errors=tuple(map(short, member.errors[:5])))
            for member in outcome.members
        ),
        warnings=tuple(map(short, outcome.warnings)),
    )
    not_reviewed = tuple(NotReviewed(mask(file.path), mask(file.why)) for file in change.not_reviewed)
    return Report(cleaned, replace(change, not_reviewed=not_reviewed), mask)


def clean(said: SaidT, mask: Mask) -> SaidT:
    """A review or a finding with every text that somebody wrote masked, and none longer than `LONGEST`.

    Findings keep the names of their files, by which these are found; `gated` sees to those.
    """
    return said.model_validate(_mapped(said.model_dump(mode="json"), mask))


def whole(report: Report, what: str = "the whole review") -> str:
    """Where all of it can be read; "" where nothing was recorded."""
    run = report.outcome.run
    return f"`moa replay {run} --format markdown` shows {what}." if run else ""


def cut(text: str, longest: int = LONGEST) -> str:
    """The text up to the end of a paragraph, line or word before `longest`, with how much was left out."""
    if len(text) <= longest:
        return text
    kept = text[:longest]
    for end in ("\n\n", "\n", " "):
        if (at := kept.rfind(end)) > longest // 2:
            kept = kept[:at]
            break
    return f"{kept.rstrip()} … ({len(text) - len(kept.rstrip()):,} more characters)"


def gated(text: str, mask: Mask) -> str:
    """Finished Markdown without secrets: masked where that leaves its structure, else left out whole."""
    masked = mask(text)
    if masked == text:
        read = html.unescape(_ESCAPE.sub(r"\1", text))  # as readers see it
        return text if mask(read) == read else WITHHELD
    # As it is written, a mask would be a link outside of code.
    shown = _MASKED.sub(r"{\1}", masked)
    before = _MASKED.sub(r"{\1}", text)
    if all(shown.count(mark) == before.count(mark) for mark in _STRUCTURE):
        return shown
    return WITHHELD


def _mapped(value: Any, change: Callable[[str], str], key: str = "") -> Any:
    if key in _NAMES:
        return value
    if isinstance(value, str):
        return change(value) if key in _WHOLE else cut(change(value), _LINES.get(key, LONGEST))
    if isinstance(value, dict):
        kept = {"path": value["path"]} if value.keys() >= _FINDING else {}
        mapped = {name: _mapped(item, change, key if key in _WHOLE else name) for name, item in value.items()}
        return mapped | kept
    if isinstance(value, list):
        return [_mapped(item, change, key) for item in value]
    return value
