"""One comment on lines of the diff."""

from __future__ import annotations

from review_bot.finding import ReportedFinding
from review_bot.github.marker import Marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import Report


def comment_body(
    finding: ReportedFinding,
    report: Report,
    marker: Marker,
    *,
    suggestion: str | None = None,
    limit: int = LONGEST_BODY,
) -> str:
    """A finding in Markdown, begun by its marker, of at most `limit` characters.

    `suggestion` replaces the comment's lines when somebody commits it; None where it cannot.
    """
    raise NotImplementedError


def gone_body(body: str, why: str, report: Report) -> str:
    """The body of an own comment that no longer applies: the same, folded below why."""
    raise NotImplementedError
