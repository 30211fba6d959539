"""The JSON report, and what the reports of several CI shards say together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from moa_engine.errors import MoaError
from pytest_moa.suggestions import (
    Facts,
    JudgedCandidate,
    Suggestion,
    Suggestions,
    SuspectedBug,
    TargetOutcome,
)

IdentifiedT = TypeVar("IdentifiedT", JudgedCandidate, SuspectedBug)


class ReportUnreadable(MoaError):
    """A report cannot be read, or is none."""


def write_report(path: Path, suggestions: Suggestions) -> None:
    """Write a report.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(json.dumps(suggestions.to_json(), indent=1) + "\n", encoding="utf-8")


def read_report(path: Path) -> Suggestions:
    """Read a report. Where its tests would go is not taken from it.

    Raises:
        ReportUnreadable: it is not there, or no report of this version.
    """
    try:
        report = Suggestions.from_json(path.read_bytes())
    except OSError as error:
        raise ReportUnreadable(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ReportUnreadable(f"{path} is no report of pytest --moa-report: {reason}") from error
    unplaced = (replace(one, file="", file_digest="", source="") for one in report.suggestions)
    return replace(report, suggestions=tuple(unplaced))


def merged(reports: Sequence[Suggestions]) -> Suggestions:
    """The union of several runs, each test once, those that kill most first. No new calls.

    Counts of a target are those of the run that knew most of it: runs saw different tests, so nothing
    can be added up. Calls and costs are added up.
    """
    found: dict[str, Suggestion] = {}
    for one in (suggestion for report in reports for suggestion in report.suggestions):
        found[one.id] = _united(found[one.id], one) if one.id in found else one
    order = sorted(found.values(), key=lambda one: (-len(one.facts.kills), -len(one.facts.branches)))
    costs = [report.cost_usd for report in reports]
    return Suggestions(
        suggestions=tuple(order),
        suspected_bugs=_once(bug for report in reports for bug in report.suspected_bugs),
        candidates=_once(one for report in reports for one in report.candidates),
        targets=_outcomes(one for report in reports for one in report.targets),
        members=tuple(dict.fromkeys(name for report in reports for name in report.members)),
        costs=tuple(one for report in reports for one in report.costs),
        run=", ".join(dict.fromkeys(report.run for report in reports if report.run)),
        calls=sum(report.calls for report in reports),
        cost_usd=None if None in costs else sum(cost or 0 for cost in costs),
        seconds=max((report.seconds for report in reports), default=0.0),
        status="complete" if all(one.status in ("complete", "nothing") for one in reports) else "partial",
        sandbox=", ".join(dict.fromkeys(report.sandbox for report in reports if report.sandbox)),
        warnings=tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
        skipped=tuple(dict.fromkeys(one for report in reports for one in report.skipped)),
    )


def _united(one: Suggestion, other: Suggestion) -> Suggestion:
    facts = Facts(
        branches=tuple(dict.fromkeys((*one.facts.branches, *other.facts.branches))),
        kills=tuple(dict.fromkeys((*one.facts.kills, *other.facts.kills))),
        seconds=max(one.facts.seconds, other.facts.seconds),
    )
    return replace(
        one,
        facts=facts,
        proposed_by=tuple(dict.fromkeys((*one.proposed_by, *other.proposed_by))),
        hardened_by=tuple(dict.fromkeys((*one.hardened_by, *other.hardened_by))),
        disputed_by=tuple(dict.fromkeys((*one.disputed_by, *other.disputed_by))),
    )


def _once(items: Iterable[IdentifiedT]) -> tuple[IdentifiedT, ...]:
    return tuple({item.id: item for item in items}.values())


def _outcomes(outcomes: Iterable[TargetOutcome]) -> tuple[TargetOutcome, ...]:
    found: dict[str, TargetOutcome] = {}
    for outcome in outcomes:
        known = found.setdefault(outcome.target.name, outcome)
        if (outcome.mutants, outcome.killed_after) > (known.mutants, known.killed_after):
            found[outcome.target.name] = outcome
    return tuple(found.values())
