"""Whole runs of plain questions, against a real endpoint, with a real record."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moa_engine.ask import AskTask
from moa_engine.committee import build_committee
from moa_engine.errors import BudgetExceeded, EgressRefused, Unpriced
from moa_engine.outcome import Outcome
from moa_engine.progress import Event, LayerStarted, MemberFinished, RunFinished, RunStarted
from moa_engine.replay import replay
from moa_engine.session import Session, plan_for, run_task
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

Opened = Callable[..., Session]


def ask(session: Session, question: str = "Why is the sky blue?", **options: Any) -> Outcome[str]:
    task = AskTask(session.redactor.mask(question))
    committee = build_committee(session.settings, session.plugins)
    return run_task(session, task, committee, plan_for(session, task, committee), **options)


def model_of(request: Any) -> str:
    return str(request["model"]).removeprefix("model-")


def text_of(request: Any) -> str:
    return "\n".join(message["content"] for message in request["messages"])


def is_aggregation(request: Any) -> bool:
    return "ann of layer" in text_of(request) and model_of(request) == "ann"


class Script:
    """Answers "NAME of layer N", where N is one more than the highest layer the member was shown."""

    def __init__(self, **special: Callable[[int], Scripted | None]) -> None:
        self.special = special

    def __call__(self, request: Any) -> Scripted:
        shown = text_of(request)
        layer = next(n for n in (4, 3, 2, 1) if n == 1 or f"of layer {n - 1}" in shown)
        special = self.special.get(model_of(request))
        return (special and special(layer)) or Scripted(f"{model_of(request)} of layer {layer}")


def test_two_layers_ask_every_proposer_and_then_the_aggregator(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2))
    assert outcome.result == "ann of layer 2"
    assert (outcome.status, outcome.calls, outcome.cached, outcome.missing) == ("complete", 4, 0, ())
    assert [model_of(received.body) for received in endpoint.requests][-1] == "ann"
    for name in ("ann", "bob", "cid"):
        assert f"{name} of layer 1" in text_of(endpoint.requests[-1].body)


def test_with_one_layer_nobody_aggregates(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        outcome = ask(opened(endpoint.base_url, "ann", layers=1))
    assert (outcome.result, outcome.calls, outcome.aggregator) == ("ann of layer 1", 1, "")


def test_the_same_question_again_costs_no_call(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        first = ask(opened(endpoint.base_url, layers=3))
        again = ask(opened(endpoint.base_url, layers=3))
        assert endpoint.count == 7
    assert (again.result, again.calls, again.cached) == (first.result, 0, 7)
    assert again.cost_usd == 0


def test_another_aggregator_pays_no_proposer_again(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        ask(opened(endpoint.base_url, layers=2))
        swapped = ask(opened(endpoint.base_url, layers=2, aggregator=["bob"]))
    assert (swapped.result, swapped.calls, swapped.cached) == ("bob of layer 2", 1, 3)


def test_without_the_cache_everybody_is_asked_again(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        ask(opened(endpoint.base_url, layers=2))
        assert ask(opened(endpoint.base_url, layers=2, cache=False)).calls == 4


def test_samples_of_one_member_are_asked_apart_and_cached_apart(opened: Opened) -> None:
    session_settings = {"layers": 2, "members": {"ann": {"samples": 3}}}
    with ScriptedEndpoint(Script()) as endpoint:
        assert ask(opened(endpoint.base_url, "ann", **session_settings)).calls == 4
        assert ask(opened(endpoint.base_url, "ann", **session_settings)).cached == 4


def test_later_layers_begin_with_the_bytes_of_earlier_ones(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        ask(opened(endpoint.base_url, layers=3))
    prompts = [text_of(received.body) for received in endpoint.requests if model_of(received.body) == "ann"]
    assert len(prompts) == 3
    for later in prompts[1:]:
        assert later.startswith(prompts[0])
        assert [m["role"] for m in endpoint.requests[-1].body["messages"]] == ["system", "user"]


def test_a_failing_member_costs_its_own_voice_and_is_named(opened: Opened) -> None:
    script = Script(bob=lambda _: Scripted("no such model", status=404))
    with ScriptedEndpoint(script) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2))
    assert (outcome.result, outcome.status, outcome.missing) == ("ann of layer 2", "partial", ("bob",))
    bob = next(member for member in outcome.members if member.name == "bob")
    assert bob.failed == 1
    assert "model-bob" in bob.errors[0]


def test_a_member_that_fails_once_is_asked_again(opened: Opened) -> None:
    tries: list[int] = []

    def busy_once(layer: int) -> Scripted | None:
        tries.append(layer)
        return Scripted("busy", status=503, headers={"retry-after-ms": "1"}) if len(tries) == 1 else None

    with ScriptedEndpoint(Script(bob=busy_once)) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2))
    assert (outcome.status, outcome.calls) == ("complete", 5)


def test_the_next_aggregator_takes_over(opened: Opened) -> None:
    script = Script(ann=lambda layer: Scripted("broken", status=400) if layer == 2 else None)
    with ScriptedEndpoint(script) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2, aggregator=["ann", "bob"]))
    assert (outcome.result, outcome.aggregator) == ("bob of layer 2", "bob")


def test_without_any_aggregator_the_answer_with_most_support_stands(opened: Opened) -> None:
    answers = {"ann": "The answer is forty-two.", "bob": "It is forty-two, the answer.", "cid": "Bananas."}

    def script(request: Any) -> Scripted:
        if "It is forty-two" in text_of(request):
            return Scripted("broken", status=400)
        return Scripted(answers[model_of(request)])

    with ScriptedEndpoint(script) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2, aggregator=["ann", "bob"]))
    assert outcome.result in (answers["ann"], answers["bob"])
    assert (outcome.status, outcome.aggregator) == ("partial", "")
    assert any("ann" in warning for warning in outcome.warnings)


def test_when_nobody_answers_the_run_fails_and_is_recorded(opened: Opened) -> None:
    with ScriptedEndpoint(lambda _: Scripted("no", status=400)) as endpoint:
        session = opened(endpoint.base_url)
        outcome = ask(session)
    assert (outcome.status, outcome.result, outcome.missing) == ("failed", None, ("ann", "bob", "cid"))
    assert session.record.run("last").status == "failed"
    assert session.record.verify().ok


def test_a_quorum_goes_on_without_the_slowest(opened: Opened) -> None:
    script = Script(cid=lambda layer: Scripted("late", latency=30.0) if layer == 1 else None)
    with ScriptedEndpoint(script) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2, stragglers={"quorum": 0.66}))
        endpoint.wait_until(lambda: endpoint.gone == 1)  # it was really cancelled
    assert (outcome.result, outcome.status) == ("ann of layer 2", "complete")
    assert outcome.seconds < 30


def test_a_deadline_gives_the_best_partial_result(opened: Opened) -> None:
    script = Script(cid=lambda _: Scripted("late", latency=30.0))
    with ScriptedEndpoint(script) as endpoint:
        stragglers = {"layer_deadline": 0.3}
        outcome = ask(opened(endpoint.base_url, layers=2, stragglers=stragglers))
    assert (outcome.result, outcome.status, outcome.missing) == ("ann of layer 2", "partial", ("cid",))


def test_a_run_deadline_ends_a_run_that_has_no_synthesis_yet(opened: Opened) -> None:
    script = Script(ann=lambda layer: Scripted("late", latency=30.0) if layer == 2 else None)
    with ScriptedEndpoint(script) as endpoint:
        stragglers = {"run_deadline": 0.5}
        outcome = ask(opened(endpoint.base_url, layers=2, stragglers=stragglers))
    assert outcome.status == "partial"
    assert outcome.result in {f"{name} of layer 1" for name in ("ann", "bob", "cid")}


def test_a_replay_is_the_same_byte_for_byte_and_calls_nobody(opened: Opened) -> None:
    with ScriptedEndpoint(Script(bob=lambda _: Scripted("no", status=400))) as endpoint:
        session = opened(endpoint.base_url, layers=3)
        outcome = ask(session)
        calls = endpoint.count
    again = replay(session.record.run(outcome.run), AskTask)
    assert AskTask("").present(again, "json") == AskTask("").present(outcome, "json")
    assert endpoint.count == calls


def test_every_attempt_is_in_the_record_with_what_was_sent(opened: Opened) -> None:
    with ScriptedEndpoint(Script(bob=lambda _: Scripted("no", status=400))) as endpoint:
        session = opened(endpoint.base_url, layers=2)
        outcome = ask(session)
    stored = session.record.run(outcome.run)
    assert len(stored.attempts) == outcome.calls
    sent = sorted(text_of(received.body) for received in endpoint.requests)
    assert sorted("\n".join(m.content for m in attempt.messages) for attempt in stored.attempts) == sent
    failed = [attempt for attempt in stored.attempts if attempt.error_code]
    assert [attempt.member for attempt in failed] == ["bob"]
    assert all(attempt.prompt.version for attempt in stored.attempts)
    assert session.record.verify().ok


def test_a_budget_is_a_hard_cap(opened: Opened) -> None:
    price = {"price": {"input": 1000.0, "output": 1000.0}}
    members = dict.fromkeys(("ann", "bob", "cid"), price)
    with ScriptedEndpoint(Script()) as endpoint:
        session = opened(endpoint.base_url, layers=2, members=members, budget=0.01)
        with pytest.raises(BudgetExceeded):
            ask(session)
        assert endpoint.count == 0


def test_a_hosted_member_without_a_price_stops_the_run_before_any_call(opened: Opened) -> None:
    session = opened("http://models.example.invalid/v1")
    with pytest.raises(Unpriced, match="ann"):
        ask(session)


def test_local_only_refuses_a_public_host_before_any_call(opened: Opened) -> None:
    session = opened("http://8.8.8.8/v1", local_only=True)
    with pytest.raises(EgressRefused, match="ann"):
        ask(session)


def test_secrets_in_a_question_are_masked_before_they_leave(opened: Opened, tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    with ScriptedEndpoint(Script()) as endpoint:
        session = opened(endpoint.base_url, layers=2)
        outcome = ask(session, f"What does {token} open?")
        session.record.flush()
    assert outcome.masked_secrets == 1
    assert not any(token in text_of(received.body) for received in endpoint.requests)
    with closing(sqlite3.connect(tmp_path / "record.sqlite")) as database, database:
        assert not any(token in line for line in database.iterdump())
    assert not any(token in line for line in session.record.export(outcome.run))


def test_an_observer_hears_of_layers_members_and_the_end(opened: Opened) -> None:
    events: list[Event] = []
    with ScriptedEndpoint(Script()) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2), observer=events.append)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [event.layer for event in events if isinstance(event, LayerStarted)] == [1, 2]
    assert sum(isinstance(event, MemberFinished) for event in events) == outcome.calls


def test_stopping_gives_the_best_partial_result(opened: Opened) -> None:
    from moa_engine.session import conduct

    script = Script(cid=lambda _: Scripted("late", latency=30.0))

    async def stopped(session: Session) -> Outcome[str]:
        task = AskTask("Why?")
        committee = build_committee(session.settings, session.plugins)
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        return await conduct(session, task, committee, plan_for(session, task, committee), stop=stop)

    with ScriptedEndpoint(script) as endpoint:
        session = opened(endpoint.base_url, layers=2)
        outcome = asyncio.run(stopped(session))
        endpoint.wait_until(lambda: endpoint.gone == 1)
    assert (outcome.status, outcome.missing) == ("partial", ("cid",))
    assert outcome.result in ("ann of layer 1", "bob of layer 1")
    assert "interrupted" in outcome.warnings[0]
    again = replay(session.record.run(outcome.run), AskTask)
    assert again.task.present(again, "json") == outcome.task.present(outcome, "json")


def test_outcomes_are_json_with_the_documented_fields(opened: Opened) -> None:
    with ScriptedEndpoint(Script()) as endpoint:
        outcome = ask(opened(endpoint.base_url, layers=2))
    data = json.loads(outcome.task.present(outcome, "json"))
    assert {"answer", "status", "run", "calls", "cached", "cost_usd", "seconds", "members"} <= data.keys()
    assert data["members"][0].keys() >= {"name", "kind", "model", "role", "calls", "cached", "failed"}


@pytest.mark.parametrize("broken", [Scripted(""), Scripted("  ", finish_reason="length")])
def test_a_broken_answer_is_paid_for_what_it_used(opened: Opened, broken: Scripted) -> None:
    members = {"ann": {"price": {"input": 1.0, "output": 1.0}}}
    with ScriptedEndpoint(lambda _: broken) as endpoint:
        outcome = ask(opened(endpoint.base_url, "ann", layers=1, members=members, attempts=1))
    [ann] = outcome.members
    assert (outcome.status, ann.failed) == ("failed", 1)
    assert ann.tokens_in > 0
    assert outcome.cost_usd == pytest.approx((ann.tokens_in + ann.tokens_out) / 1e6)
