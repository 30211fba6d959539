"""The chat members of a committee, as a proof asks them beside the layers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa_engine.ledger import Fact
from moa_engine.stragglers import cancelled
from review_bot.nearby_code import NearbyCode
from review_bot.proof.asides import Judgements, ProposedAnswer, judging, proposing, room_for_code
from review_bot.proof.facts import judgement_fact
from review_bot.proof.judging import found_by_proof
from review_bot.proof.report import BehaviourReport
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.task import Ask
    from pytest_moa.proof.prove import OpenQuestion, ProposedCalls
    from review_bot.asking import Asking

#: Changes of behaviour that members are asked to judge at once.
_JUDGED = 8


@dataclass(frozen=True, slots=True)
class Members:
    """Those who can be asked. `asking` says how a voice is asked."""

    ask: Ask
    voices: Mapping[str, Voice]
    asking: Callable[[Voice], Asking]

    @property
    def names(self) -> list[str]:
        """The members that are models."""
        return [name for name, voice in self.voices.items() if not voice.deterministic]

    async def judgements(self, reports: Sequence[BehaviourReport]) -> list[Fact]:
        """What all think of changes of behaviour, the worst of them if there are many."""
        ranked = sorted(reports, key=lambda one: (-one.rank, one.id))[:_JUDGED]
        if not ranked:
            return []
        heard = await asyncio.gather(*(self._judged_by(name, ranked) for name in self.names))
        return [fact for facts in heard for fact in facts]

    async def _judged_by(self, name: str, reports: Sequence[BehaviourReport]) -> list[Fact]:
        asking = self.asking(self.voices[name])
        items = found_by_proof(one.model_copy(update={"judgement": "suspicious"}) for one in reports)
        near = NearbyCode(asking.change, asking.anchors, asking.tokens)
        code = near.shown(items, room_for_code(asking))
        answer = await self.ask(name, judging(asking, reports, code), Judgements)
        if not isinstance(answer.value, Judgements):
            return []
        said = answer.value.said(name, (one.id for one in reports))
        return [judgement_fact(id, one) for id, one in said.items()]

    async def calls(self, questions: Sequence[OpenQuestion], seconds: float) -> list[ProposedCalls]:
        """What members propose to try, of those who answer in time."""
        asked = [asyncio.ensure_future(self._calls_of(name, questions)) for name in self.names]
        try:
            done, _ = await asyncio.wait(asked, timeout=max(seconds, 0))
            return [call for one in asked if one in done for call in one.result()]
        finally:
            await cancelled(asked)

    async def _calls_of(self, name: str, questions: Sequence[OpenQuestion]) -> list[ProposedCalls]:
        from pytest_moa.proof.prove import ProposedCalls

        asked = proposing(self.asking(self.voices[name]), questions)
        if asked is None:
            return []
        question, functions = asked
        answer = await self.ask(name, question, ProposedAnswer)
        if not isinstance(answer.value, ProposedAnswer):
            return []
        by_function = answer.value.by_function(functions)
        return [ProposedCalls(function, sources, name) for function, sources in by_function.items()]
