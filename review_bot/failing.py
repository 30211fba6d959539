"""Which findings make a review fail. Only confirmed ones can: one voice alone fails nobody's build."""

from __future__ import annotations

from typing import Literal

from review_bot.finding import SEVERITIES, ReportedFinding, Review, Severity


def failing(review: Review, fail_on: Severity | Literal["never"]) -> list[ReportedFinding]:
    """The confirmed findings that are at least as severe as `fail_on`."""
    if fail_on == "never":
        return []
    severe = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return [f for f in review.findings if f.standing == "confirmed" and f.severity in severe]
