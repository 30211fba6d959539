"""A review as a check run with annotations, and as SARIF for code scanning.

A check run takes 50 annotations a request, each at a line of head; what a request adds is appended to what
the check run has. It is concluded when it is created, and later requests only bring more annotations: whoever
is killed in between leaves a check that says how the review went, and never one that waits for ever.

Annotations are plain text. Only confirmed findings are loud, as in SARIF; rejected ones are left out.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from moa_engine.printable import one_line, printable
from review_bot.failing import failing
from review_bot.finding import ReportedFinding, Severity
from review_bot.formats import behaviour, markdown_text, wording
from review_bot.formats.well_formed import well_formed
from review_bot.github.model import LONGEST_CHECK_TEXT, MOST_ANNOTATIONS, Annotation, CheckRun

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review
    from review_bot.github.report import Report

NAME = "pytest-moa review"

#: Annotations of one check run. Each further request counts towards the limit on writing.
MOST = 250
#: Characters of an annotation's title, and bytes of its message.
TITLE_LIMIT, MESSAGE_LIMIT = 255, 65_536
#: Bytes of a SARIF file that code scanning takes, compressed.
SARIF_LIMIT = 10_000_000

_LEVELS: dict[Severity, Literal["notice", "warning", "failure"]] = {
    "critical": "failure",
    "major": "failure",
    "minor": "warning",
    "nit": "notice",
}


def check_runs(report: Report, *, fail_on: Severity | Literal["never"]) -> tuple[CheckRun, ...]:
    """What the check run of this review shows: first what it is created with, then what is added to it."""
    annotations = tuple(_annotations(report))
    shown = annotations[:MOST]
    summary = _summary(report, left_out=len(annotations) - len(shown))
    batches = [shown[at : at + MOST_ANNOTATIONS] for at in range(0, len(shown), MOST_ANNOTATIONS)] or [()]
    concluded = conclusion(report.outcome, fail_on)
    return tuple(
        CheckRun(_title(report.outcome), summary, conclusion=concluded, annotations=batch)
        for batch in batches
    )


def conclusion(
    outcome: Outcome[Review], fail_on: Severity | Literal["never"]
) -> Literal["success", "neutral", "failure"]:
    """ "failure" is for `fail_on` alone: who asked for a review that only informs never gets one.

    Without a review, or with half of one, nothing was found to be in order: that is no success.
    """
    if outcome.result is None:
        return "neutral" if fail_on == "never" else "failure"
    if failing(outcome.result, fail_on):
        return "failure"
    confirmed = any(finding.standing == "confirmed" for finding in outcome.result.findings)
    return "neutral" if confirmed or outcome.status == "partial" else "success"


def fits_code_scanning(sarif: str) -> bool:
    """Whether code scanning takes a SARIF log of this size, which counts once it is compressed."""
    return len(gzip.compress(sarif.encode())) <= SARIF_LIMIT


def _title(outcome: Outcome[Review]) -> str:
    if outcome.result is None:
        return "No review"
    tally = wording.tally(outcome.result)
    return f"{tally}; the review is partial" if outcome.status == "partial" else tally


def _summary(report: Report, *, left_out: int) -> str:
    """Markdown: how the run went. What it found stands in the annotations and in the review itself."""
    outcome, change = report.outcome, report.change
    lines = [f"Review of {wording.subject(change)}: {_title(outcome)}."]
    if left_out:
        lines.append(f"Only in the review: {wording.counted(left_out, 'more finding')}.")
    lines += wording.failures(outcome)
    lines += wording.remarks(outcome, change)
    lines.append(wording.closing(outcome))
    summary = ""
    for line in lines:
        longer = f"{summary}\n\n{markdown_text.words(report.mask(line))}".lstrip()
        if len(longer) <= LONGEST_CHECK_TEXT:
            summary = longer
    return summary


def _annotations(report: Report) -> Iterator[Annotation]:
    """One for each finding that is not rejected, by standing and then the worst first."""
    outcome, change = report.outcome, report.change
    groups = wording.by_standing(outcome.result.findings) if outcome.result else {}
    for standing, found in groups.items():
        for finding in found if standing != "rejected" else ():
            first, last = _lines_at_head(finding, change)
            title = one_line(report.mask(f"{finding.severity} [{wording.kind(finding)}]: {finding.title}"))
            yield Annotation(
                well_formed(_path_at_head(finding, change)),
                first,
                last,
                _LEVELS[finding.severity] if standing == "confirmed" else "notice",
                _shortened(title, TITLE_LIMIT),
                _cut_bytes(printable(report.mask(_message(finding))), MESSAGE_LIMIT),
            )


def _message(finding: ReportedFinding) -> str:
    parts = [finding.body.strip(), f"{finding.standing}: {wording.attribution(finding)}"]
    if finding.side == "LEFT":
        parts.insert(0, f"At {wording.place(finding)}.")
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{test}")
    return "\n\n".join(part for part in parts if part)


def _path_at_head(finding: ReportedFinding, change: Change) -> str:
    """A finding on the left may name a renamed file as it was called before."""
    if finding.side == "LEFT" and change.file(finding.path) is None:
        return next((file.path for file in change.files if file.old_path == finding.path), finding.path)
    return finding.path


def _lines_at_head(finding: ReportedFinding, change: Change) -> tuple[int, int]:
    """First and last line. What was removed is shown where it would stand; a whole file at its first line."""
    if finding.line is None:
        return 1, 1
    if finding.side == "RIGHT":
        return finding.start_line or finding.line, finding.line
    file = change.file(_path_at_head(finding, change))
    for hunk in file.hunks if file else ():
        before = max(hunk.new_start, 1)  #: the last line at head that was passed on the way
        for line in hunk.lines():
            if line.old == finding.line:
                at = line.new or before
                return at, at
            before = line.new or before
    return 1, 1


def _shortened(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _cut_bytes(text: str, limit: int) -> str:
    """Cut so that it fits as UTF-8."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= limit:
        return text
    return whole[: limit - 3].decode("utf-8", "ignore") + "…"
