"""Which pull request a job is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moa_engine.errors import ConfigError
from review_bot.github.event import NoTarget, Said, Target, read_target


def of_event(tmp_path: Path, name: str, payload: Any) -> Target | NoTarget:
    path = tmp_path / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return read_target(
        None,
        None,
        {"GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)},
    )


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
@pytest.mark.parametrize("action", ["opened", "synchronize", "ready_for_review", "reopened"])
def test_a_push_to_a_pull_request(tmp_path: Path, event: str, action: str) -> None:
    pull = {"number": 7, "unknown": {"deep": [1]}}
    assert of_event(tmp_path, event, {"action": action, "pull_request": pull}) == Target(
        "o/r", 7, event, action=action
    )
    pull["head"] = {"sha": "0123456789" * 4}
    assert of_event(tmp_path, event, {"action": action, "pull_request": pull}) == Target(
        "o/r", 7, event, action=action, head="0123456789" * 4
    )


def test_only_a_new_base_makes_an_edited_pull_request_another_one(tmp_path: Path) -> None:
    payload: dict[str, Any] = {"action": "edited", "pull_request": {"number": 7}}
    titled, moved = {"title": {"from": "x"}}, {"base": {"ref": {"from": "main"}}}
    assert isinstance(of_event(tmp_path, "pull_request", {**payload, "changes": titled}), NoTarget)
    assert isinstance(of_event(tmp_path, "pull_request", {**payload, "changes": titled | moved}), Target)


@pytest.mark.parametrize("event", ["check_run", "check_suite"])
def test_a_check_that_somebody_runs_again_asks_for_a_review(tmp_path: Path, event: str) -> None:
    check: dict[str, Any] = {"head_sha": "a" * 40, "pull_requests": [{"number": 7}, {"number": 8}]}
    payload = {"action": "rerequested", event: check}
    assert of_event(tmp_path, event, payload) == Target(
        "o/r", 7, event, action="rerequested", head="a" * 40, again=True
    )
    assert isinstance(of_event(tmp_path, event, {**payload, "action": "completed"}), NoTarget)
    for nothing in ([], {}, [7], [{}], None):
        check["pull_requests"] = nothing
        assert isinstance(of_event(tmp_path, event, payload), NoTarget)


def test_a_closed_pull_request_is_no_reason_for_a_review(tmp_path: Path) -> None:
    found = of_event(tmp_path, "pull_request", {"action": "closed", "pull_request": {"number": 7}})
    assert isinstance(found, NoTarget)
    assert "closed" in found.why


def test_a_comment_on_a_pull_request(tmp_path: Path) -> None:
    payload = {
        "action": "created",
        "issue": {"number": 7, "pull_request": {"url": "..."}},
        "comment": {"id": 9, "body": "/review", "user": {"login": "ada"}},
    }
    assert of_event(tmp_path, "issue_comment", payload) == Target(
        "o/r", 7, "issue_comment", Said(9, "ada", "/review"), "created"
    )
    assert isinstance(of_event(tmp_path, "issue_comment", {**payload, "action": "edited"}), NoTarget)
    assert isinstance(of_event(tmp_path, "issue_comment", {**payload, "issue": {"number": 7}}), NoTarget)
    assert isinstance(of_event(tmp_path, "issue_comment", {**payload, "comment": {"id": 9}}), NoTarget)


@pytest.mark.parametrize("key", ["pr", "number", "pull_request"])
def test_a_workflow_started_by_hand(tmp_path: Path, key: str) -> None:
    assert of_event(tmp_path, "workflow_dispatch", {"inputs": {key: "12"}}) == Target(
        "o/r", 12, "workflow_dispatch"
    )
    with pytest.raises(ConfigError, match="without the number"):
        of_event(tmp_path, "workflow_dispatch", {"inputs": None})


def test_options_come_before_the_event(tmp_path: Path) -> None:
    environ = {"GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_PATH": str(tmp_path / "none.json")}
    assert read_target(3, "me/mine", environ) == Target("me/mine", 3)


def test_a_job_without_an_event_knows_the_pull_request_from_its_ref() -> None:
    environ = {"GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/pull/5/merge"}
    assert read_target(None, None, environ) == Target("o/r", 5)
    with pytest.raises(ConfigError, match="which pull request"):
        read_target(None, None, {"GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/heads/main"})


@pytest.mark.parametrize("name", ["", "r", "o/r/x", "../r", "o/..", "o/r\n", "o/r?x=1", "-o/r"])
def test_a_repository_has_an_owner_and_a_name(name: str) -> None:
    with pytest.raises(ConfigError, match="repository"):
        read_target(1, name, {})


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "{}",
        '{"pull_request": 7}',
        '{"pull_request": {"number": "../../1"}}',
        '{"pull_request": {"number": true}}',
        '{"pull_request": {"number": -1}}',
        '{"pull_request": {"number": 1.5}}',
        '{"pull_request": {"number": "\\u0661"}}',
    ],
)
def test_an_event_without_a_usable_number_is_about_nothing(tmp_path: Path, payload: str) -> None:
    assert isinstance(of_event(tmp_path, "push", payload), NoTarget)


@pytest.mark.parametrize("payload", ["", "{", "[" * 100_000, '{"pull_request": {"number": ' + "9" * 9000])
def test_an_event_that_is_no_json_is_refused(tmp_path: Path, payload: str) -> None:
    with pytest.raises(ConfigError, match="no JSON"):
        of_event(tmp_path, "pull_request", payload)


def test_a_target_can_be_kept_as_json() -> None:
    pushed = Target("o/r", 7, "pull_request", action="synchronize", head="a" * 40)
    commented = Target("o/r", 7, "issue_comment", Said(9, "ada", "/review"), "created")
    for target in (pushed, commented):
        assert Target.from_json("o/r", 7, json.loads(json.dumps(target.to_json()))) == target


def test_an_event_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_target(
            None, None, {"GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_PATH": str(tmp_path / "none.json")}
        )
