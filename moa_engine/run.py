"""A run: one task, one committee, from the first proposer to the result.

    layer 1      every proposer answers by itself
    layers 2..   proposers see all answers of the layer before, and the facts
    aggregation  the first aggregator that answers; else the deterministic one

A task may execute code beside the layers: it begins with the run, tells facts after each layer, and the
rest of them before the aggregation.

Whatever fails, is late or is interrupted costs its own voice. What came is in the record and in the
result, and who is missing is named.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from moa_engine.assembly import Assembly, answer_to_json, fact_to_json
from moa_engine.caller import Caller, Tally
from moa_engine.committee import Committee
from moa_engine.errors import RecordError, RunFailed
from moa_engine.ledger import Answer, Fact, Ledger
from moa_engine.outcome import MemberReport, Outcome, Status
from moa_engine.prices import dollars
from moa_engine.progress import Beside, LayerStarted, Observer, RunFinished, RunStarted
from moa_engine.same_run import Asked, known_facts, left_out, run_key
from moa_engine.stragglers import cancelled, layer_closed
from moa_engine.task import Question, Synthesis, Task

if TYPE_CHECKING:
    from pydantic import BaseModel

    from moa_engine.config import Stragglers
    from moa_engine.plan import Plan
    from moa_engine.record import Record

ResultT = TypeVar("ResultT")


def new_run_id() -> str:
    """An id that sorts by time and does not repeat."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def seed_of(task: Task[Any]) -> int:
    """The default seed: the same for the same subject, so that the same prompts are asked again.

    It must not depend on who sits on the committee: a new member would change the prompts of all.
    """
    text = task.subject_digest or json.dumps(task.dump(), sort_keys=True, ensure_ascii=True, default=str)
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


@dataclass(slots=True)
class _Layer:
    """One proposer layer while it is at work."""

    seats: dict[object, list[asyncio.Task[Answer]]] = field(default_factory=dict)
    closed: bool = False


def _good(asked: asyncio.Future[Answer]) -> bool:
    """Whether it has been answered with something that can be used."""
    return asked.done() and asked.result().value is not None


class Run(Generic[ResultT]):
    """The state of one run. `execute` does it all; everything else is a step of it."""

    def __init__(
        self,
        task: Task[ResultT],
        committee: Committee,
        *,
        caller: Caller,
        record: Record,
        stragglers: Stragglers,
        plan: Plan,
        seed: int,
        observer: Observer,
        version: str,
        masked: Callable[[], int],
        warnings: list[str],
    ) -> None:
        self.masked = masked
        self.task = task
        self.committee = committee
        self.caller = caller
        self.record = record
        self.stragglers = stragglers
        self.quorum = stragglers.quorum or task.patience.quorum
        self.grace = task.patience.grace if stragglers.grace is None else stragglers.grace
        self.plan = plan
        self.seed = seed
        self.observer = observer
        self.version = version
        self.assembly = Assembly(task, seed, list(committee.members))
        self.answers: list[Answer] = []
        self.facts: list[Fact] = []
        self.synthesis: Synthesis | None = None
        self.warnings = warnings
        self.cut_short = False  #: stopped by a deadline or by the user
        self.unsynthesised = False  #: aggregators were asked, and none answered
        self._waiting: dict[asyncio.Task[Answer], Answer] = {}  #: asked; the answer that "cancelled" would be
        self._faults: list[BaseException] = []  #: of ours, not of members
        self._layer = 1  #: the layer at work
        self._known: Mapping[int, Sequence[Fact]] | None = None  #: the same run's facts before, by layer
        self._rested = False  #: all facts are there
        self._left_out: frozenset[Asked] = frozenset()  #: whom the same run did not wait for before

    async def execute(self, stop: asyncio.Event | None = None) -> Outcome[ResultT]:
        """Do the run. Setting `stop` ends it early with the best partial result.

        Raises:
            RecordError: the record cannot be written; nothing has been called.
        """
        payload = self.task.dump()
        key = run_key(
            self.task.name, payload, self.committee, seed=self.seed, quorum=self.quorum, grace=self.grace
        )
        if self.caller.use_cache:
            self._left_out = left_out(self.record, key, merges_late=self.task.merges_late)
            if self.task.keeps_facts:
                self._known = known_facts(self.record, key)
        self.record.start_run(
            run=self.caller.run,
            key=key,
            task=self.task.name,
            committee=self.committee.name,
            payload={"task": payload, "order": list(self.committee.members)},
            plan=self.plan.to_json(),
            seed=self.seed,
            version=self.version,
        )
        start = time.perf_counter()
        self.observer(RunStarted(self.caller.run, self.task.name, self.plan.calls))
        work = asyncio.ensure_future(self._work())
        stopped = asyncio.ensure_future(stop.wait() if stop else asyncio.Event().wait())
        try:
            await asyncio.wait(
                {work, stopped}, timeout=self.stragglers.run_deadline, return_when=asyncio.FIRST_COMPLETED
            )
            if not work.done():
                self.cut_short = True
                why = "interrupted" if stopped.done() else "the run's deadline passed"
                self.warnings.append(f"{why}: this is the best partial result")
            elif (fault := work.exception()) is not None:
                self._faults.insert(0, fault)
        finally:
            await cancelled([work, stopped])
            await self._dismiss()
            if not self._rested:
                await self._rest(wait=False)
        if self._faults:
            raise self._faults[0]
        return self._finish(start)

    async def _work(self) -> None:
        if self._known is None:
            self.task.begin(self._ask, lambda says: self.observer(Beside(says)))
        for number, names in enumerate(self.committee.layers, 1):
            self._layer = number
            await self._propose(number, names)
            if self._known is not None:
                self._learn(number, self._known.get(number, ()))
            else:
                self._learn(number, await self.task.examine(self.ledger(), number))
        await self._rest(wait=True)
        await self._aggregate(len(self.committee.layers) + 1)

    async def _rest(self, *, wait: bool) -> None:
        """The facts that are still to come."""
        layer = len(self.committee.layers) + 1
        if self._known is not None:
            found = self._known.get(layer, ())
        else:
            found = await self.task.rest(self.ledger(), wait=wait)
        self._rested = True
        self._learn(layer, found)

    def _learn(self, layer: int, found: Sequence[Fact]) -> None:
        self.facts.extend(found)
        if found:
            self._event("facts", {"layer": layer, "facts": [fact_to_json(fact) for fact in found]})

    async def _ask(self, member: str, question: Question, answer_type: type[BaseModel] | None) -> Answer:
        return await self.caller.ask(
            self.committee.members[member],
            question,
            role="proposer",
            layer=self._layer,
            sample=0,
            answer_type=answer_type,
            subject=self.task.subject,
            subject_digest=self.task.subject_digest,
            wanted=lambda: not self._rested,
        )

    def ledger(self) -> Ledger:
        """All that is known by now."""
        return self.assembly.ledger(self.answers, self.facts)

    async def _propose(self, number: int, names: Sequence[str]) -> None:
        ledger = self.ledger()
        layer = _Layer()
        answer_type = self.task.answer_type(number)
        for name in names:
            member = self.committee.members[name]
            questions = self.task.questions(member, number, ledger)
            for sample, question in itertools.product(range(member.samples), questions):
                missed = Answer(
                    name, number, sample, question.unit, None, error="cancelled", error_code="cancelled"
                )
                if (name, number, sample, question.unit) in self._left_out:
                    self._heard(missed)
                    continue
                work = asyncio.ensure_future(
                    self.caller.ask(
                        member,
                        question,
                        role="proposer",
                        layer=number,
                        sample=sample,
                        answer_type=answer_type,
                        subject=self.task.subject,
                        subject_digest=self.task.subject_digest,
                        wanted=lambda: not layer.closed,
                    )
                )
                self._waiting[work] = missed
                work.add_done_callback(lambda done: self._answered(done, layer))
                layer.seats.setdefault((name, sample), []).append(work)
        self.observer(LayerStarted(number, len(self.committee.layers) + 1, len(layer.seats)))
        await asyncio.sleep(0)  # by now the answers that are in the record are there
        in_time = await layer_closed(
            layer.seats,
            answered=_good,
            quorum=self.quorum,
            grace=self.grace,
            deadline=self.stragglers.layer_deadline,
            earlier={seat: self._earlier(asked) for seat, asked in layer.seats.items()},
        )
        if not in_time:
            self.cut_short = True
            self.warnings.append(f"layer {number} closed at its deadline, before all had answered")
        await asyncio.sleep(0)  # who is done by now has its callback in the loop's next turn
        layer.closed = True

    def _earlier(self, asked: Sequence[asyncio.Task[Answer]]) -> float:
        """Seconds that a seat's answers took when they were made, if they come from the record; else 0."""
        there = (work.result().generation for work in asked if _good(work))
        return max((self.caller.earlier.get(generation, 0.0) for generation in there), default=0.0)

    def _answered(self, work: asyncio.Task[Answer], layer: _Layer) -> None:
        missed = self._waiting.pop(work)
        if work.cancelled():
            self._heard(missed)
        elif (fault := work.exception()) is not None:
            self._faults.append(fault)
        else:
            self._heard(replace(work.result(), late=layer.closed))

    def _heard(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._warn_of_cut(answer)
        self._event("answer", answer_to_json(answer))

    def _warn_of_cut(self, answer: Answer) -> None:
        warning = f"{answer.member}: an answer was cut off, and what of it is whole counts; raise max_tokens"
        if answer.cut and warning not in self.warnings:
            self.warnings.append(warning)

    async def _aggregate(self, layer: int) -> None:
        for name in self.committee.aggregators:
            member = self.committee.members[name]
            questions = self.task.synthesis(member, self.ledger())
            if not questions:
                return
            self.observer(LayerStarted(layer, layer, 1))
            work = [
                asyncio.ensure_future(
                    self.caller.ask(
                        member,
                        question,
                        role="aggregator",
                        layer=layer,
                        sample=0,
                        answer_type=self.task.synthesis_type(),
                        subject=self.task.subject,
                        subject_digest=self.task.subject_digest,
                    )
                )
                for question in questions
            ]
            try:
                done, slow = await asyncio.wait(work, timeout=self.stragglers.layer_deadline)
            finally:
                await cancelled(work)
            answers = [task.result() for task in work if task in done]
            if not slow and all(answer.value is not None for answer in answers):
                self.unsynthesised = False
                self.synthesis = Synthesis(name, tuple(answers))
                for answer in answers:
                    self._warn_of_cut(answer)
                self._event(
                    "synthesis",
                    {"aggregator": name, "answers": [answer_to_json(answer) for answer in answers]},
                )
                return
            why = next((answer.error for answer in answers if answer.error), "no answer before the deadline")
            self.unsynthesised = True
            self.warnings.append(f"aggregator {name} gave no synthesis: {why}")

    async def _dismiss(self) -> None:
        """End what is still running; its absence is recorded like an answer."""
        await cancelled(list(self._waiting))
        await asyncio.sleep(0)  # done callbacks run in the loop's next turn

    def _finish(self, start: float) -> Outcome[ResultT]:
        ledger = self.ledger()
        result: ResultT | None = None
        status: Status = "complete"
        try:
            result = self.task.conclude(ledger, self.synthesis)
        except RunFailed as problem:
            status = "failed"
            self.warnings.append(problem.message)
        missing = self._missing()
        if status == "complete" and (self.cut_short or missing or self.unsynthesised):
            status = "partial"
        tallies = self.caller.tallies
        if at_most := sum((tally.at_most for tally in tallies.values()), Decimal(0)):
            self.warnings.append(f"calls that were cut off may cost up to {dollars(at_most)} more")
        costs = [tally.cost for tally in tallies.values()]
        known = [cost for cost in costs if cost is not None]
        outcome: Outcome[ResultT] = Outcome(
            run=self.caller.run,
            task=self.task,
            status=status,
            result=result,
            ledger=ledger,
            members=tuple(self._report(name, tallies.get(name, Tally())) for name in self.committee.members),
            missing=missing,
            aggregator=self.synthesis.aggregator if self.synthesis else "",
            calls=sum(tally.calls for tally in tallies.values()),
            cached=sum(tally.cached for tally in tallies.values()),
            cost_usd=float(sum(known)) if len(known) == len(costs) else None,
            seconds=round(time.perf_counter() - start, 4),
            masked_secrets=self.masked(),
            warnings=tuple(self.warnings),
        )
        return self._recorded(outcome)

    def _missing(self) -> tuple[str, ...]:
        """Members of whom a question ended in an error, or was cut off by a deadline or the user.

        A proposer that a quorum did not wait for is late by design, and not missing.
        """
        failed = {
            answer.member
            for answer in self.answers
            if answer.value is None and (answer.error_code != "cancelled" or self.cut_short)
        }
        return tuple(name for name in self.committee.members if name in failed)

    def _report(self, name: str, tally: Tally) -> MemberReport:
        member = self.committee.members[name]
        role = ["proposer"] if any(name in names for names in self.committee.layers) else []
        if name in self.committee.aggregators:
            role.append("aggregator")
        return MemberReport(
            name=name,
            kind=member.kind,
            model=member.model,
            role=tuple(role),
            calls=tally.calls,
            cached=tally.cached,
            failed=tally.failed,
            tokens_in=tally.tokens_in,
            tokens_out=tally.tokens_out,
            cost_usd=None if tally.cost is None else float(tally.cost),
            seconds=round(tally.seconds, 4),
            errors=tuple(tally.errors),
        )

    def _recorded(self, outcome: Outcome[ResultT]) -> Outcome[ResultT]:
        """Close the run in the record. A record that fails now costs a warning, not the result."""
        result = None if outcome.result is None else self.task.dump_result(outcome.result)
        try:
            self.record.finish_run(
                outcome.run,
                status=outcome.status,
                result=json.dumps(result, sort_keys=True, ensure_ascii=False),
                outcome=json.dumps(
                    {**outcome.figures(), "aggregator": outcome.aggregator},
                    sort_keys=True,
                    ensure_ascii=False,
                ),
            )
        except RecordError as problem:
            lost = f"not everything is in the record: {problem.message}"
            outcome = replace(outcome, warnings=(*outcome.warnings, lost))
        self.observer(RunFinished(outcome.run, outcome.status, outcome.seconds, outcome.cost_usd))
        return outcome

    def _event(self, kind: str, data: dict[str, Any]) -> None:
        self.record.event(self.caller.run, kind, data)
