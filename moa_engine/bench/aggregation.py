"""What an aggregator does with proposals: whom it believes, what it adds, and whether their order matters.

Every candidate is measured on the same recorded proposals. What it would keep is its own decision; what a
reader sees is the ledger's, which may show what the aggregator would have dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from moa_engine.bench.faithfulness import Invented, invented
from moa_engine.bench.intervals import Estimate, linear, ratio

#: Examples of what has no source that are kept in a result.
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding that an aggregator was given: how many voices hold it, and whether it is right.

    `planted` says that it was put there for the study: a lie that one member tells with confidence, or a
    truth that only one tells.
    """

    key: str
    voices: int
    right: bool
    text: str
    planted: Literal["", "lie", "truth"] = ""


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What one aggregator made of a case's proposals.

    `kept`: the keys it would keep; `reported`: those that a reader sees without looking for them; `text`: its
    own words; `seen`: the change, as it and the proposers saw it; `reordered`: the keys kept when the same
    proposals came in other orders.
    """

    case: str
    proposals: tuple[Proposal, ...]
    kept: frozenset[str]
    reported: frozenset[str]
    text: str
    seen: str = ""
    reordered: tuple[frozenset[str], ...] = ()


def aggregation(outcomes: Sequence[Aggregated]) -> dict[str, Any]:
    """One aggregator as it stands in a result file; null where nothing was there to measure it by."""
    own = [invented(one.text, [proposal.text for proposal in one.proposals], one.seen) for one in outcomes]
    return {
        "minority_survival": _share(outcomes, _minority, reported=True),
        "minority_kept": _share(outcomes, _minority, reported=False),
        "majority_collapse": _plain(ratio([_collapsed(one) for one in outcomes])),
        "lone_truth": _share(outcomes, lambda one: one.planted == "truth", reported=True),
        "lone_truth_kept": _share(outcomes, lambda one: one.planted == "truth", reported=False),
        "liar": _share(outcomes, lambda one: one.planted == "lie", reported=True),
        "liar_kept": _share(outcomes, lambda one: one.planted == "lie", reported=False),
        "faithfulness": _plain(ratio([(one.looked_at - one.count, one.looked_at) for one in own])),
        "invented": _examples(own),
        "verbosity": _verbosity(outcomes),
        "order_sensitivity": _order_sensitivity(outcomes),
        "would_drop": [
            {"case": one.case, "finding": proposal.key, "planted": proposal.planted}
            for one in outcomes
            for proposal in one.proposals
            if proposal.right and proposal.key not in one.kept
        ],
        "n": {"cases": len(outcomes), "proposals": sum(len(one.proposals) for one in outcomes)},
    }


def _minority(proposal: Proposal) -> bool:
    """Right, and of one voice, by itself."""
    return proposal.right and proposal.voices == 1 and not proposal.planted


def _share(
    outcomes: Sequence[Aggregated], chosen: Callable[[Proposal], bool], *, reported: bool
) -> dict[str, float] | None:
    parts = []
    for one in outcomes:
        stays = one.reported if reported else one.kept
        keys = [proposal.key for proposal in one.proposals if chosen(proposal)]
        parts.append((sum(key in stays for key in keys), len(keys)))
    return _plain(ratio(parts))


def _collapsed(one: Aggregated) -> tuple[int, int]:
    """Whether it kept the wrong and not the right, where a wrong finding had more voices than a right one."""
    lone = [proposal.key for proposal in one.proposals if proposal.right and proposal.voices == 1]
    crowd = [proposal.key for proposal in one.proposals if not proposal.right and proposal.voices > 1]
    if not lone or not crowd:
        return 0, 0
    return int(any(key in one.kept for key in crowd) and not any(key in one.kept for key in lone)), 1


def _verbosity(outcomes: Sequence[Aggregated]) -> float | None:
    """Words of the aggregates for every word of the proposals."""
    proposed = sum(len(proposal.text.split()) for one in outcomes for proposal in one.proposals)
    return round(sum(len(one.text.split()) for one in outcomes) / proposed, 6) if proposed else None


def _order_sensitivity(outcomes: Sequence[Aggregated]) -> dict[str, float] | None:
    """The mean share of what is kept in one order or another but not in both (1 - Jaccard), by case."""
    moved = []
    for one in outcomes:
        if one.reordered:
            changes = [_unlike(one.kept, other) for other in one.reordered]
            moved.append(sum(changes) / len(changes))
    if len(moved) < 2:
        return None
    mean = sum(moved) / len(moved)
    found = linear(mean, [(one - mean) / len(moved) for one in moved])
    return Estimate(found.value, max(0.0, found.low), min(1.0, found.high)).plain()


def _unlike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one ^ other) / len(one | other) if one | other else 0.0


def _examples(own: Sequence[Invented]) -> dict[str, list[str]]:
    return {
        "claims": [claim for one in own for claim in one.claims][:EXAMPLES],
        "numbers": [number for one in own for number in one.numbers][:EXAMPLES],
        "code": [code for one in own for code in one.code][:EXAMPLES],
    }


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return estimate.plain() if estimate else None
