"""A recorded run once more, from its answers, without one call: the same ledger, the same result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moa_engine.answers import read_answer
from moa_engine.assembly import Assembly, fact_from_json
from moa_engine.errors import RecordDamaged, RecordError, RunFailed
from moa_engine.ledger import Answer, Fact
from moa_engine.outcome import MemberReport, Outcome
from moa_engine.task import Synthesis, Task

if TYPE_CHECKING:
    from pydantic import BaseModel

    from moa_engine.record import StoredRun


def replay(stored: StoredRun, task_type: type[Task[Any]]) -> Outcome[Any]:
    """The outcome of a recorded run, assembled again from what its members answered.

    Figures (calls, cost, seconds) are those of the run itself.

    Raises:
        RecordError: the run never ended.
        RecordDamaged: the result is not the recorded one, byte for byte.
    """
    if stored.outcome is None:
        raise RecordError(
            f"run {stored.id} did not end, so there is no result to repeat",
            hint=f"what its members said: moa show {stored.id}",
        )
    payload = stored.payload
    task = task_type.load(payload["task"])
    texts = {attempt.id: attempt.text for attempt in stored.attempts}
    answers: list[Answer] = []
    facts: list[Fact] = []
    synthesis: Synthesis | None = None
    for event in stored.events:
        if event.kind == "answer":
            answers.append(_answer(event.data, texts, task.answer_type(event.data["layer"])))
        elif event.kind == "facts":
            facts.extend(fact_from_json(fact) for fact in event.data["facts"])
        elif event.kind == "synthesis":
            given = [_answer(data, texts, task.synthesis_type()) for data in event.data["answers"]]
            synthesis = Synthesis(event.data["aggregator"], tuple(given))

    ledger = Assembly(task, stored.seed, payload["order"]).ledger(answers, facts)
    try:
        result = task.conclude(ledger, synthesis)
    except RunFailed:
        result = None
    dumped = None if result is None else task.dump_result(result)
    if json.dumps(dumped, sort_keys=True, ensure_ascii=False) != stored.result:
        raise RecordDamaged(
            f"run {stored.id} gives another result now than was recorded",
            hint=f"it was recorded by version {stored.version}; replay it with that one",
        )
    figures: dict[str, Any] = json.loads(stored.outcome)
    members = tuple(
        MemberReport(**{**member, "role": tuple(member["role"]), "errors": tuple(member["errors"])})
        for member in figures.pop("members")
    )
    for name in ("missing", "warnings"):
        figures[name] = tuple(figures[name])
    return Outcome(task=task, result=result, ledger=ledger, members=members, **figures)


def _answer(data: dict[str, Any], texts: dict[str, str], answer_type: type[BaseModel] | None) -> Answer:
    value: BaseModel | str | None = None
    if data["generation"]:
        value, _ = read_answer(texts[data["generation"]], answer_type)
    return Answer(**{**data, "value": value})
