"""Whole reviews: chat reviewers at a real endpoint, a tool, an aggregator, a record, a replay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from moa_engine.committee import build_committee
from moa_engine.outcome import Outcome
from moa_engine.replay import replay
from moa_engine.session import Session, open_session, plan_for, run_task
from review_bot.finding import Review
from review_bot.review_task import ReviewTask
from review_bot.standing import Voice
from tests.review_bot.sample_change import change
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

BASE = "def mean(items):\n    return sum(items) / max(len(items), 1)\n"
HEAD = "def mean(items, seen=[]):\n    return sum(items) / len(items)\n"
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"
CHANGE = change({"stats.py": BASE}, {"stats.py": HEAD, "token.cfg": f"token = {TOKEN}\n"})

ZERO = {
    "path": "stats.py",
    "quote": "return sum(items) / len(items)",
    "title": "Division by zero for an empty list",
    "body": "mean([]) raises ZeroDivisionError.",
    "severity": "major",
    "category": "bug",
    "suggestion": "",
}
NOISE = {**ZERO, "quote": "", "title": "The module has no licence header", "body": "", "severity": "critical"}

Opened = Callable[..., Session]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:

        def open_one(base_url: str, **settings: Any) -> Session:
            names = ("ann", "bob", "cid")
            members: dict[str, Any] = {
                name: {"model": f"model-{name}", "base_url": base_url, "family": name} for name in names
            }
            flags = {
                "record": str(tmp_path / "record.sqlite"),
                "members": {**members, "ruff": {"kind": "ruff"}},
                "layers": 3,
                "aggregator": ["cid"],
                "stragglers": {"hedge": False},
                **settings,
            }
            return stack.enter_context(open_session(start=tmp_path, flags=flags, environ={}))

        yield open_one


def review(session: Session) -> Outcome[Review]:
    committee = build_committee(session.settings, session.plugins)
    task = ReviewTask(
        CHANGE,
        repository=None,
        mask=session.redactor.mask,
        voices={name: Voice.of(member) for name, member in committee.members.items()},
    )
    return run_task(session, task, committee, plan_for(session, task, committee))


def script(request: Any) -> Scripted:
    """ann finds the division, bob makes noise; in layer 2 bob agrees and cid disputes the noise."""
    name = request["model"].removeprefix("model-")
    text = "\n".join(message["content"] for message in request["messages"])
    ids = {title: found for found, title in re.findall(r"\[([0-9a-f]{8})\] stats.py: (.*) \(", text)}
    answer: dict[str, Any]
    if "Settle these findings" in text:
        answer = {"decisions": [{"ids": ["ffffffff"], "verdict": "rejected", "reason": "made up"}], "new": []}
    elif "Check each claim" in text:
        said = {"bob": (ZERO, "agree", "len can be 0"), "cid": (NOISE, "dispute", "none is asked for")}
        stances = []
        if name in said and said[name][0]["title"] in ids:
            about, position, why = said[name]
            stances.append({"id": ids[about["title"]], "why": why, "position": position})
        answer = {"stances": stances, "findings": []}
    else:
        answer = {"findings": {"ann": [ZERO], "bob": [NOISE], "cid": []}[name]}
    return Scripted(json.dumps(answer))


def test_a_committee_reviews_a_change(opened: Opened) -> None:
    with ScriptedEndpoint(script) as endpoint:
        outcome = review(opened(endpoint.base_url))
        sent = "\n".join(json.dumps(received.body) for received in endpoint.requests)
    assert (outcome.status, outcome.missing, outcome.aggregator) == ("complete", (), "cid")
    assert endpoint.count == 3 + 3 + 1
    assert outcome.result is not None
    found = {finding.title: finding for finding in outcome.result.findings}
    zero, noise = found[ZERO["title"]], found[NOISE["title"]]
    assert (zero.standing, zero.raised_by, zero.seconded_by, zero.line) == ("confirmed", ["ann"], ["bob"], 2)
    assert (noise.standing, noise.disputed_by, noise.reason) == (
        "disputed",
        ["cid"],
        "cid: none is asked for",
    )
    assert [finding.standing for finding in found.values() if finding.raised_by == ["ruff"]] == ["confirmed"]
    assert outcome.result.objections == ["cid: ffffffff is not the id of any item"]
    fates = outcome.task.fates(outcome)
    assert fates.keys() == {item.id for item in outcome.ledger.items}
    assert any("disputed" in fate and "none is asked for" in fate for fate in fates.values())
    assert TOKEN not in sent
    assert outcome.masked_secrets == 1


def test_the_same_review_again_makes_no_call_and_replays_byte_for_byte(opened: Opened) -> None:
    with ScriptedEndpoint(script) as endpoint:
        first = review(opened(endpoint.base_url))
        session = opened(endpoint.base_url)
        again = review(session)
        assert endpoint.count == 7
        committee = build_committee(session.settings, session.plugins, standing=["ruff"])
        assert plan_for(session, first.task, committee).in_record == 4  # all of layer 1
    assert again.result == first.result
    assert again.calls == 0
    repeated = replay(session.record.run(first.run), ReviewTask)
    assert repeated.result == first.result
    assert repeated.task.present(repeated, "json") == first.task.present(first, "json")


def test_a_proposer_of_tests_on_the_committee_has_no_part_in_a_review(opened: Opened) -> None:
    with ScriptedEndpoint(script) as endpoint:
        session = opened(endpoint.base_url)
        session.settings.members["finder"] = {"kind": "boundaries"}
        outcome = review(session)
    assert (outcome.status, outcome.missing) == ("complete", ())
    assert "finder" not in {member.name for member in outcome.members}


def test_a_new_member_is_the_only_one_that_is_paid(opened: Opened) -> None:
    with ScriptedEndpoint(script) as endpoint:
        review(opened(endpoint.base_url, layers=[["ann", "bob"]], aggregator=[]))
        wider = review(opened(endpoint.base_url, layers=[["ann", "bob", "cid"]], aggregator=[]))
    assert (wider.calls, wider.cached) == (1, 2)
    assert endpoint.requests[-1].body["model"] == "model-cid"


def test_a_failing_reviewer_is_named_and_costs_nobody_elses_findings(opened: Opened) -> None:
    def without_bob(request: Any) -> Scripted:
        return Scripted("gone", status=404) if request["model"] == "model-bob" else script(request)

    with ScriptedEndpoint(without_bob) as endpoint:
        outcome = review(opened(endpoint.base_url))
    assert (outcome.status, outcome.missing) == ("partial", ("bob",))
    assert outcome.result is not None
    [zero] = [finding for finding in outcome.result.findings if finding.title == ZERO["title"]]
    assert zero.standing == "minority"


@pytest.mark.parametrize(
    "garbage", ["", "I think this is fine.", '{"findings": [{"path": "stats.py"', '{"answer": 42}']
)
def test_garbage_is_a_failure_and_no_empty_review(opened: Opened, garbage: str) -> None:
    def broken(request: Any) -> Scripted:
        return Scripted(garbage) if request["model"] == "model-bob" else script(request)

    with ScriptedEndpoint(broken) as endpoint:
        outcome = review(opened(endpoint.base_url, attempts=2))
    assert outcome.missing == ("bob",)
    assert outcome.result is not None
    assert any(finding.title == ZERO["title"] for finding in outcome.result.findings)
