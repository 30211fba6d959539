"""The preset `moa` against the algorithm of the paper (arXiv 2406.04692, section 2.2 and table 1).

The reference below is written from the paper's definition and shares no code with the engine: with
the same scripted answers, each model must be asked in the same layers, with the same references.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from moa_engine.ask import AskTask
from moa_engine.committee import build_committee
from moa_engine.session import open_session, plan_for, run_task
from tests.scripted_endpoint import ScriptedEndpoint, digest

QUESTION = "Name the rivers that flow into the Black Sea."
PROPOSERS = (
    "Qwen1.5-110B-Chat",
    "Qwen1.5-72B-Chat",
    "WizardLM-2-8x22B",
    "Llama-3-70b",
    "Mixtral-8x22B",
    "dbrx",
)


@dataclass(frozen=True)
class Asked:
    """One call: who, with which answers of the layer before as references."""

    model: str
    references: frozenset[str]


def scripted(model: str, references: frozenset[str]) -> str:
    """The same answer for the same model and references, as short as it is distinct."""
    return f"answer-{digest(model, sorted(references))[:12]}"


def paper(proposers: list[str], layers: int, aggregator: str) -> Iterator[Asked]:
    """x_1 = question; y_i = concat of A_{i,j}(x_i) + x_1; the last layer has one agent, the aggregator."""
    references: frozenset[str] = frozenset()
    for _ in range(layers - 1):
        asked = [Asked(model, references) for model in proposers]
        yield from asked
        references = frozenset(scripted(call.model, call.references) for call in asked)
    yield Asked(aggregator, references)


def answer(request: Any) -> str:
    return scripted(request["model"], references_in(request))


def references_in(request: Any) -> frozenset[str]:
    text = "\n".join(message["content"] for message in request["messages"])
    return frozenset(re.findall(r"answer-[0-9a-f]{12}", text))


@pytest.mark.parametrize(
    ("preset", "layers", "aggregator", "calls"),
    [("moa", 3, "Qwen1.5-110B", 13), ("moa-lite", 2, "Qwen1.5-72B", 7)],
)
def test_each_model_gets_in_each_layer_what_the_paper_gives_it(
    preset: str, layers: int, aggregator: str, calls: int, tmp_path: Any
) -> None:
    with ScriptedEndpoint(answer) as endpoint:
        settings = {
            "committee": preset,
            "base_url": endpoint.base_url,
            "record": str(tmp_path / "record"),
            "stragglers": {"quorum": 1.0, "hedge": False},
        }
        with open_session(start=tmp_path, flags=settings, environ={}) as session:
            task = AskTask(QUESTION)
            committee = build_committee(session.settings, session.plugins)
            outcome = run_task(session, task, committee, plan_for(session, task, committee))
        bodies = [received.body for received in endpoint.requests]

    models = list(dict.fromkeys(body["model"] for body in bodies[:6]))
    assert len(models) == 6
    for name in PROPOSERS:
        assert sum(name.lower() in model.lower() for model in models) == 1, name
    last = next(model for model in models if aggregator.lower() in model.lower())

    expected = Counter(paper(models, layers, last))
    assert Counter(Asked(body["model"], references_in(body)) for body in bodies) == expected
    assert outcome.calls == calls == len(bodies)
    assert outcome.result == scripted(last, references_in(bodies[-1]))
    assert all(QUESTION in body["messages"][-1]["content"] for body in bodies)
    assert {body["temperature"] for body in bodies} == {0.7}
