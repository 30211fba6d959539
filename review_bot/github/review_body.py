"""The body of a review: everything that is no comment on a line, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from review_bot.finding import SEVERITIES, ReportedFinding
from review_bot.formats import wording
from review_bot.formats.frame import Frames
from review_bot.formats.markdown_parts import (
    behaviour_parts,
    finding_heading,
    finding_part,
    members_table,
    not_reviewed_list,
    suggested_test_parts,
    unplaced_part,
)
from review_bot.formats.markdown_text import code, words
from review_bot.github.fitting import Part, Section, bounded, characters, fitted
from review_bot.github.marker import write_marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import gated, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from review_bot.github.marker import Marker
    from review_bot.github.placement import Placement
    from review_bot.github.report import Report

#: Characters of the sentences at the top of a text, and of each of them.
_NOTES, _NOTE = 8_000, 1_000

#: Files in one part of the list of those that were not reviewed.
_FILES = 10


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
    findings = [*placement.findings, *(finding for finding, _ in placement.in_body)]
    top = [heading(report, findings), *told(report, notes)]
    if placement.inline:
        top.append(f"{wording.counted(len(placement.inline), 'comment')} on lines of the diff.")
    sections = [
        *behaviour_sections(report),
        *finding_sections(report, placement.in_body),
        *other_sections(report),
    ]
    hidden = write_marker(marker)
    text = fitted(top, sections, bottom(report), limit - characters(hidden) - 1, whole(report))
    return f"{hidden}\n{text}"


def heading(report: Report, findings: Sequence[ReportedFinding]) -> str:
    """ "### Review of 1a2b3c..4d5e6f: 2 confirmed, 1 minority"."""
    groups = wording.by_standing(findings)
    unplaced = report.outcome.result.unplaced if report.outcome.result else []
    counts = [f"{len(found)} {standing}" for standing, found in groups.items()]
    counts += [f"{len(unplaced)} without a place"] if unplaced else []
    found = (", ".join(counts) or "no findings") if report.outcome.result else "no review"
    return f"### Review of {gated(code(wording.subject(report.change)), report.mask)}: {found}"


def told(report: Report, notes: Sequence[str]) -> list[str]:
    """What has to be known besides the findings, as a list."""
    outcome = report.outcome
    sentences = [*notes, *wording.failures(outcome), *wording.remarks(outcome, report.change)]
    listed: list[str] = []
    for sentence in sentences:
        line = f"- {gated(bounded(words, report.mask(sentence), _NOTE), report.mask)}"
        if sum(map(characters, listed)) + characters(line) > _NOTES:
            listed.append(f"- and {len(sentences) - len(listed)} more such notes")
            break
        listed.append(line)
    partly = ["**Partial**: not everybody was heard."] if outcome.status == "partial" else []
    return [*partly, "\n".join(listed)] if listed else partly


def behaviour_sections(report: Report) -> Iterator[Section]:
    """What this change does: one table."""
    if report.outcome.result:
        title, *parts = behaviour_parts(report.outcome.result) or [""]
        yield Section(title, gated_parts(report, parts), folded=False)


def finding_sections(
    report: Report, findings: Sequence[tuple[ReportedFinding, str]], *, open_confirmed: bool = False
) -> Iterator[Section]:
    """The findings by standing, each with why it is no comment on a line."""
    frames = Frames(report.change)
    why = {finding.id: text for finding, text in findings}
    for standing, found in wording.by_standing(finding for finding, _ in findings).items():
        title = f"{standing.capitalize()} ({len(found)}): {wording.STANDINGS[standing]}"
        is_open = open_confirmed and standing == "confirmed"
        parts = [_finding(report, finding, frames, why[finding.id]) for finding in found]
        yield Section(f"#### {title}" if is_open else title, parts, folded=not is_open)


def other_sections(report: Report) -> Iterator[Section]:
    """Findings without a place, suggested tests, files not reviewed, the members' figures."""
    review, change = report.outcome.result, report.change
    if review:
        unplaced = sorted(review.unplaced, key=lambda one: SEVERITIES.index(one.severity))
        yield Section(
            f"Without a place ({len(unplaced)}): {wording.UNPLACED}",
            [Part(gated(unplaced_part(one), report.mask)) for one in unplaced],
        )
        title, *parts = list(suggested_test_parts(review)) or [""]
        yield Section(title.removeprefix("#### "), gated_parts(report, parts))
    files = change.not_reviewed
    yield Section(
        f"Not reviewed ({len(files)})",
        gated_parts(
            report, [not_reviewed_list(files[at : at + _FILES]) for at in range(0, len(files), _FILES)]
        ),
    )
    members = report.outcome.members
    yield Section(
        f"Members ({len(members)})", gated_parts(report, [members_table(members)] if members else [])
    )


def bottom(report: Report) -> list[str]:
    """Members, calls, cost, time and run, in a line."""
    return [gated(bounded(words, wording.closing(report.outcome), 4 * _NOTE), report.mask)]


def gated_parts(report: Report, parts: Sequence[str]) -> list[Part]:
    """Finished pieces of Markdown, each without secrets."""
    return [Part(gated(part, report.mask)) for part in parts]


def _finding(report: Report, finding: ReportedFinding, frames: Frames, why: str) -> Part:
    gate: Callable[[str], str] = lambda text: gated(text, report.mask)  # noqa: E731
    named = f"<sub>finding {code(finding.id)}{f'; no comment on a line: {why}' if why else ''}</sub>"
    short = f"{finding_heading(finding)}<br>\n{code(wording.place(finding))}"
    return Part(f"{gate(finding_part(finding, frames))}\n\n{named}", f"{gate(short)}\n\n{named}")
