"""Which findings become comments on lines of the diff, and where: only what GitHub is known to accept.

GitHub refuses a whole review for one comment that it does not like, and does not say which. It takes a line
that the pull request's diff shows, added or unchanged on the right, removed on the left; lines of one
comment stand in one hunk, the first before the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from review_bot.finding import SEVERITIES, ReportedFinding
from review_bot.github.comment_body import comment_body
from review_bot.github.committable import committable
from review_bot.github.model import InlineComment
from review_bot.github.report import clean

if TYPE_CHECKING:
    from review_bot.change import Change, ChangedFile, DiffLine, Side
    from review_bot.github.marker import Marker
    from review_bot.github.report import Report

#: Comments on lines in one review.
LIMIT = 30

NO_FILE = "the diff does not show its file"
NO_NAME = "the name of its file is no text"
WHOLE_FILE = "it is about the whole file"
NOT_SHOWN = "the diff does not show its lines"
REFUSED = "GitHub refused comments on lines"


@dataclass(frozen=True, slots=True)
class Placement:
    """Comments on lines, the worst first, and the other findings, each with why it is no comment.

    `findings` are those of the comments, in the same order.
    """

    inline: tuple[InlineComment, ...] = ()
    in_body: tuple[tuple[ReportedFinding, str], ...] = ()
    findings: tuple[ReportedFinding, ...] = ()

    def halved(self) -> Placement:
        """With the riskier half of the comments (all of one) in the body: after GitHub refused a review.

        A comment that needs less of GitHub (one line, on the right) is less of a risk. Halving ends with a
        review without comments on lines, which GitHub has no reason to refuse.
        """
        pairs = list(zip(self.inline, self.findings, strict=True))
        order = sorted(range(len(pairs)), key=lambda at: (_risk(pairs[at][0]), at))
        kept = set(order[: len(pairs) // 2])
        return Placement(
            tuple(comment for at, (comment, _) in enumerate(pairs) if at in kept),
            (
                *((finding, REFUSED) for at, (_, finding) in enumerate(pairs) if at not in kept),
                *self.in_body,
            ),
            tuple(finding for at, (_, finding) in enumerate(pairs) if at in kept),
        )


class Spot(NamedTuple):
    """Lines of the diff, all in one hunk; `whole` if these are all that the finding is about."""

    file: ChangedFile
    side: Side
    start: int
    line: int
    whole: bool
    texts: tuple[str, ...]  #: of the lines


def placed(
    findings: Iterable[ReportedFinding],
    report: Report,
    marked: Callable[[ReportedFinding], Marker],
    limit: int = LIMIT,
) -> Placement:
    """The confirmed findings that have a place in the change's hunks as comments, the worst first.

    `findings` are those to tell now, `marked` gives each comment its marker (kind "finding"). The
    findings come out as they are in `report`: masked and of bearable length.
    """
    ready = {one.id: one for one in report.outcome.result.findings} if report.outcome.result else {}
    known = [ready.get(finding.id) or clean(finding, report.mask) for finding in findings]
    inline: list[tuple[InlineComment, ReportedFinding]] = []
    in_body: list[tuple[ReportedFinding, str]] = []
    for finding in sorted(known, key=lambda one: SEVERITIES.index(one.severity)):
        spot = spot_of(finding, report.change)
        if finding.standing != "confirmed":
            in_body.append((finding, ""))
        elif isinstance(spot, str):
            in_body.append((finding, spot))
        elif len(inline) >= limit:
            in_body.append((finding, f"{limit} comments on lines are enough for one review"))
        else:
            inline.append((_comment(finding, spot, report, marked(finding)), finding))
    return Placement(
        tuple(comment for comment, _ in inline), tuple(in_body), tuple(finding for _, finding in inline)
    )


def spot_of(finding: ReportedFinding, change: Change) -> Spot | str:
    """Where in the diff a finding is, else why it is nowhere."""
    file = change.file(finding.path) or next(
        (file for file in change.files if file.old_path == finding.path and finding.side == "LEFT"), None
    )
    if file is None or not file.hunks:
        return NO_FILE
    if not _is_text(file.path):
        return NO_NAME
    if finding.line is None:
        return WHOLE_FILE
    first, last = finding.start_line or finding.line, finding.line
    best: Spot | None = None
    for hunk in file.hunks:
        found = _in_hunk(file, list(hunk.lines()), finding.side, first, last)
        # The hunk that shows most of the lines.
        if found and (best is None or len(found.texts) > len(best.texts)):
            best = found
    return best or NOT_SHOWN


def _in_hunk(file: ChangedFile, lines: list[DiffLine], side: Side, first: int, last: int) -> Spot | None:
    """The lines of `first` to `last` that this hunk shows; on the left, from removed line to removed line."""
    if side == "RIGHT":
        shown = {line.new: line for line in lines if line.new is not None and first <= line.new <= last}
    elif file.status == "copied":  # GitHub shows a copy as a new file, which has no left side
        return None
    else:
        shown = {line.old: line for line in lines if line.old is not None and first <= line.old <= last}
        removed = [number for number, line in shown.items() if line.mark == "-"]
        shown = {n: line for n, line in shown.items() if removed and removed[0] <= n <= removed[-1]}
    if not shown:
        return None
    start, end = min(shown), max(shown)
    texts = tuple(line.text for line in shown.values())
    return Spot(file, side, start, end, (start, end) == (first, last), texts)


def _comment(finding: ReportedFinding, spot: Spot, report: Report, marker: Marker) -> InlineComment:
    suggestion = finding.suggestion
    if suggestion is not None and not (
        spot.whole
        and spot.side == "RIGHT"
        and committable(suggestion, spot.file, spot.start, spot.line, spot.texts)
    ):
        suggestion = None
    return InlineComment(
        path=spot.file.path,
        side=spot.side,
        line=spot.line,
        start_line=spot.start if spot.start < spot.line else None,
        body=comment_body(finding, report, marker, suggestion=suggestion, whole=spot.whole),
        finding_id=finding.id,
    )


def _is_text(path: str) -> bool:
    """Whether a name that git knows can be said in JSON: names are bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _risk(comment: InlineComment) -> tuple[bool, bool, bool]:
    return comment.side == "LEFT", comment.start_line is not None, not comment.path.isascii()
