"""Aggregators beside each other, on the same recorded proposals: whom they believe, and whom they drop.

No proposer is asked: the proposals are those of a result's runs. Each aggregator settles them three times:
as they are (for its score), with a lone truth and a lie planted among them, and these in another order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from moa_engine.ledger import Ledger
from review_bot.answers import Verdicts
from review_bot.bench.baselines import first_layer
from review_bot.bench.matching import about, accuses, claims
from review_bot.bench.paid import Paid
from review_bot.bench.planting import Planted, planted
from review_bot.bench.running import CaseRun
from review_bot.bench.study_task import PLANTED, StudyTask
from review_bot.bench.verdicts import STANDS, committee_panel
from review_bot.finding import ReportedFinding, Review
from review_bot.review_task import ReviewTask
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome

#: The aggregators that call nobody: a review's own, and the vote that a finding needs two voices for.
DETERMINISTIC, MAJORITY = "deterministic", "majority vote"

#: Added to the seed for another order.
_OTHER_ORDER = 1


@dataclass(frozen=True, slots=True)
class Study:
    """One case's proposals in the three ways that every aggregator gets them."""

    run: CaseRun
    plain: Ledger
    planted: Planted

    def tasks(self) -> tuple[StudyTask, StudyTask, StudyTask]:
        """As they are, with what was planted, and that in another order."""
        other = replace(self.planted.ledger, seed=self.planted.ledger.seed + _OTHER_ORDER)
        ledgers = (self.plain, self.planted.ledger, other)
        first, second, third = (StudyTask(self._review(), ledger) for ledger in ledgers)
        return first, second, third

    def _review(self) -> ReviewTask:
        return ReviewTask.load(self.run.task.dump())


@dataclass(frozen=True, slots=True)
class Settled:
    """What an aggregator made of one case, and what the first of the three cost.

    The outcomes are those of `Study.tasks`.
    """

    study: Study
    paid: Paid
    outcomes: tuple[Outcome[Review], Outcome[Review], Outcome[Review]]


def studies(runs: Sequence[CaseRun]) -> list[Study]:
    """What there is to settle: the first layer's findings of every case."""
    found = []
    for run in runs:
        plain = first_layer(run.outcome.ledger, {report.name for report in run.outcome.members}, None)
        run.task.voices[PLANTED] = Voice(PLANTED)
        found.append(Study(run, plain, planted(run, plain)))
    return found


def without_calls(name: str, found: Sequence[Study]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The panel and the study of an aggregator that calls nobody."""
    runs, cases = [], []
    stands = STANDS if name == DETERMINISTIC else ("confirmed",)
    for study in found:
        runs.append(_concluded(study.run, study.plain, None))
        review = study.run.task.conclude(study.planted.ledger, None)
        keys = _groups(study)
        kept = [key for key, one in keys.items() if one.standing in stands]
        cases.append(_case(study, keys, kept, review, "", [kept]))
    panel = committee_panel(f"aggregated: {name}", runs, what="aggregator", aggregator=name, stands=stands)
    return panel, {"name": name, "panel": panel["name"], "cases": cases}


def settled_by(name: str, model: str, settled: Sequence[Settled]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The panel and the study of a member as aggregator; cases in which it failed are in neither."""
    runs, cases, failed = [], [], []
    for one in settled:
        plain, with_planted, reordered = one.outcomes
        if plain.result is None:
            failed.append({"case": one.study.run.case.id, "why": "no synthesis that could be used"})
        else:
            concluded = _concluded(one.study.run, one.study.plain, plain)
            runs.append(replace(concluded, bill={**concluded.bill, (name, "aggregator", 2): one.paid}))
        if with_planted.result is None or reordered.result is None:
            continue
        keys = _groups(one.study)
        cases.append(
            _case(
                one.study,
                keys,
                _kept(keys, with_planted),
                with_planted.result,
                _words(with_planted),
                [_kept(keys, reordered)],
            )
        )
    panel = committee_panel(
        f"aggregated: {name}", runs, what="aggregator", aggregator=name, model=model, more_failed=failed
    )
    return panel, {"name": name, "panel": panel["name"], "cases": cases}


def _concluded(run: CaseRun, plain: Ledger, outcome: Outcome[Review] | None) -> CaseRun:
    """The case as if that aggregator had settled it: the proposals' price, and its own."""
    first = {place: paid for place, paid in run.bill.items() if place[1:] == ("proposer", 1)}
    if outcome is None:
        result: Review | None = run.task.conclude(plain, None)
        ended = replace(run.outcome, result=result, ledger=plain)
    else:
        ended = replace(run.outcome, result=outcome.result, ledger=plain, run=outcome.run)
    return replace(run, outcome=ended, bill=first)


def _groups(study: Study) -> dict[str, ReportedFinding]:
    """What is proposed: what code takes for one finding, where a model or what was planted speaks for it."""
    review = study.run.task.conclude(study.planted.ledger, None)
    voices = study.run.task.voices
    return {
        finding.items[0]: finding
        for finding in review.findings
        if any(not voices[name].deterministic for name in finding.raised_by if name in voices)
    }


def _case(
    study: Study,
    keys: Mapping[str, ReportedFinding],
    kept: Sequence[str],
    review: Review,
    text: str,
    reordered: Sequence[Sequence[str]],
) -> dict[str, Any]:
    there = {item for finding in review.findings for item in finding.items}
    return {
        "case": study.run.case.id,
        "proposals": [_proposal(study, key, finding) for key, finding in keys.items()],
        "kept": list(kept),
        "reported": [key for key, finding in keys.items() if there.intersection(finding.items)],
        "text": text,
        "seen": "\n".join(hunk.body for file in study.run.task.change.files for hunk in file.hunks),
        "reordered": [list(order) for order in reordered],
    }


def _proposal(study: Study, key: str, finding: ReportedFinding) -> dict[str, Any]:
    mark = ""
    if study.planted.truth in finding.items:
        mark = "truth"
    elif study.planted.lie in finding.items:
        mark = "lie"
    return {
        "key": key,
        "voices": len(finding.raised_by),
        "right": mark == "truth" or (not mark and _is_right(study.run, finding)),
        "text": f"{finding.title}\n{finding.body}",
        "planted": mark,
    }


def _is_right(run: CaseRun, finding: ReportedFinding) -> bool:
    places = run.case.places()
    hunks = {hunk.id: (hunk, places[hunk.id]) for hunk in run.case.hunks}
    meant = [hunks[id][0] for id in about(finding, hunks)] if accuses(finding) else []
    return any(hunk.kind != "clean" and not hunk.unsure and claims(finding, hunk) for hunk in meant)


def _kept(keys: Mapping[str, ReportedFinding], outcome: Outcome[Review]) -> list[str]:
    """What the aggregator itself would keep: not what it disputes or rejects, with or without a reason."""
    against = {
        item
        for verdicts in _verdicts(outcome)
        for decision in verdicts.decisions
        if decision.verdict in ("disputed", "rejected")
        for item in decision.ids
    }
    return [key for key, finding in keys.items() if _any_left(finding.items, against)]


def _any_left(items: Collection[str], against: Collection[str]) -> bool:
    return any(item not in against for item in items)


def _words(outcome: Outcome[Review]) -> str:
    """The aggregator's own words: its reasons, and findings of its own."""
    return "\n".join(
        words
        for verdicts in _verdicts(outcome)
        for words in (
            *(decision.reason for decision in verdicts.decisions if decision.reason),
            *("\n".join(draft.words()) for draft in verdicts.drafts()),
        )
    )


def _verdicts(outcome: Outcome[Review]) -> Iterator[Verdicts]:
    for answer in outcome.ledger.answers:
        if isinstance(answer.value, Verdicts):
            yield answer.value
