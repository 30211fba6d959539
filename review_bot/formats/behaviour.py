"""What a change does, in the sentences and cells that the formats for people share.

Everything here is one line of plain text without control characters, as in `wording`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from moa_engine.printable import one_line
from review_bot.formats.wording import counted

if TYPE_CHECKING:
    from review_bot.proof.report import BehaviourReport, ProofReport, SideReport

HEADING = "What this change does"

#: What stands before a witness's test.
TEST = "A test that passes before the change and fails after it"


class Row(NamedTuple):
    """A change of behaviour in a table."""

    input: str
    before: str
    after: str
    judgement: str


#: The head of the table.
COLUMNS = Row("input", "before", "after", "judgement")


def row(report: BehaviourReport) -> Row:
    """The cells of one change of behaviour."""
    votes = sum(said.judgement == report.judgement for said in report.judged_by)
    judgement: str = "intended?" if report.judgement == "unjudged" else report.judgement
    if len(report.judged_by) > 1:
        judgement += f" ({votes} of {len(report.judged_by)})" if votes else " (divided)"
    lines = "; ".join(line.strip() for line in report.input.splitlines())
    before, after = (_side(side, report.differs) for side in (report.base, report.head))
    return Row(one_line(lines), before, after, judgement)


def _side(side: SideReport, differs: str) -> str:
    text = side.text
    match side.outcome, differs:
        case "timed_out", _:
            text = "does not end"
        case "crashed", _:
            text = "crashes the process"
        case "not_importable", _:
            text = f"cannot be imported: {side.text}"
        case "raised", _:
            pass
        case _, "import":
            text = "is imported"
        case _, "output":
            text = f"prints '{side.stdout}'" if side.stdout else "prints nothing"
        case _, "warnings":
            text = f"warns: {'; '.join(side.warnings)}" if side.warnings else "does not warn"
        case _, "arguments":
            text = side.arguments or side.text
    return one_line(text)


def opinions(report: BehaviourReport) -> list[str]:
    """Why it is judged as it is, then who says otherwise."""
    own = [said for said in report.judged_by if said.judgement == report.judgement and said.why]
    other = [said for said in report.judged_by if said.judgement != report.judgement]
    told = [f"{said.member}: {said.why}" for said in own[:1]]
    told += [f"{said.member} says {said.judgement}" + (f": {said.why}" if said.why else "") for said in other]
    return [one_line(text) for text in told]


def summary(proof: ProofReport, behaviour: Sequence[BehaviourReport]) -> str:
    """ "5 differences; 43 runs of 2 functions in 21.2 s, confined by landlock"."""
    runs = sum(one.executions for one in proof.searched)
    if not runs and not behaviour:
        return "nothing could be compared"
    found = counted(len(behaviour), "difference") if behaviour else "no difference proved"
    if not proof.searched:  # it was interrupted before it could tell
        return found
    tried = sum(bool(one.executions) for one in proof.searched)
    confined = "not confined" if proof.mechanism == "none" else f"confined by {proof.mechanism}"
    done = f"{counted(runs, 'run')} of {counted(tried, 'function')} in {proof.seconds:.1f} s, {confined}"
    return one_line(f"{found}; {done}")


def unsearched(proof: ProofReport) -> list[str]:
    """ "Shipments.search (it is not there at base)", for each function that could not be compared."""
    return [
        one_line(f"{one.qualname or one.path} ({one.why or one.status})")
        for one in proof.searched
        if one.status in ("not searched", "not comparable")
    ]


def test_in(evidence: Sequence[Mapping[str, Any]]) -> str:
    """The test of the first witness, which stands for all of them; "" without one."""
    tests = (str(one.get("test", "")).strip("\n") for one in evidence if one.get("kind") == "witness")
    return next(filter(None, tests), "")
