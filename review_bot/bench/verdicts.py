"""From runs to verdicts: which hunks each member, and the committee as a whole, named or accused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from review_bot.bench.cases import Case
from review_bot.bench.matching import accuses, claims, nearest
from review_bot.bench.running import CaseRun
from review_bot.finding import Finding, ReportedFinding

#: Standings of what a review reports as its own opinion.
STANDS = ("confirmed", "minority")


def member_panels(runs: Sequence[CaseRun]) -> list[dict[str, Any]]:
    """Every proposer by itself: what it said in the first layer."""
    names = dict.fromkeys(name for run in runs for name in _proposers(run))
    return [_member_panel(name, runs) for name in names]


def committee_panel(name: str, runs: Sequence[CaseRun], **more: Any) -> dict[str, Any]:
    """The committee: what its reviews report, and what stands of it as confirmed or a minority's."""
    verdicts: list[dict[str, Any]] = []
    failed = []
    for run in runs:
        if run.outcome.result is None:
            failed.append({"case": run.case.id, "why": "no review"})
        else:
            findings = run.outcome.result.findings
            verdicts += _verdicts(run.case, [(one, _reported(one)) for one in findings], run.outcome.run)
    figures = [run.outcome for run in runs]
    costs = [outcome.cost_usd for outcome in figures]
    return {
        "name": name,
        "what": "committee",
        "members": list(dict.fromkeys(report.name for one in figures for report in one.members)),
        "layers": 1,
        "aggregator": "",
        "samples": 1,
        "calls": sum(outcome.calls for outcome in figures),
        "cached": sum(outcome.cached for outcome in figures),
        "cost_usd": _sum(costs),
        "seconds": round(sum(outcome.seconds for outcome in figures), 3),
        "tokens_in": sum(report.tokens_in for one in figures for report in one.members),
        "tokens_out": sum(report.tokens_out for one in figures for report in one.members),
        "verdicts": verdicts,
        "failed": failed,
        **more,
    }


def _member_panel(name: str, runs: Sequence[CaseRun]) -> dict[str, Any]:
    verdicts: list[dict[str, Any]] = []
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
        verdicts += _verdicts(run.case, [(one, _said(one, name)) for one in said], run.outcome.run)
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
        "calls": sum(report.calls for report in reports),
        "cached": sum(report.cached for report in reports),
        "cost_usd": _sum(report.cost_usd for report in reports),
        "seconds": round(sum(report.seconds for report in reports), 3),
        "tokens_in": sum(report.tokens_in for report in reports),
        "tokens_out": sum(report.tokens_out for report in reports),
        "verdicts": verdicts,
        "failed": failed,
    }


def _verdicts(
    case: Case, said: Iterable[tuple[Finding | ReportedFinding, dict[str, Any]]], run: str
) -> list[dict[str, Any]]:
    """A verdict on each hunk of the case. What is about no hunk of it is on the nearest that is near."""
    lines = case.places()
    places = {hunk.id: (hunk, lines[hunk.id]) for hunk in case.hunks}
    about: defaultdict[str, list[tuple[Finding | ReportedFinding, dict[str, Any]]]] = defaultdict(list)
    for finding, shown in said:
        if (name := nearest(finding, places)) is not None:
            about[name].append((finding, shown))
    verdicts = []
    for hunk in case.hunks:
        against = [one for one, shown in about[hunk.id] if accuses(one) and shown["standing"] in STANDS]
        named = hunk.kind != "clean" and any(claims(one, hunk) for one in against)
        verdicts.append(
            {
                "hunk": hunk.id,
                "named": named,
                "by_place": hunk.kind != "clean" and bool(against),
                "accused": bool(against),
                "confidence": None,
                "findings": [shown for _, shown in about[hunk.id]],
                "run": run,
            }
        )
    return verdicts


def _said(finding: Finding, author: str) -> dict[str, Any]:
    return {**_words(finding), "raised_by": [author], "standing": "minority"}


def _reported(finding: ReportedFinding) -> dict[str, Any]:
    return {**_words(finding), "raised_by": finding.raised_by, "standing": finding.standing}


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


def _sum(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    return None if any(cost is None for cost in known) else round(sum(cost for cost in known if cost), 6)
