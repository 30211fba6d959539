"""A search with chat members who propose calls, in rounds, as a review asks them.

Where the search alone has found nothing, members are shown both versions and what was tried; their calls
are run, and with what is known then they are asked again. Models have their own time, on top.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from moa_engine.committee import build_committee, require_models
from moa_engine.ledger import Fact, Ledger
from moa_engine.member import Member, PromptVersion
from moa_engine.outcome import Outcome
from moa_engine.session import Session, open_session, plan_for, run_task
from moa_engine.task import Ask, Question, Synthesis, Task
from moa_engine.tokens import TokenEstimator
from pytest_moa.proof.behaviour import BehaviourChange, Proof
from pytest_moa.proof.prove import ProposedCalls, Sides, open_questions, prove
from review_bot.anchors import Anchors
from review_bot.asking import Asking
from review_bot.change import Change
from review_bot.proof.asides import ROUNDS, besides
from review_bot.proof.members import Members
from review_bot.standing import Voice

Found = Callable[[BehaviourChange], None]


def asked_for_calls(
    config: Path, record: Path, sides: Sides, first: Proof, seconds: float, model_seconds: float, found: Found
) -> dict[str, Any]:
    """What members proposed for a comparison that `first` found nothing in, and the differences it showed.

    `seconds` are for each search with their calls, `model_seconds` for each round of answers.
    """
    flags = {"record": str(record), "layers": 1}
    with open_session(start=config.parent, config=config, flags=flags) as session:
        committee = build_committee(session.settings, session.plugins)
        require_models(committee)
        voices = {name: Voice.of(member) for name, member in committee.members.items()}
        task = _Proposing(sides, first, voices, seconds, model_seconds, found)
        return _run(session, task, committee)


def _run(session: Session, task: _Proposing, committee: Any) -> dict[str, Any]:
    outcome = run_task(session, task, committee, plan_for(session, task, committee))
    assert outcome.result is not None
    failed = {one.name: list(one.errors) for one in outcome.members if one.errors}
    return {**outcome.result, "calls_made": outcome.calls, "errors": failed}


class _Proposing(Task[dict[str, Any]]):
    """Asks beside the layers, which ask nothing."""

    name: ClassVar[str] = "calls"

    def __init__(
        self,
        sides: Sides,
        first: Proof,
        voices: Mapping[str, Voice],
        seconds: float,
        model_seconds: float,
        found: Found,
    ) -> None:
        self.sides = sides
        self.first = first
        self.voices = voices
        self.seconds = seconds
        self.model_seconds = model_seconds
        self.found = found
        self.proposed: list[dict[str, Any]] = []
        self.changes: list[BehaviourChange] = []

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:  # noqa: ARG002 - nobody watches
        self.members = Members(ask, self.voices, self._asking)

    async def rest(self, ledger: Ledger, *, wait: bool) -> Sequence[Fact]:  # noqa: ARG002 - waits always
        latest = self.first
        for number in range(1, ROUNDS + 1):
            questions = open_questions(self.sides, latest)
            calls = await self.members.calls(questions, self.model_seconds)
            self.proposed += [
                {"round": number, "by": one.by, "function": one.function, "calls": one.calls} for one in calls
            ]
            if not calls:
                break
            wanted = [one.function for one in questions]
            latest = await asyncio.to_thread(self._searched, wanted, calls)
            self.changes += latest.changes
            if latest.changes:
                break
        return ()

    def _searched(self, functions: Sequence[str], calls: Sequence[ProposedCalls]) -> Proof:
        return prove(
            self.sides, None, functions=functions, seconds=self.seconds, calls=calls, found=self.found
        )

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> dict[str, Any]:  # noqa: ARG002
        return {"proposed": self.proposed, "changes": self.changes}

    def beside(self, member: Member) -> Sequence[Question]:  # noqa: ARG002
        return besides([Question(PromptVersion("", ""))])

    def _asking(self, voice: Voice) -> Asking:
        change = Change("", "", ())
        boundary = hashlib.sha256(str(self.sides.head).encode()).hexdigest()[:16]
        return Asking(
            change,
            Anchors(change),
            f"----- {boundary} -----",
            voice.prompt_tokens,
            TokenEstimator().estimate,
        )

    def dump(self) -> Mapping[str, Any]:
        return {"head": str(self.sides.head)}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> _Proposing:
        raise NotImplementedError("it is not replayed")

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        return ()

    def answer_type(self, layer: int) -> type[BaseModel] | None:  # noqa: ARG002 - nobody answers
        return None

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:  # noqa: ARG002
        return ()

    def synthesis_type(self) -> type[BaseModel] | None:
        return None

    def dump_result(self, result: dict[str, Any]) -> Any:
        return {"proposed": result["proposed"], "changes": len(result["changes"])}

    def present(self, outcome: Outcome[dict[str, Any]], format: str) -> str:  # noqa: ARG002
        raise ValueError(f"no such format: {format!r}")
