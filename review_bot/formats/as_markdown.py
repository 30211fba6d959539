"""The review as GitHub-flavoured Markdown, for job summaries and pull requests.

What must be seen stands open; minority and rejected findings, files not reviewed and the members'
figures are folded. All foreign text goes through `markdown_text`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from review_bot.formats import wording
from review_bot.formats.frame import Frames
from review_bot.formats.markdown_parts import (
    behaviour_parts,
    finding_part,
    folded,
    members_table,
    not_reviewed_list,
    suggested_test_parts,
    unplaced_part,
)
from review_bot.formats.markdown_text import code, words

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

FOLDED = ("minority", "rejected")


def render(outcome: Outcome[Review], change: Change) -> str:
    """The outcome as one document, ended by a newline."""
    review = outcome.result
    frames = Frames(change)
    found = wording.tally(review) if review else "no review"
    parts = [f"### Review of {code(wording.subject(change))}: {found}"]
    if outcome.status == "partial":
        parts.append("**Partial**: not everybody was heard.")
    notes = [*wording.failures(outcome), *wording.remarks(outcome, change)]
    if notes:
        parts.append("\n".join(f"- {words(note)}" for note in notes))
    for standing, findings in wording.by_standing(review.findings if review else ()).items():
        heading = f"{standing.capitalize()} ({len(findings)}): {wording.STANDINGS[standing]}"
        shown = [finding_part(finding, frames) for finding in findings]
        parts += [folded(heading, shown)] if standing in FOLDED else [f"#### {heading}", *shown]
    if review:
        parts += behaviour_parts(review)
        parts += suggested_test_parts(review)
    if review and review.unplaced:
        heading = f"Without a place ({len(review.unplaced)}): {wording.UNPLACED}"
        parts.append(folded(heading, [unplaced_part(finding) for finding in review.unplaced]))
    if change.not_reviewed:
        heading = f"Not reviewed ({len(change.not_reviewed)})"
        parts.append(folded(heading, [not_reviewed_list(change.not_reviewed)]))
    if outcome.members:
        records = "\n".join(f"- {words(record)}" for record in wording.track_records(outcome))
        about = [members_table(outcome.members), *([records] if records else [])]
        parts.append(folded(f"Members ({len(outcome.members)})", about))
        parts.append(words(wording.closing(outcome)))
    return "\n\n".join(parts) + "\n"
