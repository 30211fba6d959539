"""What `/explain ID` is answered with: a finding in full and in everybody's words, from its run's record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from moa_engine.errors import RecordError
from review_bot.formats import wording
from review_bot.formats.frame import Frames
from review_bot.formats.markdown_parts import finding_part
from review_bot.formats.markdown_text import block, code, words
from review_bot.github.fitting import characters
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import gated, report

if TYPE_CHECKING:
    from moa_engine.record import StoredRun
    from review_bot.finding import ReportedFinding
    from review_bot.github.report import Report
    from review_bot.masking import Mask


def explained(
    finding: str, runs: Iterable[str], recorded: Callable[[str], StoredRun], mask: Mask
) -> str | None:
    """All that is known of the finding with this id, as Markdown that is safe to post.

    `runs` are those that may have found it, the likeliest first, and `recorded` gives them or raises
    `RecordError`. None when it gives none of them.
    """
    for run in runs:
        if found := _recorded(finding, run, recorded, mask):
            return _explanation(*found)
    return None


def _recorded(
    finding: str, run: str, recorded: Callable[[str], StoredRun], mask: Mask
) -> tuple[ReportedFinding, Report] | None:
    from moa_engine.replay import replay
    from review_bot.review_task import ReviewTask

    try:
        stored = recorded(run)
        if stored.id != run or stored.task != ReviewTask.name:
            return None
        made = report(replay(stored, ReviewTask), mask)
    except RecordError:
        return None
    said = made.outcome.result.findings if made.outcome.result else ()
    return next(((one, made) for one in said if one.id == finding), None)


def _explanation(finding: ReportedFinding, made: Report) -> str:
    """The finding; then everybody's own words, as far as a comment can be long."""
    parts = [finding_part(finding, Frames(made.change))]
    parts += [
        f"**In the words of {words(str(said['member']))}** ({words(str(said['severity']))}): "
        f"{words(str(said['title']))}\n\n{block(str(said['body']))}".rstrip()
        for said in finding.merged
    ]
    stances = [
        f"- {words(said['member'])}, {words(said['position'])}: {words(said['why'])}"
        for said in finding.stances
    ]
    if stances:
        parts.append("\n".join(stances))
    parts.append(f"Standing: {finding.standing}, {words(wording.STANDINGS[finding.standing])}")
    end = f"<sub>finding {code(finding.id)} of run {code(made.outcome.run)}</sub>"
    shown: list[str] = []
    space = LONGEST_BODY - 1_000 - characters(end)
    for part in parts:
        text = gated(part, made.mask)
        space -= characters(text) + 2
        if space < 0:
            shown.append(f"The rest is left out for length; {code(f'moa show {made.outcome.run}')} has it.")
            break
        shown.append(text)
    return "\n\n".join([*shown, end])
