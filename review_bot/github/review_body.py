"""The body of a review: everything that is no comment on a line, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

from review_bot.github.marker import Marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.placement import Placement
from review_bot.github.report import Report


def review_body(
    report: Report,
    placement: Placement,
    marker: Marker,
    *,
    notes: Sequence[str] = (),
    limit: int = LONGEST_BODY,
) -> str:
    """The review in Markdown, begun by its marker, of at most `limit` characters.

    `notes` are sentences for people that stand at its top ("The head moved while this was written").
    """
    raise NotImplementedError
