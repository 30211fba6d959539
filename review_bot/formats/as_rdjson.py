"""The review as rdjson, reviewdog's diagnostic format (reviewdog/proto/rdf/reviewdog.proto).

Reviewdog refuses unknown fields and posts messages as Markdown, so they are escaped like the
Markdown output's. Confirmed findings have the severity that fits; disputed and minority ones are INFO,
rejected ones are left out. What the change removed has no range: ranges are lines at head. A suggested
test is INFO at the first place that it edits; reviewdog makes a committable suggestion of each edit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from review_bot.finding import ReportedFinding, Severity
from review_bot.formats import behaviour, suggested_tests, wording
from review_bot.formats.as_sarif import TOOL, rule_id
from review_bot.formats.markdown_text import block, fence, words
from review_bot.formats.well_formed import well_formed

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review
    from review_bot.suggested import SuggestedTest

#: The code of tests that pytest --moa suggested.
SUGGESTED_TEST = "suggested-test"

SEVERITY: dict[Severity, str] = {"critical": "ERROR", "major": "ERROR", "minor": "WARNING", "nit": "INFO"}


def render(outcome: Outcome[Review], change: Change) -> str:  # noqa: ARG001 - as all formats
    """The outcome as one `DiagnosticResult`, in ASCII, ended by a newline."""
    findings = outcome.result.findings if outcome.result else []
    tests = outcome.result.suggested.tests if outcome.result else []
    result = {
        "source": {"name": TOOL},
        "diagnostics": [
            *(_diagnostic(finding) for finding in findings if finding.standing != "rejected"),
            *map(_suggested_test, tests),
        ],
    }
    return json.dumps(well_formed(result), indent=2) + "\n"


def _diagnostic(finding: ReportedFinding) -> dict[str, Any]:
    location: dict[str, Any] = {"path": finding.path}
    diagnostic: dict[str, Any] = {
        "message": _message(finding),
        "location": location,
        "severity": SEVERITY[finding.severity] if finding.standing == "confirmed" else "INFO",
        "code": {"value": rule_id(finding)},
    }
    if finding.line is not None and finding.side == "RIGHT":
        # Without columns a range is of whole lines, the end included; with an empty text they go.
        span = {"start": {"line": finding.start_line or finding.line}, "end": {"line": finding.line}}
        location["range"] = span
        if finding.suggestion is not None:
            diagnostic["suggestions"] = [{"range": span, "text": finding.suggestion.removesuffix("\n")}]
    return diagnostic


def _suggested_test(test: SuggestedTest) -> dict[str, Any]:
    location: dict[str, Any] = {"path": test.path}
    edits = [
        {"range": {"start": {"line": edit.start_line}, "end": {"line": edit.line}}, "text": edit.text}
        for edit in test.edits
    ]
    if edits:
        location["range"] = edits[0]["range"]
    said = [words(test.says), words(suggested_tests.facts(test))]
    diagnostic = {
        "message": "\n\n".join([*said, fence(test.test.strip("\n"), "python")]),
        "location": location,
        "severity": "INFO",
        "code": {"value": SUGGESTED_TEST},
    }
    return diagnostic | ({"suggestions": edits} if edits else {})


def _message(finding: ReportedFinding) -> str:
    said = words(f"{finding.standing}: {wording.attribution(finding)}")
    parts = [words(finding.title), block(finding.body), said]
    if test := behaviour.test_in(finding.evidence):
        parts.append(f"{behaviour.TEST}:\n\n{fence(test, 'python')}")
    if finding.side == "LEFT":
        parts.insert(1, words(f"At {wording.place(finding)}."))
    return "\n\n".join(part for part in parts if part)
