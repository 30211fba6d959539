"""Slow members in whole runs: who is hedged, who is late, who is left out, and what the record says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from moa_engine.ask import AskTask
from moa_engine.committee import build_committee
from moa_engine.member import Reply, Request
from moa_engine.outcome import Outcome
from moa_engine.replay import replay
from moa_engine.session import Session, plan_for, run_task
from moa_engine.task import Task
from tests.moa_engine.acting import with_acting
from tests.moa_engine.sample_task import IdeasTask
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

Opened = Callable[..., Session]


def done(session: Session, task: Task[Any]) -> Outcome[Any]:
    committee = build_committee(session.settings, session.plugins)
    return run_task(session, task, committee, plan_for(session, task, committee))


def model_of(request: Any) -> str:
    return str(request["model"]).removeprefix("model-")


def test_of_a_request_and_its_hedge_the_slower_one_is_cancelled_and_both_are_recorded(opened: Opened) -> None:
    stuck = threading.Event()

    def script(request: Any) -> Scripted:
        if "the last" in str(request) and not stuck.is_set():
            stuck.set()
            return Scripted(hang=True)
        return Scripted("an answer")

    with ScriptedEndpoint(script) as endpoint:
        session = opened(endpoint.base_url, "ann", layers=1, stragglers={"hedge": True})
        for number in range(5):  # the member's history
            done(session, AskTask(f"question {number}"))
        outcome = done(session, AskTask("the last question"))
        endpoint.wait_until(lambda: endpoint.gone == 1)
    assert (outcome.status, outcome.result, outcome.calls) == ("complete", "an answer", 2)
    attempts = {attempt.purpose: attempt for attempt in session.record.run(outcome.run).attempts}
    assert (attempts["first"].error_code, attempts["first"].text) == ("cancelled", "")
    assert (attempts["hedge"].error_code, attempts["hedge"].text) == ("", "an answer")


def test_a_cancelled_call_may_have_cost_all_that_was_reserved_for_it(opened: Opened) -> None:
    script = lambda request: Scripted("x", latency=60.0 if model_of(request) == "cid" else 0.0)  # noqa: E731
    members = {"cid": {"price": {"input": 1.0, "output": 1.0}}}
    with ScriptedEndpoint(script) as endpoint:
        session = opened(endpoint.base_url, layers=2, members=members, stragglers={"quorum": 0.66})
        outcome = done(session, AskTask("Why?"))
    cut = next(attempt for attempt in session.record.run(outcome.run).attempts if attempt.member == "cid")
    assert (cut.error_code, cut.cost_usd) == ("cancelled", None)
    assert outcome.cost_usd == 0  # nobody knows what the endpoint charges for it
    assert any("may cost up to $" in warning for warning in outcome.warnings)
    assert outcome.missing == ()


def test_late_answers_are_merged_where_the_task_wants_them_and_replayed(opened: Opened) -> None:
    closed, came = asyncio.Event(), asyncio.Event()

    async def ann(request: Request) -> Reply:
        if "Layer 2" not in request.text:
            return Reply(_ideas("ann"))
        closed.set()
        await came.wait()
        await asyncio.sleep(0.1)  # bob's answer is on its way to the ledger
        return Reply(_ideas("ann again"))

    async def bob(_: Request) -> Reply:
        await closed.wait()
        came.set()
        return Reply(_ideas("bob"))

    stragglers = {"quorum": 0.5, "grace": 0}
    session = with_acting(
        opened, {"ann": ann, "bob": bob}, layers=[["ann", "bob"], ["ann"]], stragglers=stragglers
    )
    outcome = done(session, IdeasTask())
    assert {answer.member for answer in outcome.ledger.answers if answer.late} == {"bob"}
    assert (outcome.status, outcome.result) == ("complete", ["ann", "bob", "ann again"])
    again = replay(session.record.run(outcome.run), IdeasTask)
    assert (again.result, again.ledger, again.members) == (outcome.result, outcome.ledger, outcome.members)


def _ideas(*titles: str) -> str:
    return json.dumps({"ideas": [{"title": title} for title in titles]})


def test_whom_a_run_did_not_wait_for_the_same_run_does_not_ask(opened: Opened) -> None:
    with ScriptedEndpoint(_slow_cid) as endpoint:
        settings: dict[str, Any] = {"layers": 3, "stragglers": {"quorum": 0.66}}
        first = done(opened(endpoint.base_url, **settings), AskTask("Why?"))
        assert first.status == "complete"
        calls = endpoint.count
        again = [done(opened(endpoint.base_url, **settings), AskTask("Why?")) for _ in range(2)]
        assert endpoint.count == calls
    assert [run.calls for run in again] == [0, 0]
    assert [run.result for run in again] == [first.result] * 2
    assert {run.status for run in again} == {"complete"}


def test_another_committee_patience_seed_or_no_cache_asks_everybody(opened: Opened) -> None:
    with ScriptedEndpoint(_slow_cid) as endpoint:

        def asked(names: str = "ann bob cid", quorum: float = 0.66, **more: Any) -> Counter[str]:
            session = opened(endpoint.base_url, names, layers=2, stragglers={"quorum": quorum}, **more)
            outcome = done(session, AskTask("Why?"))
            # The record, not the endpoint: what leaves just before its layer closes may not arrive.
            attempts = session.record.run(outcome.run).attempts
            return Counter(attempt.member for attempt in attempts if attempt.purpose != "cached")

        assert asked() == {"ann": 2, "bob": 1, "cid": 1}
        assert asked() == {}
        assert asked(quorum=0.5)["cid"] == 1
        assert asked(seed=7)["cid"] == 1
        assert asked(cache=False)["cid"] == 1
        assert asked(members={"cid": {"temperature": 0.1}})["cid"] == 1


def _slow_cid(request: Any) -> Scripted:
    return Scripted(f"{model_of(request)} says", latency=60.0 if model_of(request) == "cid" else 0.0)


def test_a_broken_answer_is_repaired_once_and_found_again(opened: Opened) -> None:
    def script(request: Any) -> Scripted:
        return Scripted(_ideas("repaired") if len(request["messages"]) == 3 else "I would rather not.")

    with ScriptedEndpoint(script) as endpoint:
        session = opened(endpoint.base_url, "ann", layers=1)
        first = done(session, IdeasTask())
        again = done(opened(endpoint.base_url, "ann", layers=1), IdeasTask())
        assert endpoint.count == 2
    assert (first.result, first.calls) == (["repaired"], 2)
    assert (again.result, again.calls, again.cached) == (["repaired"], 0, 1)
    broken, repair = session.record.run(first.run).attempts
    assert (broken.purpose, broken.error_code, broken.text) == (
        "first",
        "broken_answer",
        "I would rather not.",
    )
    assert (repair.purpose, repair.error_code) == ("repair", "")
    assert first.cost_usd == 0
    assert first.members[0].tokens_in == 200  # the broken answer counts
