"""What a job shows where it may not write to the pull request: its summary, and annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from review_bot.finding import ReportedFinding
from review_bot.github.report import Report

#: Bytes of a step's summary, by GitHub's limit.
LONGEST_SUMMARY = 1024 * 1024


def job_summary(report: Report, *, notes: Sequence[str] = (), limit: int = LONGEST_SUMMARY) -> str:
    """The whole review in Markdown, for GITHUB_STEP_SUMMARY, of at most `limit` bytes in UTF-8.

    `notes` stand at its top: why this is not on the pull request.
    """
    raise NotImplementedError


def annotations(findings: Iterable[ReportedFinding], report: Report) -> list[str]:
    """Workflow commands, one a line, to be printed by the job: at most 10 errors, 10 warnings, 10 notices.

    Confirmed findings, the worst first; what GitHub would not show is counted in the last notice.
    """
    raise NotImplementedError
