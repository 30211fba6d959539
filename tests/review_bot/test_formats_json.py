import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from moa_engine.outcome import Outcome
from review_bot.change import Change, NotReviewed
from review_bot.finding import ReportedFinding, Review
from review_bot.formats import render
from review_bot.standing import Voice
from tests.review_bot.review_outcomes import BASE, CHANGE, FINDINGS, HEAD, finding, outcome

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "review-1.schema.json").read_text("utf-8"))


def written(given: Outcome[Review]) -> dict[str, Any]:
    text = render(given, "json")
    assert text.endswith("}\n")
    assert text.isascii()
    data: dict[str, Any] = json.loads(text)
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    return data


def test_a_review_has_the_fields_that_were_promised() -> None:
    data = written(outcome())
    assert list(data)[:12] == [
        "schema",
        "base",
        "head",
        "status",
        "findings",
        "members",
        "not_reviewed",
        "masked_secrets",
        "run",
        "cost_usd",
        "seconds",
        "calls",
    ]
    assert (data["schema"], data["base"], data["head"], data["status"]) == (
        "review/1",
        BASE,
        HEAD,
        "complete",
    )
    assert (data["calls"], data["cached"], data["cost_usd"], data["seconds"]) == (8, 1, 0.0123, 4.2517)
    assert data["not_reviewed"] == [
        {"path": "uv.lock", "why": "lock file"},
        {"path": "static/app.min.js", "why": "minified"},
    ]
    first, second = data["findings"][:2]
    assert (first["standing"], first["reason"]) == ("rejected", "qwen: the order is documented")
    assert (second["raised_by"], second["seconded_by"]) == (["ruff", "qwen"], ["mistral"])
    assert data["members"][3]["errors"] == ["no complete answer within 120 s"]


def test_findings_come_back_as_they_went_in() -> None:
    data = written(outcome())
    assert [ReportedFinding.model_validate(found) for found in data["findings"]] == FINDINGS


def test_the_schema_describes_every_field_that_is_written() -> None:
    data = written(outcome())
    assert set(data) == set(SCHEMA["properties"])
    assert set(data["findings"][0]) == set(SCHEMA["$defs"]["finding"]["properties"])
    assert set(data["members"][0]) == set(SCHEMA["$defs"]["member"]["properties"])


def test_members_come_with_their_track_records() -> None:
    voices = {"qwen": Voice("qwen", weight=1.3, track="named 34% of the defects; its word counts 1.3")}
    data = written(outcome(task=SimpleNamespace(change=CHANGE, voices=voices)))
    told = {one["name"]: (one["weight"], one["track_record"]) for one in data["members"]}
    assert told["qwen"] == (1.3, "named 34% of the defects; its word counts 1.3")
    assert told["mistral"] == (1.0, "")


@pytest.mark.parametrize("broken", [{"standing": "sure"}, {"line": 0}, {"severity": None}])
def test_the_schema_refuses_what_is_no_finding(broken: dict[str, Any]) -> None:
    data = written(outcome())
    data["findings"][0] |= broken
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_a_failed_run_is_json_too() -> None:
    data = written(outcome(status="failed", result=None, missing=("llama",), cost_usd=None))
    assert (data["status"], data["findings"], data["cost_usd"]) == ("failed", [], None)
    assert data["missing"] == ["llama"]


def test_hostile_text_cannot_steer_a_terminal_and_broken_unicode_is_mended() -> None:
    hostile = finding(title="\x1b]0;owned\x07", body="\u202egnp.exe 日本")
    change = Change(BASE, HEAD, (), (NotReviewed("caf\udce9.bin", "binary"),))
    data = written(outcome([hostile], change))
    assert data["findings"][0]["title"] == "\x1b]0;owned\x07"
    assert data["findings"][0]["body"] == "\u202egnp.exe 日本"
    assert data["not_reviewed"][0]["path"] == "caf\ufffd.bin"


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(ValueError, match="no such format: 'yaml'; known are text, json, sarif"):
        render(outcome(), "yaml")
