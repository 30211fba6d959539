"""The one comment that is edited after each push: what stands, what is new, what is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from review_bot.finding import SEVERITIES, ReportedFinding
from review_bot.formats import wording
from review_bot.formats.markdown_text import cell, code, words
from review_bot.github.fitting import Part, Section, bounded, characters, fitted
from review_bot.github.marker import write_marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import gated, whole
from review_bot.github.review_body import behaviour_sections, bottom, finding_sections, other_sections, told

if TYPE_CHECKING:
    from review_bot.github.marker import Marker
    from review_bot.github.report import Report

State = Literal["new", "open", "gone", "dismissed", "answered"]

#: Characters that the marker may grow by afterwards, when findings are dismissed.
ROOM = 1_000

#: Rows of one table; a part of the text that can be left out.
_ROWS = 20

#: Characters of a place in a cell, which the name of a file can make long.
_PLACE = 300


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
    limit: int = LONGEST_BODY - ROOM,
) -> str:
    """The summary in Markdown, begun by its marker, of at most `limit` characters.

    What an aggregator rejected stands here, with its reason: it is no news, and must not vanish either.
    """
    states = Counter(row.state for row in rows)
    counts = ", ".join(f"{states[state]} {state}" for state in get_args(State) if states[state])
    findings = report.outcome.result.findings if report.outcome.result else []
    rejected = [finding for finding in findings if finding.standing == "rejected"]
    head = gated(code(wording.subject(report.change)), report.mask)
    top = [f"### Review of {head}: {counts or 'no findings'}", *told(report, notes)]
    sections = [
        Section("#### Findings", [Part(table) for table in _tables(report, rows)], folded=False),
        *behaviour_sections(report),
        *finding_sections(report, [(finding, "") for finding in rejected]),
        *other_sections(report),
    ]
    hidden = write_marker(marker)
    text = fitted(top, sections, bottom(report), limit - characters(hidden) - 1, whole(report))
    return f"{hidden}\n{text}"


def _tables(report: Report, rows: Sequence[Row]) -> list[str]:
    """The rows, those that need attention first, some in each table."""
    order = {state: number for number, state in enumerate(get_args(State))}

    def rank(row: Row) -> tuple[int, int]:
        return order[row.state], SEVERITIES.index(row.finding.severity) if row.finding else len(SEVERITIES)

    lines = [_line(report, row) for row in sorted(rows, key=rank)]
    head = "| state | severity | finding | place | id |\n| --- | --- | --- | --- | --- |"
    return ["\n".join([head, *lines[at : at + _ROWS]]) for at in range(0, len(lines), _ROWS)]


def _line(report: Report, row: Row) -> str:
    finding = row.finding
    shown = ["", "", ""]
    if finding:
        title = cell(bounded(words, report.mask(finding.title), _PLACE))
        shown = [finding.severity, title, cell(bounded(code, wording.place(finding), _PLACE))]
    return gated(f"| {' | '.join([row.state, *shown, cell(code(row.id))])} |", report.mask)
