"""What a run will take, before any call is made: calls, tokens, money and time.

Layer 1 is exact in what it asks. Later layers and the aggregation are taken to ask the same again
with the answers of the layer before, once per unit. Each figure has three values:

    low       answers half as long as usual, no retries
    expected  answers as long as the task expects, no retries
    high      tokens and money: the worst case, with every attempt made and hedged, one of them a
              repair, every answer as long as allowed, every prompt denser than estimated, every
              aggregator needed; time: the slowest call in the record, or the longest answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import ceil
from typing import Any

from moa_engine.budget import answer_limit, most_input
from moa_engine.committee import Committee
from moa_engine.config import Price, Settings
from moa_engine.errors import Unpriced
from moa_engine.ledger import Ledger
from moa_engine.member import Member
from moa_engine.plan_table import Plan, PlanRow, Range, Role, total
from moa_engine.prices import FREE, cost, is_local, price_of
from moa_engine.task import Question, Task
from moa_engine.tokens import TokenEstimator

__all__ = ["Plan", "check_prices", "plan_run"]

#: The estimator's guess is about a fifth too high for usual code and prose.
_USUAL_SHARE = 0.8

#: Tokens that a request for a repair adds, besides the broken answer itself.
_REPAIR = 300

#: Seconds of a deterministic member of which the record has no timings.
_TOOL_SECONDS = Range(0.1, 1.0, 10.0)

_NOTHING = Range(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Speed:
    """Seconds before the first token, then tokens per second of the prompt and of the answer."""

    start: float
    reading: float
    writing: float

    def seconds(self, call: _Call) -> Range[float]:
        low, expected, high = (
            self.start + tokens_in / self.reading + tokens_out / self.writing
            for tokens_in, tokens_out in call.attempt
        )
        return Range(low, expected, high)


#: Assumed of chat models of which the record has no timings: hosted, or on this machine without a GPU.
_HOSTED = _Speed(start=0.5, reading=2000, writing=50)
_LOCAL = _Speed(start=0.5, reading=200, writing=15)


@dataclass(frozen=True, slots=True)
class _Call:
    """The tokens of one attempt at one question, and what the worst case multiplies them with."""

    tokens_in: Range[int]
    tokens_out: Range[int]
    attempts: int  #: that the worst case makes
    repairs: int  #: of these, how many carry the broken answer

    @property
    def attempt(self) -> Iterable[tuple[int, int]]:
        """Input and output tokens of one attempt: low, expected, high."""
        return zip(self.tokens_in, self.tokens_out, strict=True)

    @property
    def total_in(self) -> Range[int]:
        low, expected, high = self.tokens_in
        return Range(low, expected, self.attempts * high + self.repairs * self._repair)

    @property
    def total_out(self) -> Range[int]:
        low, expected, high = self.tokens_out
        return Range(low, expected, self.attempts * high)

    def cost(self, price: Price) -> Range[Decimal]:
        low, expected, high = (cost(price, tokens_in, tokens_out) for tokens_in, tokens_out in self.attempt)
        repair = cost(price, self.tokens_in.high + self._repair, self.tokens_out.high)
        return Range(low, expected, (self.attempts - self.repairs) * high + self.repairs * repair)

    @property
    def _repair(self) -> int:
        return self.tokens_out.high + _REPAIR


def plan_run(
    task: Task[Any],
    committee: Committee,
    settings: Settings,
    *,
    latencies: Callable[[Member], Sequence[float]] | None = None,
    is_cached: Callable[[Member, Question, int], bool] | None = None,
    estimator: TokenEstimator | None = None,
    seed: int = 0,
) -> Plan:
    """The plan of a run. Calls no member; may look up prices and resolve names of unknown hosts.

    `latencies` gives the seconds of a member's earlier calls, `is_cached` whether the record has
    the answer to a question of layer 1 (member, question, sample), `seed` the run's seed: prompts can
    depend on it.
    """
    planner = _Planner(task, settings, latencies or _none, estimator or TokenEstimator(), seed)
    said: dict[str, Range[int]] = {}
    for layer, names in enumerate(committee.layers, 1):
        heard, said = said, {}
        for name in dict.fromkeys(names):
            member = committee.members[name]
            calls: list[_Call] = []
            in_record = 0
            typed = task.answer_type(layer) is not None
            for question, call in planner.asks(member, layer, heard, typed):
                for sample in range(member.samples):
                    said[question.unit] = said.get(question.unit, _NOTHING) + call.tokens_out
                    if layer == 1 and is_cached is not None and is_cached(member, question, sample):
                        in_record += 1
                    else:
                        calls.append(call)
            planner.add(member, layer, "proposer", calls, in_record)
    for name in dict.fromkeys(name for layer in committee.layers for name in layer):
        member = committee.members[name]
        calls = [planner.call(member, question, {}, True) for question in task.beside(member)]
        planner.add(member, len(committee.layers), "beside", calls, fallback=True)
    for number, name in enumerate(committee.aggregators if said else ()):
        member = committee.members[name]
        typed = task.synthesis_type() is not None
        calls = [call for _, call in planner.asks(member, 1, said, typed)]
        planner.add(member, len(committee.layers) + 1, "aggregator", calls, fallback=number > 0)
    return planner.plan(committee.name)


def check_prices(plan: Plan, settings: Settings) -> None:
    """Refuse a run whose cost cannot be known, unless the settings allow that.

    Raises:
        Unpriced: a hosted member's price is neither in the settings nor in the price data.
    """
    if plan.unpriced and not settings.allow_unpriced:
        one = plan.unpriced[0]
        raise Unpriced(
            f"the price of {', '.join(plan.unpriced)} is not known",
            hint=f"set it, in USD per million tokens: [tool.moa.members.{one}] "
            f"price = {{ input = ..., output = ... }}; or go on without knowing it: --allow-unpriced",
        )


class _Planner:
    """Collects the rows of one plan."""

    def __init__(
        self,
        task: Task[Any],
        settings: Settings,
        latencies: Callable[[Member], Sequence[float]],
        estimator: TokenEstimator,
        seed: int,
    ) -> None:
        self.nothing_said = Ledger(seed=seed)
        self.task = task
        self.settings = settings
        self.latencies = latencies
        self.estimator = estimator
        self.rows: list[PlanRow] = []
        self.unpriced: dict[str, None] = {}
        self.untimed: dict[str, None] = {}

    def asks(
        self, member: Member, layer: int, heard: Mapping[str, Range[int]], typed: bool
    ) -> list[tuple[Question, _Call]]:
        """What a member is asked in a layer, given how long the answers of the layer before are."""
        if member.reads == "subject":
            questions = self.task.questions(member, layer, self.nothing_said)
            attempts = self.settings.attempts * self._hedges(member)
            return [(question, _Call(_NOTHING, _NOTHING, attempts, 0)) for question in questions]
        return [
            (question, self.call(member, question, heard, typed))
            for question in self.task.questions(member, 1, self.nothing_said)
        ]

    def call(self, member: Member, question: Question, heard: Mapping[str, Range[int]], typed: bool) -> _Call:
        """One question to a chat member."""
        hedges = self._hedges(member)
        limit = answer_limit(member.parameters)
        text = "\n".join(message.content for message in question.messages)
        prompt = self.estimator.estimate(text, member.model)
        low, expected, high = total((heard.get(unit, _NOTHING) for unit in {question.unit, ""}), 0)
        usual = min(question.expected_tokens, limit)
        return _Call(
            Range(int(prompt * _USUAL_SHARE) + low, prompt + expected, most_input(prompt + high)),
            Range(ceil(usual / 2), usual, limit),
            self.settings.attempts * hedges,
            hedges if typed and self.settings.attempts > 1 else 0,
        )

    def _hedges(self, member: Member) -> int:
        return 2 if self.settings.stragglers.hedge and member.endpoint else 1

    def add(
        self,
        member: Member,
        layer: int,
        role: Role,
        calls: Sequence[_Call],
        in_record: int = 0,
        *,
        fallback: bool = False,
    ) -> None:
        """One row, if the member has a part in the layer. A fallback counts in the worst case only."""
        if not calls and not in_record:
            return
        price = FREE if member.reads == "subject" else price_of(member)
        if price is None:
            self.unpriced[member.name] = None
        row = PlanRow(
            layer=layer,
            role=role,
            member=member.name,
            model=member.model,
            calls=len(calls) + in_record,
            most_calls=sum(call.attempts for call in calls),
            in_record=in_record,
            tokens_in=total((call.total_in for call in calls), 0),
            tokens_out=total((call.total_out for call in calls), 0),
            cost=None if price is None else total((call.cost(price) for call in calls), Decimal(0)),
            seconds=self._seconds(member, calls),
        )
        self.rows.append(row.if_needed() if fallback else row)

    def _seconds(self, member: Member, calls: Sequence[_Call]) -> Range[float]:
        """How long the member takes for its calls, as many at once as its endpoint takes."""
        if not calls:
            return Range(0.0, 0.0, 0.0)
        if seen := sorted(self.latencies(member)):
            one = Range(seen[len(seen) // 10], seen[len(seen) // 2], seen[-1])
        else:
            self.untimed[member.name] = None
            one = _TOOL_SECONDS if member.reads == "subject" else _guessed_seconds(member, calls)
        rounds = ceil(len(calls) / member.concurrency)
        return one.times(rounds).at_most(self.settings.stragglers.layer_deadline)

    def plan(self, committee: str) -> Plan:
        """The plan of all rows."""
        limit = self.settings.budget
        return Plan(
            committee=committee,
            rows=tuple(self.rows),
            unpriced=tuple(self.unpriced),
            untimed=tuple(self.untimed),
            budget=None if limit is None else Decimal(str(limit)),
            deadline=self.settings.stragglers.run_deadline,
        )


def _guessed_seconds(member: Member, calls: Sequence[_Call]) -> Range[float]:
    speed = _LOCAL if is_local(member) else _HOSTED
    return reduce(Range.longest, (speed.seconds(call) for call in calls))


def _none(_: Member) -> Sequence[float]:
    return ()
