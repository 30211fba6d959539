"""What a job shows where it may not write to the pull request: its summary, and annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from moa_engine.printable import one_line, printable
from review_bot.finding import SEVERITIES, ReportedFinding
from review_bot.formats import wording
from review_bot.github.fitting import fitted, utf8_bytes
from review_bot.github.report import cut, whole
from review_bot.github.review_body import (
    behaviour_sections,
    bottom,
    finding_sections,
    heading,
    other_sections,
    told,
)

if TYPE_CHECKING:
    from review_bot.github.report import Report

#: Bytes of a step's summary, by GitHub's limit.
LONGEST_SUMMARY = 1024 * 1024

#: Annotations of one level that GitHub shows of a step.
MOST = 10

#: Characters of an annotation: it is shown in a small box.
_LONGEST = 2_000

_LEVELS = {"critical": "error", "major": "error", "minor": "warning", "nit": "notice"}


def job_summary(report: Report, *, notes: Sequence[str] = (), limit: int = LONGEST_SUMMARY) -> str:
    """The whole review in Markdown, for GITHUB_STEP_SUMMARY, of at most `limit` bytes in UTF-8.

    `notes` stand at its top: why this is not on the pull request.
    """
    findings = report.outcome.result.findings if report.outcome.result else []
    top = [heading(report, findings), *told(report, notes)]
    sections = [
        *finding_sections(report, [(finding, "") for finding in findings], open_confirmed=True),
        *behaviour_sections(report),
        *other_sections(report),
    ]
    return fitted(top, sections, bottom(report), limit - 1, whole(report), utf8_bytes) + "\n"


def workflow_commands(findings: Iterable[ReportedFinding], report: Report) -> list[str]:
    """Workflow commands, one a line, to be printed by the job: at most 10 errors, 10 warnings, 10 notices.

    Confirmed findings, the worst first; what GitHub would not show is counted in the last notice.
    """
    confirmed = [finding for finding in findings if finding.standing == "confirmed"]
    lines: list[str] = []
    used: Counter[str] = Counter()
    left_out = 0
    for finding in sorted(confirmed, key=lambda one: SEVERITIES.index(one.severity)):
        level = _LEVELS[finding.severity]
        if used[level] >= MOST - (level == "notice"):  # one notice is for counting the others
            left_out += 1
            continue
        used[level] += 1
        lines.append(_command(level, finding, report))
    if left_out:
        more = wording.counted(left_out, "more finding")
        lines.append(f"::notice title=review-bot::{more}: the job's summary has all")
    return lines


def _command(level: str, finding: ReportedFinding, report: Report) -> str:
    properties = {"file": printable(report.mask(finding.path))}
    if finding.line is not None and finding.side == "RIGHT":
        properties |= {"line": str(finding.start_line or finding.line), "endLine": str(finding.line)}
    properties["title"] = report.mask(one_line(f"{finding.severity}: {finding.title}"))
    body = cut(report.mask(printable(f"{finding.body}\n{wording.attribution(finding)}".strip())), _LONGEST)
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {named}::{_data(body)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
