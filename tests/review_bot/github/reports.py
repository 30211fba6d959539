"""Reports to be posted, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moa_engine.redaction import Redactor
from review_bot.change import Change
from review_bot.finding import ReportedFinding, Review
from review_bot.github.marker import Marker
from review_bot.github.report import Report, report
from tests.review_bot.github.hostile import SECRETS
from tests.review_bot.review_outcomes import CHANGE, HEAD, outcome

RUN = "20260801-101112-abc123"


def masking() -> Callable[[str], str]:
    """A run's mask that knows the token it posts with."""
    redactor = Redactor()
    redactor.learn(SECRETS[-1])
    return redactor.mask


def report_of(findings: list[ReportedFinding], change: Change = CHANGE, **fields: Any) -> Report:
    """The report of a review with these findings; `fields` are the outcome's, or of its `Review`."""
    of_review = {name: fields.pop(name) for name in list(fields) if name in Review.model_fields}
    done = outcome(findings, change, **fields)
    if of_review:
        done = outcome(findings, change, result=Review(findings=findings, **of_review), **fields)
    return report(done, masking())


def marked(finding: ReportedFinding) -> Marker:
    return Marker("finding", RUN, HEAD, (finding.id,))
