"""Runs of the record as a part of a page: as far as a record can tell, which does not know who was right."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moa_engine.bench.intervals import Estimate, ratio
from moa_engine.bench.scores import MIN_CASES
from moa_engine.errors import RecordDamaged, RecordError
from moa_engine.replay import replay
from review_bot.finding import ReportedFinding, Review
from review_bot.formats import wording

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from moa_engine.record import StoredRun
    from moa_engine.session import Session

#: What only known truth answers.
OPEN = (
    "whether the members are really different: agreement is seen here, not who was wrong together",
    "what each of them adds: a finding of one voice may be the best or the worst",
    "whether the aggregator keeps a minority that was right",
    "whether the committee is better than its best member, or than that member sampled several times",
    "what quality costs: there is a price here, and no quality",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a run in a line, with who held it and who did not."""

    severity: str
    title: str
    place: str
    standing: str
    said: str


@dataclass(frozen=True, slots=True)
class RunShown:
    """One run. `note` says why there is no more to show of it."""

    id: str
    when: str
    task: str
    committee: str
    status: str
    calls: int | None
    cost_usd: float | None
    seconds: float
    findings: Sequence[Finding] = ()
    note: str = ""


@dataclass(slots=True)
class MemberSum:
    """One member over all runs. `fates` counts what it raised, by standing; `alone` what nobody else held."""

    name: str
    model: str = ""
    runs: int = 0
    calls: int = 0
    cached: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0
    seconds: list[float] = field(default_factory=list)
    fates: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    alone: int = 0

    @property
    def usual_seconds(self) -> float | None:
        """The median over its runs that were not answered from the record alone."""
        ranked = sorted(self.seconds)
        return ranked[len(ranked) // 2] if ranked else None


def runs_part(session: Session, wanted: Sequence[str], key: str) -> dict[str, Any]:
    """What the template needs of these runs: ids, starts of ids, or "last".

    Raises:
        RecordError: there is no such run.
    """
    shown: list[RunShown] = []
    members: dict[str, MemberSum] = {}
    held: list[list[frozenset[str]]] = []  #: by review, by finding: who held it
    for stored in map(session.record.run, wanted):
        outcome, note = _outcome(session, stored)
        shown.append(_shown(stored, outcome, note))
        if outcome is None:
            continue
        _add_members(members, outcome)
        if isinstance(outcome.result, Review):
            found = outcome.result.findings
            _add_fates(members, found)
            held.append([frozenset((*one.raised_by, *one.seconded_by)) for one in found])
    names = [name for name, one in members.items() if one.fates]
    return {
        "kind": "runs",
        "key": key,
        "runs": shown,
        "members": list(members.values()),
        "names": names,
        "agreement": [
            [_agreement(held, one, other) if one != other else None for other in names] for one in names
        ],
        "reviews": len(held),
        "few": len(held) < MIN_CASES,
        "least": MIN_CASES,
        "standings": list(wording.STANDINGS),
        "open": OPEN,
    }


def _outcome(session: Session, stored: StoredRun) -> tuple[Outcome[Any] | None, str]:
    from moa_engine.session import find_task

    try:
        return replay(stored, find_task(session, stored.task)), ""
    except (RecordDamaged, RecordError) as problem:
        return None, problem.message


def _shown(stored: StoredRun, outcome: Outcome[Any] | None, note: str) -> RunShown:
    findings: list[Finding] = []
    if outcome and isinstance(outcome.result, Review):
        for standing, found in wording.by_standing(outcome.result.findings).items():
            findings += [
                Finding(one.severity, one.title, wording.place(one), standing, wording.attribution(one))
                for one in found
            ]
    return RunShown(
        stored.id,
        time.strftime("%Y-%m-%d %H:%M", time.localtime(stored.started)),
        stored.task,
        stored.committee,
        stored.status,
        outcome.calls if outcome else None,
        outcome.cost_usd if outcome else None,
        stored.seconds,
        findings,
        note,
    )


def _add_members(members: dict[str, MemberSum], outcome: Outcome[Any]) -> None:
    for report in outcome.members:
        one = members.setdefault(report.name, MemberSum(report.name))
        one.model = report.model or report.kind
        one.runs += 1
        one.calls += report.calls
        one.cached += report.cached
        one.failed += report.failed
        one.tokens_in += report.tokens_in
        one.tokens_out += report.tokens_out
        unknown = one.cost_usd is None or report.cost_usd is None
        one.cost_usd = None if unknown else (one.cost_usd or 0.0) + (report.cost_usd or 0.0)
        if report.calls:
            one.seconds.append(report.seconds)


def _add_fates(members: Mapping[str, MemberSum], found: Sequence[ReportedFinding]) -> None:
    for finding in found:
        holders = {*finding.raised_by, *finding.seconded_by}
        for name in finding.raised_by:
            if name in members:
                members[name].fates[finding.standing] += 1
                members[name].alone += holders == {name}


def _agreement(held: Sequence[Sequence[frozenset[str]]], one: str, other: str) -> dict[str, Any]:
    """Of the findings that either holds, the share that both do; counted by runs: one is one change."""
    parts = []
    for findings in held:
        either = [holders for holders in findings if one in holders or other in holders]
        parts.append((sum(one in holders and other in holders for holders in either), len(either)))
    found: Estimate | None = ratio(parts) if len(parts) > 1 else None
    both, of = (sum(counts) for counts in zip(*parts, strict=True))
    return {"both": both, "of": of, "share": found.plain() if found else None}
