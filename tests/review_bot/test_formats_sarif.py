import json
from typing import Any

import jsonschema
import pytest

from review_bot.change import Change, ChangedFile, Hunk
from review_bot.finding import ReportedFinding
from review_bot.formats import render
from tests.review_bot.review_outcomes import BASE, CHANGE, HEAD, HUNK, finding, outcome


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object that has the required properties and no others than these."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def array(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
POSITIVE = {"type": "integer", "minimum": 1}
MESSAGE = closed("text", text=TEXT)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
ARTIFACT = closed("uri", uri={"type": "string", "pattern": r"^[!-~]*$"}, uriBaseId=TEXT)
REGION = closed("startLine", startLine=POSITIVE, startColumn=POSITIVE, endLine=POSITIVE, endColumn=POSITIVE)
REPLACEMENT = closed("deletedRegion", deletedRegion=REGION, insertedContent=closed("text", text=TEXT))

#: The part of SARIF 2.1.0 that we write, as the OASIS schema has it, with nothing else allowed.
SCHEMA = closed(
    "version runs",
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs=array(
        closed(
            "tool",
            tool=closed(
                "driver",
                driver=closed(
                    "name",
                    name=TEXT,
                    version=TEXT,
                    rules=array(
                        closed(
                            "id shortDescription fullDescription help",  # the last three for GitHub
                            id=TEXT,
                            shortDescription=MESSAGE,
                            fullDescription=MESSAGE,
                            help=MESSAGE,
                            properties={"type": "object"},
                        ),
                        uniqueItems=True,
                    ),
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            invocations=array(
                closed(
                    "executionSuccessful",
                    executionSuccessful={"type": "boolean"},
                    toolExecutionNotifications=array(closed("message", level=LEVEL, message=MESSAGE)),
                )
            ),
            results=array(
                closed(
                    "message",
                    ruleId=TEXT,
                    ruleIndex={"type": "integer", "minimum": 0},
                    level=LEVEL,
                    message=MESSAGE,
                    locations=array(
                        closed(
                            "",
                            physicalLocation=closed(
                                "artifactLocation", artifactLocation=ARTIFACT, region=REGION
                            ),
                        )
                    ),
                    partialFingerprints={"type": "object", "additionalProperties": TEXT},
                    properties={"type": "object"},
                    fixes=array(
                        closed(
                            "artifactChanges",
                            description=MESSAGE,
                            artifactChanges=array(
                                closed(
                                    "artifactLocation replacements",
                                    artifactLocation=ARTIFACT,
                                    replacements=array(REPLACEMENT, minItems=1),
                                ),
                                minItems=1,
                            ),
                        )
                    ),
                )
            ),
            properties={"type": "object"},
        )
    ),
)


def run_of(findings: list[ReportedFinding] | None = None, change: Change = CHANGE, **more: Any) -> Any:
    text = render(outcome(findings, change, **more), "sarif")
    assert text.isascii()
    log = json.loads(text)
    jsonschema.validate(log, SCHEMA, jsonschema.Draft202012Validator)
    assert len(log["runs"]) == 1
    return log["runs"][0]


def test_one_run_of_one_tool_with_a_rule_for_every_result() -> None:
    run = run_of()
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "pytest-moa"
    assert [rule["id"] for rule in rules] == ["security/S602", "bug", "api", "style"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_only_confirmed_findings_are_louder_than_a_note_and_rejected_ones_are_left_out() -> None:
    severities = ("critical", "major", "minor", "nit")
    run = run_of(
        [finding(severity=severity) for severity in severities]
        + [finding(standing=standing) for standing in ("minority", "disputed", "rejected")]
    )
    levels = [(result["properties"]["standing"], result["level"]) for result in run["results"]]
    assert levels == [
        ("confirmed", "error"),
        ("confirmed", "error"),
        ("confirmed", "warning"),
        ("confirmed", "note"),
        ("minority", "note"),
        ("disputed", "note"),
    ]


def test_a_result_says_where_and_who() -> None:
    result = run_of()["results"][0]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "shop/export.py"
    assert location["region"] == {"startLine": 12, "endLine": 12}
    assert result["message"]["text"].endswith("confirmed: raised by ruff, qwen; seconded by mistral")


@pytest.mark.parametrize("fields", [{"line": None, "start_line": None}, {"side": "LEFT"}])
def test_what_has_no_line_at_head_has_no_region(fields: dict[str, Any]) -> None:
    result = run_of([finding(suggestion="x", **fields)])["results"][0]
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert "fixes" not in result


def test_paths_become_uris() -> None:
    paths = ["a b/ü.py", "c:d.py", "100%.py", "caf\udce9.py"]
    found = [finding().model_copy(update={"path": path}) for path in paths]
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run_of(found)["results"]
    ]
    assert uris == ["a%20b/%C3%BC.py", "c%3Ad.py", "100%25.py", "caf%E9.py"]


def test_a_suggestion_is_a_fix_of_whole_lines() -> None:
    change, *_ = run_of([finding(line=13, suggestion="one\ntwo\n")])["results"][0]["fixes"][0][
        "artifactChanges"
    ]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 12, "startColumn": 1, "endLine": 13},
            "insertedContent": {"text": "one\ntwo"},
        }
    ]


def test_an_empty_suggestion_takes_the_line_ends_with_it() -> None:
    change, *_ = run_of([finding(line=13, suggestion="")])["results"][0]["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {"deletedRegion": {"startLine": 12, "startColumn": 1, "endLine": 14, "endColumn": 1}}
    ]


def fingerprints(findings: list[ReportedFinding], change: Change = CHANGE) -> list[str]:
    return [
        result["partialFingerprints"]["primaryLocationLineHash"]
        for result in run_of(findings, change)["results"]
    ]


def test_a_fingerprint_survives_moved_lines_and_other_words() -> None:
    moved = Hunk(10, 5, 60, 6, "", HUNK.body)
    later = Change(BASE, HEAD, (ChangedFile("shop/export.py", "modified", (moved,)),))
    before = fingerprints([finding()])
    assert fingerprints([finding(start_line=62, line=62, title="Said otherwise")], later) == before
    assert fingerprints([finding(start_line=63, line=63)], later) != before
    assert fingerprints([finding(start_line=62, line=62, category="bug")], later) != before


def test_equal_findings_have_counted_fingerprints() -> None:
    first, second = fingerprints([finding(), finding(id="bbbb0001")])
    assert first.removesuffix(":1") == second.removesuffix(":2")


def test_a_link_in_a_models_words_stays_words() -> None:
    text = run_of([finding(body="[see](https://evil.example) [this](1)")])["results"][0]["message"]["text"]
    assert "](" not in text


def test_a_failed_run_is_a_log_of_an_unsuccessful_invocation() -> None:
    run = run_of(status="failed", result=None, missing=("llama",))
    assert run["results"] == []
    assert run["invocations"][0] == {
        "executionSuccessful": False,
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": {"text": "No answer from llama: no complete answer within 120 s"},
            }
        ],
    }
