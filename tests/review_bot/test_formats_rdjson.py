import json
from typing import Any

import pytest

from review_bot.finding import ReportedFinding
from review_bot.formats import render
from tests.review_bot.review_outcomes import finding, outcome

#: Every field of reviewdog's protobuf messages that we write; its parser refuses others.
FIELDS = {
    "": {"source", "diagnostics"},
    "diagnostic": {"message", "location", "severity", "code", "suggestions"},
}


def diagnostics(findings: list[ReportedFinding] | None = None, **more: Any) -> list[dict[str, Any]]:
    text = render(outcome(findings, **more), "rdjson")
    assert text.isascii()
    result = json.loads(text)
    assert set(result) == FIELDS[""]
    assert result["source"] == {"name": "pytest-moa"}
    found: list[dict[str, Any]] = result["diagnostics"]
    assert all(set(diagnostic) <= FIELDS["diagnostic"] for diagnostic in found)
    return found


def test_a_diagnostic_has_place_severity_code_and_suggestion() -> None:
    first = diagnostics()[0]
    lines = {"start": {"line": 12}, "end": {"line": 12}}
    assert first["location"] == {"path": "shop/export.py", "range": lines}
    assert (first["severity"], first["code"]) == ("ERROR", {"value": "security/S602"})
    assert first["suggestions"] == [
        {"range": lines, "text": '    subprocess.run(["zip", "-r", "out.zip", name])'}
    ]
    assert first["message"].startswith("Shell command built from a request parameter\n\n`name` comes")
    assert first["message"].endswith("confirmed: raised by ruff, qwen; seconded by mistral")


def test_only_confirmed_findings_are_louder_than_info_and_rejected_ones_are_left_out() -> None:
    found = diagnostics(
        [finding(severity=severity) for severity in ("critical", "major", "minor", "nit")]
        + [finding(standing=standing) for standing in ("minority", "disputed", "rejected")]
    )
    assert [d["severity"] for d in found] == ["ERROR", "ERROR", "WARNING", "INFO", "INFO", "INFO"]


@pytest.mark.parametrize("fields", [{"line": None, "start_line": None}, {"side": "LEFT"}])
def test_what_has_no_line_at_head_has_no_range(fields: dict[str, Any]) -> None:
    (found,) = diagnostics([finding(suggestion="x", **fields)])
    assert found["location"] == {"path": "shop/export.py"}
    assert "suggestions" not in found


def test_a_removed_line_is_named_in_the_message() -> None:
    (found,) = diagnostics([finding(side="LEFT")])
    assert "At shop/export.py:12 (before the change)." in found["message"]


@pytest.mark.parametrize(("suggestion", "text"), [("", ""), ("a\nb\n", "a\nb"), ("a\n\n", "a\n")])
def test_a_suggestion_replaces_whole_lines(suggestion: str, text: str) -> None:
    (found,) = diagnostics([finding(line=13, suggestion=suggestion)])
    assert found["suggestions"] == [{"range": {"start": {"line": 12}, "end": {"line": 13}}, "text": text}]


def test_messages_are_safe_where_reviewdog_posts_them() -> None:
    (found,) = diagnostics([finding(title="<img src=x> @octocat", body="![p](https://evil.example/p)")])
    assert "&lt;img src=x&gt; `@octocat`" in found["message"]
    assert "p (`https://evil.example/p`)" in found["message"]


def test_a_failed_run_has_no_diagnostics() -> None:
    assert diagnostics(status="failed", result=None) == []
