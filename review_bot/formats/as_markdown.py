"""The review as GitHub-flavoured Markdown, for job summaries and pull requests.

What must be seen stands open; minority and rejected findings, files not reviewed and the members'
figures are folded. All foreign text goes through `markdown_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from review_bot.finding import ReportedFinding, UnplacedFinding
from review_bot.formats import behaviour, suggested_tests, wording
from review_bot.formats.frame import FrameLine, Frames
from review_bot.formats.markdown_text import block, cell, code, fence, words

if TYPE_CHECKING:
    from moa_engine.outcome import MemberReport, Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

#: Files that are listed with why they were not reviewed, before "and N more".
LISTED = 100

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
        shown = [_finding(finding, frames) for finding in findings]
        parts += [_folded(heading, shown)] if standing in FOLDED else [f"#### {heading}", *shown]
    if review:
        parts += _behaviour(review)
        parts += _suggested_tests(review)
    if review and review.unplaced:
        heading = f"Without a place ({len(review.unplaced)}): {wording.UNPLACED}"
        parts.append(_folded(heading, [_unplaced(finding) for finding in review.unplaced]))
    if change.not_reviewed:
        listed = [f"- {code(file.path)}: {words(file.why)}" for file in change.not_reviewed[:LISTED]]
        if len(change.not_reviewed) > LISTED:
            listed.append(f"- and {len(change.not_reviewed) - LISTED} more")
        parts.append(_folded(f"Not reviewed ({len(change.not_reviewed)})", ["\n".join(listed)]))
    if outcome.members:
        parts.append(_folded(f"Members ({len(outcome.members)})", [_table(outcome.members)]))
        parts.append(words(wording.closing(outcome)))
    return "\n\n".join(parts) + "\n"


def _finding(finding: ReportedFinding, frames: Frames) -> str:
    heading = f"**{finding.severity}** {code(wording.kind(finding))} **{words(finding.title)}**"
    parts = [f"{heading}<br>\n{code(wording.place(finding))}"]
    lines = frames.frame(finding)
    if lines:
        parts.append(fence(_framed(lines), "diff"))
    if finding.body.strip():
        parts.append(block(finding.body))
    if finding.suggestion is not None:
        diff = "\n".join(f"{mark} {line}" for mark, line in frames.suggested(finding))
        parts.append(f"Suggestion:\n\n{fence(diff, 'diff')}")
    if finding.evidence:
        parts.append("\n".join(f"- evidence: {words(wording.evidence(item))}" for item in finding.evidence))
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{fence(test, 'python')}")
    if reason := wording.reason(finding):
        parts.append(f"{finding.standing.capitalize()}: {words(reason)}")
    parts.append(words(wording.attribution(finding)))
    return "\n\n".join(parts)


def _behaviour(review: Review) -> list[str]:
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


def _suggested_tests(review: Review) -> Iterator[str]:
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
    yield _folded("All of them as a patch, for <code>git apply</code>", [patch])


def _unplaced(finding: UnplacedFinding) -> str:
    parts = [f"**{finding.severity}** {code(wording.kind(finding))} **{words(finding.title)}**"]
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


def _folded(heading: str, parts: Iterable[str]) -> str:
    """A closed section; the empty lines make GitHub read its content as Markdown."""
    content = "\n\n".join(parts)
    return f"<details>\n<summary>{heading}</summary>\n\n{content}\n\n</details>"


def _table(members: Sequence[MemberReport]) -> str:
    rows = [
        "| member | model | role | calls | cached | failed | tokens in | tokens out | cost | seconds |",
        "| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for member in members:
        cells = [
            words(member.name),
            cell(code(member.model)),
            ", ".join(member.role),
            *map(str, (member.calls, member.cached, member.failed, member.tokens_in, member.tokens_out)),
            wording.money(member.cost_usd).replace("$", r"\$"),
            f"{member.seconds:.1f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
