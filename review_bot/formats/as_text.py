"""The review for people, in a terminal or a log.

Colours are plain ANSI: importing rich costs 80 ms, and wrapping has to work without colours anyway.
The furniture is ASCII, so that it survives any encoding. What models say, and what stands in the
change, is printed with its control characters as escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from moa_engine.printable import one_line, printable
from review_bot.finding import ReportedFinding, Standing, UnplacedFinding
from review_bot.formats import behaviour, suggested_tests, wording
from review_bot.formats.columns import chop, columns, crop, wrap
from review_bot.formats.frame import FrameLine, Frames
from review_bot.formats.links import spelled_out

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

#: SGR parameters (ECMA-48) of each thing that has a colour.
STYLES = {
    "critical": "1;31",
    "major": "1;33",
    "minor": "1;36",
    "nit": "1;34",
    "heading": "1",
    "added": "32",
    "removed": "31",
    "quiet": "2",
    "alarm": "1;31",
}

#: Files that are listed with why they were not reviewed, before "and N more".
LISTED = 10

NARROWEST = 20

#: Columns below which no table is drawn.
TABLE = 60


def render(outcome: Outcome[Review], change: Change, *, width: int, colour: bool) -> str:
    """The outcome in lines of at most `width` columns, each ended by a newline."""
    page = _Page(max(width, NARROWEST), colour)
    review = outcome.result
    frames = Frames(change)
    found = wording.tally(review) if review else "no review"
    page.text(f"Review of {wording.subject(change)}: {found}", "heading")
    if outcome.status == "partial":
        page.text("PARTIAL: not everybody was heard.", "alarm")
    for failure in wording.failures(outcome):
        page.text(failure, "alarm", hanging="  ")
    for standing, findings in wording.by_standing(review.findings if review else ()).items():
        page.gap()
        page.text(f"{standing.capitalize()} ({len(findings)}): {wording.STANDINGS[standing]}", "heading")
        for finding in findings:
            _finding(page, finding, standing, frames)
    if review:
        _behaviour(page, review)
        _suggested_tests(page, review)
    _unplaced(page, review.unplaced if review else ())
    _not_reviewed(page, change)
    remarks = wording.remarks(outcome, change)
    if remarks:
        page.gap()
    for remark in remarks:
        page.text(f"note: {remark}", hanging="  ")
    if outcome.members:
        page.gap()
        page.text(wording.closing(outcome), "quiet")
        for record in wording.track_records(outcome):
            page.text(record, "quiet", hanging="  ")
    return page.written()


class _Page:
    """Lines that are wrapped first and coloured then."""

    def __init__(self, width: int, colour: bool) -> None:
        self.width = width
        self._colour = colour
        self._lines: list[str] = []

    def line(self, text: str, style: str = "") -> None:
        """One line as it is, which fits."""
        painted = f"\x1b[{STYLES[style]}m{text}\x1b[0m" if style and self._colour and text else text
        self._lines.append(painted.rstrip(" "))

    def text(self, text: str, style: str = "", indent: str = "", hanging: str | None = None) -> None:
        """Wrapped text."""
        for line in wrap(text, self.width, indent, hanging):
            self.line(line, style)

    def gap(self) -> None:
        """An empty line between two blocks."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def written(self) -> str:
        return "\n".join(self._lines) + "\n"


def _finding(page: _Page, finding: ReportedFinding, standing: Standing, frames: Frames) -> None:
    heading = f"{finding.severity}[{wording.kind(finding)}]: {one_line(finding.title)}"
    if standing == "rejected":  # short: it is here so that nothing vanishes
        page.text(f"{wording.place(finding)}: {heading}", indent="  ", hanging="    ")
        said = [wording.reason(finding), wording.attribution(finding)]
        page.text("; ".join(filter(None, said)), "quiet", "    ")
        return
    page.gap()
    page.text(heading, finding.severity, hanging="  ")
    page.text(f"--> {wording.place(finding)}", indent="  ", hanging="      ")
    _frame(page, frames.frame(finding))
    if finding.body.strip():
        page.text(spelled_out(printable(finding.body.strip())), indent="  ")
    if finding.suggestion is not None:
        _suggestion(page, finding, frames)
    for evidence in finding.evidence:
        page.text(f"evidence: {wording.evidence(evidence)}", indent="  ", hanging="    ")
    if test := behaviour.test_in(finding.evidence):
        page.text(f"{behaviour.TEST}:", indent="  ")
        _test(page, test)
    if reason := wording.reason(finding):
        page.text(f"{standing}: {reason}", indent="  ", hanging="    ")
    page.text(wording.attribution(finding), "quiet", "  ", "    ")


def _frame(page: _Page, lines: list[FrameLine]) -> None:
    digits = max((len(str(line.number)) for line in lines if line.number), default=1)
    for line in lines:
        number = "." * digits if line.mark == "~" else str(line.number or "")
        gutter = f"{'>' if line.hit else ' '} {number:>{digits}} |{line.mark} "
        style = {"+": "added", "-": "removed", "~": "quiet"}.get(line.mark, "")
        code = printable(line.text[: 4 * page.width].expandtabs(4))
        page.line(gutter + crop(code, page.width - len(gutter)), style)


def _suggestion(page: _Page, finding: ReportedFinding, frames: Frames) -> None:
    """The suggestion as a diff; whole, since people copy it."""
    page.text("suggestion:", indent="  ")
    for mark, line in frames.suggested(finding):
        style = {"+": "added", "-": "removed"}.get(mark, "")
        for number, piece in enumerate(chop(printable(line.expandtabs(4)), page.width - 6)):
            page.line(f"    {' ' if number else mark} {piece}", style)


def _test(page: _Page, test: str) -> None:
    """A test, whole, since people copy it."""
    for line in test.splitlines():
        for piece in chop(printable(line.expandtabs(4)), page.width - 4):
            page.line(f"    {piece}")


def _behaviour(page: _Page, review: Review) -> None:
    """One table of what behaves differently, the intended included."""
    proof = review.proof
    if not review.behaviour and not (proof and proof.searched):
        return
    page.gap()
    told = f": {behaviour.summary(proof, review.behaviour)}" if proof else ""
    page.text(f"{behaviour.HEADING}{told}", "heading")
    rows = [behaviour.COLUMNS, *map(behaviour.row, review.behaviour)] if review.behaviour else []
    widths = _widths(rows, page.width - 2)
    for number, cells in enumerate(rows):
        if page.width < TABLE and number:
            page.text(f"{cells.input}: {cells.before} -> {cells.after}; {cells.judgement}", "", "  ", "    ")
        elif page.width >= TABLE:
            padded = (_padded(cell, width) for cell, width in zip(cells, widths, strict=True))
            page.line("  " + "  ".join(padded).rstrip(), "" if number else "quiet")
        for opinion in behaviour.opinions(review.behaviour[number - 1]) if number else ():
            page.text(opinion, "quiet", "    ", "      ")
    if proof and (left := behaviour.unsearched(proof)):
        page.text(f"not compared: {', '.join(left)}", "quiet", "  ", "    ")


def _padded(cell: str, width: int) -> str:
    shown = crop(cell, width)
    return shown + " " * (width - columns(shown))


def _widths(rows: Sequence[behaviour.Row], width: int) -> list[int]:
    """Columns for each cell: what it needs, and where that is too much, the widest get less."""
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    left = max(width - 2 * (len(widths) - 1), 4 * len(widths))
    while sum(widths) > left:
        widths[widths.index(max(widths))] -= 1
    return widths


def _suggested_tests(page: _Page, review: Review) -> None:
    tests = review.suggested.tests
    if tests:
        page.gap()
        page.text(f"{suggested_tests.HEADING} ({len(tests)}): {suggested_tests.ABOUT}", "heading")
    for test in tests:
        page.gap()
        page.text(one_line(test.says), hanging="  ")
        page.text(f"--> {suggested_tests.place(test)}", indent="  ", hanging="      ")
        _test(page, test.test)
        page.text(suggested_tests.facts(test), "quiet", "  ", "    ")


def _unplaced(page: _Page, findings: Sequence[UnplacedFinding]) -> None:
    if findings:
        page.gap()
        page.text(f"Without a place ({len(findings)}): {wording.UNPLACED}", "heading")
    for finding in findings:
        page.gap()
        heading = f"{finding.severity}[{wording.kind(finding)}]: {one_line(finding.title)}"
        page.text(heading, finding.severity, hanging="  ")
        if finding.body.strip():
            page.text(spelled_out(printable(finding.body.strip())), indent="  ")
        page.text(wording.author(finding), "quiet", "  ", "    ")


def _not_reviewed(page: _Page, change: Change) -> None:
    if not change.not_reviewed:
        return
    page.gap()
    page.text(f"Not reviewed ({len(change.not_reviewed)})", "heading")
    for file in change.not_reviewed[:LISTED]:
        page.text(one_line(f"{file.path}: {file.why}"), indent="  ", hanging="    ")
    if len(change.not_reviewed) > LISTED:
        page.text(f"and {len(change.not_reviewed) - LISTED} more; all are in --format json", indent="  ")
