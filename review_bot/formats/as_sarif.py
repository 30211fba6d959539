"""The review as SARIF 2.1.0 (OASIS), for code scanning and editors. Only confirmed findings are loud.

One run of the tool `pytest-moa`; a rule is `category/rule`, or the category alone where no tool's rule
stands behind a finding. Confirmed findings have the level of their severity; disputed and minority ones
are notes whatever their severity, and say so. Rejected ones are left out: viewers that do not know
suppressions would show them as alerts. `review/1` has them.

A finding about a line that the change removed has no region: its line does not exist at head.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from review_bot.finding import ReportedFinding, Severity
from review_bot.formats import behaviour, wording
from review_bot.formats.frame import Frames
from review_bot.formats.well_formed import well_formed

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
TOOL = "pytest-moa"
#: What somebody who looks at a rule is told.
HELP = (
    "Each result says who raised it, who seconded and who disputed it. Only confirmed ones are louder than a "
    "note: those that independent members share, or that evidence or a deterministic tool stands behind."
)

LEVELS: dict[Severity, str] = {"critical": "error", "major": "error", "minor": "warning", "nit": "note"}


def render(outcome: Outcome[Review], change: Change) -> str:
    """The outcome as one SARIF log, in ASCII, ended by a newline."""
    return json.dumps(well_formed(to_sarif(outcome, change)), indent=2) + "\n"


def to_sarif(outcome: Outcome[Review], change: Change) -> dict[str, Any]:
    """The log behind the text."""
    findings = [f for f in (outcome.result.findings if outcome.result else ()) if f.standing != "rejected"]
    rules = {rule_id(finding): finding for finding in findings}
    order = {rule: index for index, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": TOOL,
                "version": version("pytest-moa"),
                "rules": [_rule(rule, finding) for rule, finding in rules.items()],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": outcome.status != "failed",
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": text}}
                    for text in (*wording.failures(outcome), *wording.remarks(outcome, change))
                ],
            }
        ],
        "results": [
            _result(finding, order, fingerprint)
            for finding, fingerprint in zip(findings, _fingerprints(findings, change), strict=True)
        ],
        "properties": {
            "run": outcome.run,
            "status": outcome.status,
            "base": change.base,
            "head": change.head,
        },
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def rule_id(finding: ReportedFinding) -> str:
    """ "category/rule", or the category alone."""
    return f"{finding.category}/{finding.rule}" if finding.rule else finding.category


def _rule(rule: str, finding: ReportedFinding) -> dict[str, Any]:
    text = f"{finding.category}: {finding.rule}" if finding.rule else f"{finding.category}, found by a review"
    by = f"the rule {finding.rule} of a tool" if finding.rule else "members of a committee"
    return {
        "id": rule,
        "shortDescription": {"text": text},
        # GitHub asks for these two.
        "fullDescription": {"text": f"What {by} found in a change, in the category {finding.category}."},
        "help": {"text": HELP},
        "properties": {"tags": [finding.category]},
    }


def _result(finding: ReportedFinding, order: Mapping[str, int], fingerprint: str) -> dict[str, Any]:
    rule = rule_id(finding)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": order[rule],
        "level": LEVELS[finding.severity] if finding.standing == "confirmed" else "note",
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _location(finding)}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {
            "id": finding.id,
            "severity": finding.severity,
            "standing": finding.standing,
            "side": finding.side,
            "raisedBy": finding.raised_by,
            "secondedBy": finding.seconded_by,
            "disputedBy": finding.disputed_by,
            "evidence": finding.evidence,
        },
    }
    if finding.suggestion is not None and finding.line is not None and finding.side == "RIGHT":
        result["fixes"] = [_fix(finding)]
    return result


def _message(finding: ReportedFinding) -> str:
    """Plain text. A link in a model's words stays words: "](" would make it one (SARIF 3.11.6)."""
    parts = [finding.title, finding.body.strip(), f"{finding.standing}: {wording.attribution(finding)}"]
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{test}")
    if finding.side == "LEFT":
        parts.insert(1, f"At {wording.place(finding)}.")
    return "\n\n".join(part for part in parts if part).replace("](", "] (")


def _location(finding: ReportedFinding) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"}}
    if finding.line is not None and finding.side == "RIGHT":
        location["region"] = {"startLine": finding.start_line or finding.line, "endLine": finding.line}
    return location


def _uri(path: str) -> str:
    """The path as a relative URI reference (RFC 3986)."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def _fix(finding: ReportedFinding) -> dict[str, Any]:
    """The suggestion as a replacement of whole lines. Without an end column a region ends with its line."""
    assert finding.line is not None
    assert finding.suggestion is not None
    region = {"startLine": finding.start_line or finding.line, "startColumn": 1, "endLine": finding.line}
    if not finding.suggestion:  # nothing in their place: the line end goes, too
        region |= {"endLine": finding.line + 1, "endColumn": 1}
    replacement: dict[str, Any] = {"deletedRegion": region}
    if finding.suggestion:
        replacement["insertedContent"] = {"text": finding.suggestion.removesuffix("\n")}
    artifact = {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"}
    return {
        "description": {"text": "Suggested by the review"},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": [replacement]}],
    }


def _fingerprints(findings: Sequence[ReportedFinding], change: Change) -> Iterator[str]:
    """What stays when lines move: path, rule and the lines' text; the title where they are not known.

    Of the form that GitHub's own fingerprints have: a hash, a colon, and a count for its repetitions.
    """
    frames = Frames(change)
    seen: Counter[str] = Counter()
    for finding in findings:
        lines = frames.lines(finding)
        words = " ".join(" ".join(lines).split()) if lines else finding.title
        parts = json.dumps([finding.path, finding.side, rule_id(finding), words])
        digest = hashlib.sha256(parts.encode()).hexdigest()[:16]
        seen[digest] += 1
        yield f"{digest}:{seen[digest]}"
