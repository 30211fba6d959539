"""What a part of a committee would have reported: from what is recorded, without one call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa_engine.errors import RunFailed
from review_bot.bench.paid import Bill
from review_bot.bench.running import CaseRun
from review_bot.bench.verdicts import committee_panel

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.ledger import Ledger


def offline_panel(committee: Committee, runs: Sequence[CaseRun]) -> list[dict[str, Any]]:
    """The committee of the tools alone, where there are models beside them."""
    tools = [name for name, member in committee.members.items() if member.reads == "subject"]
    if not tools or len(tools) == len(committee.members):
        return []
    return [committee_panel("tools alone", [only(run, tools) for run in runs], what="offline")]


def only(run: CaseRun, names: Collection[str], samples: int | None = None) -> CaseRun:
    """The run as if only these members had been asked, once, and nobody had settled."""
    heard = first_layer(run.outcome.ledger, names, samples)
    try:
        result = run.task.conclude(heard, None)
    except RunFailed:
        result = None
    members = tuple(report for report in run.outcome.members if report.name in names)
    bill: Bill = {
        place: paid for place, paid in run.bill.items() if place[0] in names and place[1:] == ("proposer", 1)
    }
    outcome = replace(run.outcome, result=result, ledger=heard, members=members)
    return replace(run, outcome=outcome, bill=bill)


def first_layer(ledger: Ledger, names: Collection[str], samples: int | None) -> Ledger:
    """What these members said in the first layer, in their first `samples` answers if that is given."""

    def counts(name: str, layer: int, sample: int) -> bool:
        return name in names and layer == 1 and (samples is None or sample < samples)

    return replace(
        ledger,
        answers=tuple(one for one in ledger.answers if counts(one.member, one.layer, one.sample)),
        items=tuple(one for one in ledger.items if counts(one.author, one.layer, one.sample)),
        stances=(),
    )
