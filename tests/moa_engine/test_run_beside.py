"""Tasks that execute code beside the layers, in whole runs at a real endpoint with a real record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from moa_engine.committee import build_committee
from moa_engine.ledger import Fact, Ledger
from moa_engine.member import Message, PromptVersion
from moa_engine.outcome import Outcome
from moa_engine.progress import Beside, Event
from moa_engine.replay import replay
from moa_engine.session import Session, conduct, plan_for
from moa_engine.task import Ask, Question
from tests.moa_engine.sample_task import Ideas, IdeasTask
from tests.scripted_endpoint import ScriptedEndpoint

Opened = Callable[..., Session]

QUESTION = Question(PromptVersion("aside", "1"), (Message("user", "An idea beside the others?"),))


class Thinking(IdeasTask):
    """Has an idea of its own while the layers are at work: it asks ann, and waits for a gate."""

    name: ClassVar[str] = "ideas"
    keeps_facts: ClassVar[bool] = True

    def __init__(self, *, opens: int | None = 2) -> None:
        self.opens = opens  #: the layer after which the gate opens; None: never
        self.gate = asyncio.Event()
        self.begun = 0
        self.ended: list[bool] = []
        self.work: asyncio.Task[str] | None = None

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:
        self.begun += 1

        async def think() -> str:
            say("thinking")
            answer = await ask("ann", QUESTION, Ideas)
            await self.gate.wait()
            say("")
            assert isinstance(answer.value, Ideas)
            return answer.value.ideas[0].title

        self.work = asyncio.ensure_future(think())

    async def examine(self, ledger: Ledger, layer: int) -> Sequence[Fact]:
        if layer == self.opens:
            self.gate.set()
        return [Fact("seen", f"layer {layer}", data={"ideas": len(ledger.items)})]

    async def rest(self, ledger: Ledger, *, wait: bool) -> Sequence[Fact]:
        assert self.work is not None
        self.ended.append(wait)
        if not wait:
            self.work.cancel()
            return [Fact("thought", "not to its end")]
        return [Fact("thought", await self.work)]


async def run(
    session: Session, task: IdeasTask, stop: asyncio.Event | None = None, **options: Any
) -> Outcome[Any]:
    committee = build_committee(session.settings, session.plugins)
    plan = plan_for(session, task, committee)
    return await conduct(session, task, committee, plan, stop=stop or asyncio.Event(), **options)


def idea(_: Any) -> str:
    return '{"ideas": [{"title": "sing"}]}'


def told(outcome: Outcome[Any]) -> list[str]:
    return [f"{fact.kind}: {fact.text}" for fact in outcome.ledger.facts]


FACTS = ["seen: layer 1", "seen: layer 2", "thought: sing"]


def test_what_goes_on_beside_the_layers_is_waited_for_at_the_end(opened: Opened) -> None:
    watched: list[Event] = []
    with ScriptedEndpoint(idea) as endpoint:
        session = opened(endpoint.base_url, "ann bob", layers=3)
        task = Thinking()
        outcome = asyncio.run(run(session, task, observer=watched.append))
        assert endpoint.count == outcome.calls == 5  # two layers of two, and one beside them
    assert (outcome.status, told(outcome), task.ended) == ("complete", FACTS, [True])
    assert [event.says for event in watched if isinstance(event, Beside)] == ["thinking", ""]
    stored = session.record.run(outcome.run)
    assert "aside" in {attempt.prompt.name for attempt in stored.attempts}
    assert told(replay(stored, Thinking)) == FACTS


def test_the_same_run_again_takes_its_facts_from_the_record(opened: Opened) -> None:
    with ScriptedEndpoint(idea) as endpoint:
        session = opened(endpoint.base_url, "ann bob", layers=3)
        asyncio.run(run(session, Thinking()))
        again = Thinking(opens=None)
        outcome = asyncio.run(run(session, again))
        assert (endpoint.count, again.begun, told(outcome)) == (5, 0, FACTS)
        anew = Thinking()
        asyncio.run(run(opened(endpoint.base_url, "ann bob", layers=3, cache=False), anew))
        assert (endpoint.count, anew.begun) == (10, 1)


@pytest.mark.parametrize("how", ["interrupted", "deadline"])
def test_a_run_that_is_cut_short_has_what_is_known_by_then(opened: Opened, how: str) -> None:
    with ScriptedEndpoint(idea) as endpoint:
        deadline = {"stragglers": {"run_deadline": 0.5}} if how == "deadline" else {}
        session = opened(endpoint.base_url, "ann bob", layers=3, **deadline)
        task = Thinking(opens=None)

        async def interrupted() -> Outcome[Any]:
            stop = asyncio.Event()

            def watch(event: Event) -> None:
                if how == "interrupted" and getattr(event, "layer", 0) == 2:
                    asyncio.get_running_loop().call_later(0.2, stop.set)

            return await run(session, task, stop, observer=watch)

        outcome = asyncio.run(interrupted())
        again = Thinking()
        complete = asyncio.run(run(opened(endpoint.base_url, "ann bob", layers=3), again))
    assert (outcome.status, task.ended[-1]) == ("partial", False)
    assert told(outcome)[-1] == "thought: not to its end"
    assert (again.begun, told(complete)) == (1, FACTS)  # what was cut short is no result to go by
