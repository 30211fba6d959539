"""The parts that a review in Markdown is made of: a finding, the table of behaviour, folded sections.

Each is complete in itself, and all foreign text in it went through `markdown_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from review_bot.formats import behaviour, suggested_tests, wording
from review_bot.formats.markdown_text import block, cell, code, fence, words

if TYPE_CHECKING:
    from moa_engine.outcome import MemberReport
    from review_bot.change import NotReviewed
    from review_bot.finding import ReportedFinding, Review, UnplacedFinding
    from review_bot.formats.frame import FrameLine, Frames

#: Files that are listed with why they were not reviewed, before "and N more".
LISTED = 100


def finding_heading(finding: ReportedFinding | UnplacedFinding) -> str:
    """Severity, kind and title, on one line."""
    return f"**{finding.severity}** {code(wording.kind(finding))} **{words(finding.title)}**"


def finding_part(finding: ReportedFinding, frames: Frames) -> str:
    """A finding with its place, its lines and who said what of it."""
    parts = [f"{finding_heading(finding)}<br>\n{code(wording.place(finding))}"]
    lines = frames.frame(finding)
    if lines:
        parts.append(fence(_framed(lines), "diff"))
    if finding.body.strip():
        parts.append(block(finding.body))
    if finding.suggestion is not None:
        parts.append(suggestion_part(finding, frames))
    if finding.evidence:
        parts.append("\n".join(f"- evidence: {words(wording.evidence(item))}" for item in finding.evidence))
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{fence(test, 'python')}")
    if reason := wording.reason(finding):
        parts.append(f"{finding.standing.capitalize()}: {words(reason)}")
    parts.append(words(wording.attribution(finding)))
    return "\n\n".join(parts)


def suggestion_part(finding: ReportedFinding, frames: Frames) -> str:
    """The suggestion as a diff, which nobody can commit."""
    diff = "\n".join(f"{mark} {line}" for mark, line in frames.suggested(finding))
    return f"Suggestion:\n\n{fence(diff, 'diff')}"


def behaviour_parts(review: Review) -> list[str]:
    """One table of what behaves differently, the intended included."""
    proof = review.proof
    if not review.behaviour and not (proof and proof.searched):
        return []
    parts = [f"#### {behaviour.HEADING}"]
    if proof:
        parts.append(words(behaviour.summary(proof, review.behaviour)))
    if review.behaviour:
        parts.append("\n".join(_rows(review)))
    if proof and (left := behaviour.unsearched(proof)):
        parts.append(words(f"Not compared: {', '.join(left)}"))
    return parts


def _rows(review: Review) -> Iterator[str]:
    yield f"| {' | '.join(behaviour.COLUMNS)} |"
    yield "| --- | --- | --- | --- |"
    for report in review.behaviour:
        row = behaviour.row(report)
        said = "; ".join([row.judgement, *behaviour.opinions(report)])
        shown = [cell(code(text)) for text in (row.input, row.before, row.after)]
        yield f"| {' | '.join([*shown, cell(words(said))])} |"


def suggested_test_parts(review: Review) -> Iterator[str]:
    """Each with its facts, then all of them as a patch."""
    tests = review.suggested.tests
    if not tests:
        return
    yield f"#### {suggested_tests.HEADING} ({len(tests)}): {suggested_tests.ABOUT}"
    for test in tests:
        yield f"**{words(test.says)}**<br>\n{code(suggested_tests.place(test))}"
        yield fence(test.test.strip("\n"), "python")
        yield words(suggested_tests.facts(test))
    patch = fence(review.suggested.patch.strip("\n"), "diff")
    yield folded("All of them as a patch, for <code>git apply</code>", [patch])


def unplaced_part(finding: UnplacedFinding) -> str:
    """A finding about no file of the change."""
    parts = [finding_heading(finding)]
    if finding.body.strip():
        parts.append(block(finding.body))
    parts.append(words(wording.author(finding)))
    return "\n\n".join(parts)


def _framed(lines: Sequence[FrameLine]) -> str:
    """The lines with their mark in the first column, where it gives them their colour."""
    digits = max((len(str(line.number)) for line in lines if line.number), default=1)
    return "\n".join(
        f"{line.mark}{'>' if line.hit else ' '} {line.number or '':>{digits}} | {line.text}" for line in lines
    )


def folded(heading: str, parts: Iterable[str]) -> str:
    """A closed section; the empty lines make GitHub read its content as Markdown."""
    content = "\n\n".join(parts)
    return f"<details>\n<summary>{heading}</summary>\n\n{content}\n\n</details>"


def not_reviewed_list(files: Sequence[NotReviewed]) -> str:
    """The files with why nobody looked at them, as far as a list can be long."""
    listed = [f"- {code(file.path)}: {words(file.why)}" for file in files[:LISTED]]
    if len(files) > LISTED:
        listed.append(f"- and {len(files) - LISTED} more")
    return "\n".join(listed)


def members_table(members: Sequence[MemberReport]) -> str:
    """What each member did at what cost."""
    rows = [
        "| member | model | role | calls | cached | failed | tokens in | tokens out | cost | seconds |",
        "| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for member in members:
        cells = [
            cell(words(member.name)),
            cell(code(member.model)),
            ", ".join(member.role),
            *map(str, (member.calls, member.cached, member.failed, member.tokens_in, member.tokens_out)),
            wording.money(member.cost_usd).replace("$", r"\$"),
            f"{member.seconds:.1f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
