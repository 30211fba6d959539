"""From runs to verdicts: which hunks each member, and the committee as a whole, named or accused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from review_bot.bench.cases import Case
from review_bot.bench.matching import about, accuses, claims
from review_bot.bench.paid import Paid, total
from review_bot.bench.running import CaseRun
from review_bot.finding import Finding, ReportedFinding

Panel = dict[str, Any]

#: Standings of what a review reports as its own opinion.
STANDS = ("confirmed", "minority")


def member_panels(runs: Sequence[CaseRun]) -> list[Panel]:
    """Every proposer by itself: what it said in the first layer."""
    names = dict.fromkeys(name for run in runs for name in _proposers(run))
    return [member_panel(name, runs) for name in names]


def committee_panel(
    name: str,
    runs: Sequence[CaseRun],
    *,
    stands: Sequence[str] = STANDS,
    more_failed: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> Panel:
    """The committee: what its reviews report, and what stands of it as confirmed or a minority's.

    `stands` are the standings that count. Confidence in a finding is the share of voices that hold it.
    """
    verdicts: list[dict[str, Any]] = []
    astray: list[dict[str, Any]] = []
    failed = [dict(one) for one in more_failed]
    for run in runs:
        if run.outcome.result is None:
            failed.append({"case": run.case.id, "why": "no review"})
        else:
            voices = len(_proposers(run))
            said = [(one, _reported(one, voices)) for one in run.outcome.result.findings]
            found, about_none = _verdicts(run.case, said, run.outcome.run, stands)
            verdicts += found
            astray += about_none
    members = dict.fromkeys(report.name for run in runs for report in run.outcome.members)
    shape = {"what": "committee", "members": list(members), "layers": 1, "aggregator": "", "samples": 1}
    cached = sum(run.outcome.cached for run in runs)
    return {
        "name": name,
        **shape,
        **_price(total(run.bill for run in runs), cached),
        "verdicts": verdicts,
        "about_no_hunk": astray,
        "failed": failed,
        **more,
    }


def member_panel(name: str, runs: Sequence[CaseRun]) -> Panel:
    """One proposer by itself: what it said in the first layer."""
    verdicts: list[dict[str, Any]] = []
    astray: list[dict[str, Any]] = []
    failed = []
    for run in runs:
        answers = [one for one in run.outcome.ledger.answers if one.member == name and one.layer == 1]
        wrong = [one.error or "no answer" for one in answers if one.value is None]
        if wrong:
            failed.append({"case": run.case.id, "why": wrong[0]})
            continue
        said = [
            item.body
            for item in run.outcome.ledger.items
            if item.author == name and item.layer == 1 and isinstance(item.body, Finding)
        ]
        found, about_none = _verdicts(run.case, [(one, _said(one, name)) for one in said], run.outcome.run)
        verdicts += found
        astray += about_none
    reports = [report for run in runs for report in run.outcome.members if report.name == name]
    return {
        "name": name,
        "what": "member",
        "kind": reports[0].kind if reports else "",
        "model": reports[0].model if reports else "",
        "members": [name],
        "layers": 1,
        "aggregator": "",
        "samples": 1,
        **_price(
            total((run.bill for run in runs), member=name, layer=1), sum(report.cached for report in reports)
        ),
        "verdicts": verdicts,
        "about_no_hunk": astray,
        "failed": failed,
    }


def _price(paid: Paid, cached: int) -> dict[str, Any]:
    """What it costs from nothing; `cached` is how much of it the record knew."""
    return {
        "calls": paid.calls,
        "cached": cached,
        "cost_usd": None if paid.cost is None else float(paid.cost),
        "seconds": round(paid.seconds, 3),
        "tokens_in": paid.tokens_in,
        "tokens_out": paid.tokens_out,
    }


#: A finding, and what a result keeps of it.
Kept = tuple[Finding | ReportedFinding, dict[str, Any]]


def _verdicts(
    case: Case, said: Sequence[Kept], run: str, stands: Sequence[str] = STANDS
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A verdict on each hunk of the case, and the accusations that are about none of them."""
    lines = case.places()
    places = {hunk.id: (hunk, lines[hunk.id]) for hunk in case.hunks}
    meant: defaultdict[str, list[Kept]] = defaultdict(list)
    astray = []
    for finding, shown in said:
        hunks = about(finding, places)
        for name in hunks:
            meant[name].append((finding, shown))
        if not hunks and accuses(finding) and shown["standing"] in stands:
            astray.append({"case": case.id, **shown})
    verdicts = []
    for hunk in case.hunks:
        held = [kept for kept in meant[hunk.id] if accuses(kept[0]) and kept[1]["standing"] in stands]
        sure = [shown["confidence"] for _, shown in held if shown["confidence"] is not None]
        bad = hunk.kind != "clean"
        verdicts.append(
            {
                "hunk": hunk.id,
                "named": bad and any(claims(finding, hunk) for finding, _ in held),
                "by_place": bad and bool(held),
                "accused": bool(held),
                "confidence": max(sure, default=None),
                "findings": [shown for _, shown in meant[hunk.id]],
                "run": run,
            }
        )
    return verdicts, astray


def _said(finding: Finding, author: str) -> dict[str, Any]:
    return {**_words(finding), "raised_by": [author], "standing": "minority", "confidence": None}


def _reported(finding: ReportedFinding, voices: int) -> dict[str, Any]:
    """`voices` is how many could have held it."""
    holders = {*finding.raised_by, *finding.seconded_by}
    return {
        **_words(finding),
        "raised_by": finding.raised_by,
        "standing": finding.standing,
        "confidence": round(min(1.0, len(holders) / max(1, voices)), 3),
    }


def _words(finding: Finding | ReportedFinding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.line,
        "severity": finding.severity,
        "category": finding.category,
        "title": finding.title,
        "body": finding.body,
    }


def _proposers(run: CaseRun) -> list[str]:
    return [report.name for report in run.outcome.members if "proposer" in report.role]
