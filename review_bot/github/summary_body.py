"""The one comment that is edited after each push: what stands, what is new, what is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from review_bot.finding import ReportedFinding
from review_bot.github.marker import Marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import Report

State = Literal["new", "open", "gone", "dismissed", "answered"]


@dataclass(frozen=True, slots=True)
class Row:
    """One finding of the summary. `finding` is None where only its id is still known."""

    id: str
    state: State
    finding: ReportedFinding | None = None


def summary_body(
    report: Report,
    rows: Sequence[Row],
    marker: Marker,
    *,
    notes: Sequence[str] = (),
    limit: int = LONGEST_BODY,
) -> str:
    """The summary in Markdown, begun by its marker, of at most `limit` characters."""
    raise NotImplementedError
