"""Which findings become comments on lines of the diff, and where: only what GitHub is known to accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from review_bot.finding import ReportedFinding
from review_bot.github.marker import Marker
from review_bot.github.model import InlineComment
from review_bot.github.report import Report

#: Comments on lines in one review.
LIMIT = 30


@dataclass(frozen=True, slots=True)
class Placement:
    """Comments on lines, the most certain first, and the other findings, each with why it is no comment."""

    inline: tuple[InlineComment, ...] = ()
    in_body: tuple[tuple[ReportedFinding, str], ...] = ()

    def halved(self) -> Placement:
        """With the riskier half of the comments (all of one) in the body: after GitHub refused a review.

        A comment that needs less of GitHub (one line, on the right, added) is less of a risk. Halving ends
        with a review without comments on lines, which GitHub has no reason to refuse.
        """
        raise NotImplementedError


def placed(
    findings: Iterable[ReportedFinding],
    report: Report,
    marked: Callable[[ReportedFinding], Marker],
    limit: int = LIMIT,
) -> Placement:
    """The confirmed findings that have a place in the change's hunks as comments, the worst first.

    `findings` are those to tell now, `marked` gives each comment its marker (kind "finding").
    """
    raise NotImplementedError
