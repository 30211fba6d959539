"""One comment on lines of the diff: the finding, what can be committed, who said what, the proof folded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from review_bot.formats import behaviour, wording
from review_bot.formats.frame import Frames
from review_bot.formats.markdown_parts import finding_heading, folded, suggestion_part
from review_bot.formats.markdown_text import block, code, fence, words
from review_bot.github.fitting import bounded, characters
from review_bot.github.marker import read_marker, write_marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.report import gated
from review_bot.github.report import whole as in_full

if TYPE_CHECKING:
    from review_bot.finding import ReportedFinding
    from review_bot.github.marker import Marker
    from review_bot.github.report import Report

#: Pieces of evidence that are listed before "and N more".
_EVIDENCE = 20

#: Characters of a line that says who said what.
_LINE = 8_000

_GONE = "**No longer applies**: "
_SUGGESTION = re.compile(r"^(`{3,})suggestion$", re.MULTILINE)


def comment_body(
    finding: ReportedFinding,
    report: Report,
    marker: Marker,
    *,
    suggestion: str | None = None,
    whole: bool = True,
    limit: int = LONGEST_BODY,
) -> str:
    """A finding in Markdown, begun by its marker, of at most `limit` characters.

    `suggestion` replaces the comment's lines when somebody commits it; None where it cannot, and is shown
    as a diff. `whole` says that the comment's lines are all that the finding is about.
    """
    top = [gated(finding_heading(finding), report.mask)]
    if not whole:
        top.append(
            f"About {gated(code(wording.place(finding)), report.mask)}, of which the diff shows a part."
        )
    bottom = [gated(part, report.mask) for part in _who(finding)]
    middle: list[tuple[str, str]] = []
    if finding.body.strip():
        middle.append(("its text", block(finding.body)))
    if suggestion is not None:
        middle.append(("its suggestion", suggestion_block(suggestion)))
    elif finding.suggestion is not None:
        middle.append(("its suggestion", suggestion_part(finding, Frames(report.change))))
    if evidence := _evidence(finding):
        middle.append(("its evidence", evidence))
    hidden = write_marker(marker)
    said = f"Left out for length. {in_full(report, 'it')} "
    space = limit - characters(hidden) - sum(characters(part) + 2 for part in (*top, *bottom, said)) - 100
    shown, left_out = [], []
    for name, part in middle:
        text = gated(part, report.mask)
        if text != part and name == "its suggestion":
            text = "(A suggestion is left out: it would have shown a secret.)"
        if characters(text) + 2 > space:
            left_out.append(name)
        else:
            space -= characters(text) + 2
            shown.append(text)
    if left_out:
        shown.append(f"{said}Missing: {', '.join(left_out)}.")
    return "\n".join([hidden, "\n\n".join([*top, *shown, *bottom])])


def suggestion_block(text: str) -> str:
    """What GitHub offers to commit in the place of a comment's lines; "" deletes them."""
    body = fence(text.removesuffix("\n"))
    ticks = body.partition("\n")[0]
    return f"{ticks}suggestion\n{ticks}" if not text else f"{ticks}suggestion{body[len(ticks) :]}"


def gone_body(body: str, why: str, report: Report) -> str:
    """The body of an own comment that no longer applies: the same, folded below why, to be committed no more.

    Saying it again changes nothing.
    """
    hidden, _, rest = body.replace("\r\n", "\n").partition("\n")
    if read_marker(hidden) is None or rest.startswith(_GONE):
        return body
    reason = f"{_GONE}{gated(bounded(words, report.mask(why), _LINE), report.mask)}"
    told = f"{hidden}\n{reason}\n\n{folded('What was said', [_SUGGESTION.sub(lambda m: m[1], rest.strip())])}"
    return (
        told
        if characters(told) <= LONGEST_BODY
        else f"{hidden}\n{reason} (what was said is too long to stand below)"
    )


def _who(finding: ReportedFinding) -> list[str]:
    parts = []
    if reason := wording.reason(finding):
        parts.append(f"{finding.standing.capitalize()}: {bounded(words, reason, _LINE)}")
    parts.append(bounded(words, wording.attribution(finding), _LINE))
    parts.append(f"<sub>finding {code(finding.id)}</sub>")
    return parts


def _evidence(finding: ReportedFinding) -> str:
    listed = [f"- {words(wording.evidence(item))}" for item in finding.evidence[:_EVIDENCE]]
    if not listed:
        return ""
    if (more := len(finding.evidence) - _EVIDENCE) > 0:
        listed.append(f"- and {more} more")
    parts = ["\n".join(listed)]
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{fence(test, 'python')}")
    return folded(f"Evidence ({len(finding.evidence)})", parts)
