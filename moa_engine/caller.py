"""One question to one member, until it is answered: cache, budget, attempts, repair, hedge, record."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from moa_engine.answers import read_answer
from moa_engine.attempt import Attempt, Purpose, SeatRole, request_key
from moa_engine.budget import Budget, Reservation, answer_limit, worst_cost
from moa_engine.errors import BrokenAnswer, BudgetExceeded, CallError, MaskingFailed, TimedOut
from moa_engine.ledger import Answer
from moa_engine.member import Member, Reply, Request
from moa_engine.pacing import Pace, backoff
from moa_engine.prices import FREE, cost
from moa_engine.progress import MemberFinished, MemberStarted, Observer
from moa_engine.request import request_of, with_repair
from moa_engine.stragglers import AGGREGATOR, PROPOSER, hedged, unusual
from moa_engine.task import Question
from moa_engine.tokens import TokenEstimator

if TYPE_CHECKING:
    from moa_engine.config import Price
    from moa_engine.record import Record

#: Latencies of a member that are remembered for its 90th percentile.
REMEMBERED = 100

#: Failures after which an endpoint may have worked, and may charge for it.
WORKED_ON = ("timed_out", "broken_answer", "failed")


@dataclass(slots=True)
class Tally:
    """What one member has done in a run so far."""

    calls: int = 0
    cached: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal | None = Decimal(0)  #: None once a call was made whose price is not known
    at_most: Decimal = Decimal(0)  #: what calls that were cut off may cost on top of that
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the run a question belongs, and what is needed to ask it again."""

    member: Member
    role: SeatRole
    layer: int
    unit: str
    answer_type: type[BaseModel] | None
    key: str
    wanted: Callable[[], bool]  #: whether the run still waits for the answer
    costs: list[Decimal | None]  #: of its attempts, as they are made
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


class Caller:
    """Asks members on behalf of one run. All that is shared by the run's calls lives here."""

    def __init__(
        self,
        *,
        run: str,
        record: Record,
        budget: Budget,
        pace: Pace,
        mask: Callable[[str], str],
        prices: Mapping[str, Price | None],
        latencies: Mapping[str, Sequence[float]],
        attempts: int,
        hedge: bool,
        use_cache: bool,
        seed: int,
        observer: Observer,
        announce: Callable[[Attempt], None],
    ) -> None:
        self.run = run
        self.record = record
        self.budget = budget
        self.pace = pace
        self.mask = mask
        self.prices = prices
        self.latencies = {
            name: deque(reversed(seconds[:REMEMBERED]), maxlen=REMEMBERED)
            for name, seconds in latencies.items()
        }
        self.attempts = attempts
        self.hedge = hedge
        self.use_cache = use_cache
        self.observer = observer
        self.announce = announce
        self.tallies: dict[str, Tally] = {}
        #: Seconds that answers from the record took when they were made, by their ids in this run.
        self.earlier: dict[str, float] = {}
        self._random = random.Random(seed)  # noqa: S311 - jitter, not security
        self._ids = itertools.count(1)
        self._estimator = TokenEstimator()

    async def ask(
        self,
        member: Member,
        question: Question,
        *,
        role: SeatRole,
        layer: int,
        sample: int,
        answer_type: type[BaseModel] | None,
        subject: object | None,
        subject_digest: str,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Answer:
        """The member's answer, or why there is none. Raises nothing but cancellation.

        Once `wanted` says no, an answer that is on its way is still taken, but not asked for twice.
        """
        tally = self.tallies.setdefault(member.name, Tally())
        answer = partial(Answer, member.name, layer, sample, question.unit)
        self.observer(MemberStarted(member.name, layer, question.unit))
        start = time.perf_counter()
        error, cached = "", False
        costs: list[Decimal | None] = []
        try:
            request = request_of(member, question, sample, answer_type, subject, subject_digest, self.mask)
            key = request_key(member, request)
            place = _Place(member, role, layer, question.unit, answer_type, key, wanted, costs)
            if (found := self._from_record(place, request)) is not None:
                cached = True
                tally.cached += 1
                again, value, cut = found
                return answer(value, again.id, cut=cut)
            made, value, cut = await self._until_answered(place, request)
        except (CallError, BudgetExceeded, MaskingFailed) as problem:
            error = problem.message
            tally.failed += 1
            told = f"{error} ({problem.hint})" if problem.hint else error
            if told not in tally.errors:
                tally.errors.append(told)
            return answer(None, error=error, error_code=_code(problem))
        except asyncio.CancelledError:
            error = "cancelled"
            raise
        else:
            return answer(value, made.id, cut=cut)
        finally:
            known = [cost for cost in costs if cost is not None]
            paid = float(sum(known)) if len(known) == len(costs) else None
            seconds = time.perf_counter() - start
            self.observer(MemberFinished(member.name, layer, question.unit, cached, seconds, paid, error))

    def _from_record(self, place: _Place, request: Request) -> tuple[Attempt, Any, bool] | None:
        if not self.use_cache or (found := self.record.find(place.key)) is None:
            return None
        try:
            value, cut = read_answer(found.text, place.answer_type)
        except BrokenAnswer:  # a newer version reads more strictly than the one that recorded it
            return None
        again = self._attempt(place, request, "cached", time.time(), 0.0, text=found.text, raw=found.raw)
        self.earlier[again.id] = found.seconds
        self._keep(place, again)
        return again, value, cut

    async def _until_answered(self, place: _Place, request: Request) -> tuple[Attempt, Any, bool]:
        purpose: Purpose = "first"
        repaired = False
        asked = request
        for number in range(1, self.attempts + 1):
            after = self._hedge_after(place.member, place.role)
            attempt = partial(self._send, place, asked, purpose)
            try:
                return await hedged(attempt, partial(self._send, place, asked, "hedge"), after, place.wanted)
            except CallError as error:
                if not error.retryable or number == self.attempts:
                    raise
                can_repair = error.raw and request.messages and place.answer_type and not repaired
                if isinstance(error, BrokenAnswer) and can_repair:
                    repaired, purpose = True, "repair"
                    asked = with_repair(request, error)
                    continue
                purpose, asked = "retry", request
                await asyncio.sleep(backoff(number, error, self._random))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(
        self, place: _Place, request: Request, purpose: Purpose, sent: Callable[[], None]
    ) -> tuple[Attempt, Any, bool]:
        """One attempt, in a slot of its endpoint, paid from the budget, kept in the record."""
        member = place.member
        price = self.prices.get(member.name)
        reservation = self._reserve(member, request, price)
        try:
            # What runs in this process has no endpoint; its slots are its own.
            async with self.pace.slot(member.endpoint or member.name, member.concurrency) as slot:
                sent()
                started, clock = time.time(), time.perf_counter()
                fill = partial(self._attempt, place, request, purpose, started)
                unknown = None if price is None or price.input or price.output else Decimal(0)
                reply: Reply | None = None
                try:
                    reply = await self._generate(member, request)
                    value, cut = _read(reply, place.answer_type)
                except asyncio.CancelledError:
                    reservation.settle(None)
                    seconds = time.perf_counter() - clock
                    given_up = fill(seconds, cost_usd=unknown, error_code="cancelled", error="cancelled")
                    self._keep(place, given_up, reservation.worst)
                    raise
                except CallError as error:
                    seconds = time.perf_counter() - clock
                    slot.failed(error)
                    paid: Decimal | None = Decimal(0)
                    if reply is not None:
                        error.raw = reply.text
                    elif error.reply is not None:
                        reply = replace(error.reply, text=error.raw, raw=self._masked(error.reply.raw))
                    if reply is not None:
                        paid = _paid(price, reply)
                        reservation.settle(paid)
                    elif error.code in WORKED_ON:
                        reservation.settle(None)
                        paid = unknown
                    failed = fill(seconds, reply=reply, raw=error.raw, cost_usd=paid)
                    failed = replace(failed, error_code=error.code, error=error.message)
                    self._keep(place, failed, reservation.worst)
                    raise
                seconds = time.perf_counter() - clock
                slot.succeeded()
            paid = _paid(price, reply)
            reservation.settle(paid)
            self.latencies[member.name].append(seconds)
            if reply.tokens_in is not None and request.messages:
                self._estimator.observe(member.model, len(request.text), reply.tokens_in)
            made = fill(seconds, reply=reply, cost_usd=paid)
            self._keep(place, made)
            return made, value, cut
        finally:
            reservation.release()

    async def _generate(self, member: Member, request: Request) -> Reply:
        """What the member answers, without secrets; whatever goes wrong is a `CallError`."""
        try:
            async with asyncio.timeout(member.timeout):
                reply = await member.generate(request)
            return replace(reply, text=self.mask(reply.text), raw=self.mask(reply.raw))
        except TimeoutError as error:
            raise TimedOut(f"{member.name}: no answer within {member.timeout:g} s") from error
        except asyncio.CancelledError as error:
            if (here := asyncio.current_task()) is not None and here.cancelling():
                raise
            raise CallError(f"{member.name} failed: it cancelled itself") from error
        except CallError as error:
            error.raw, error.message = self._masked(error.raw), self._masked(error.message)
            raise
        except MaskingFailed as error:
            raise CallError(f"{member.name}: its answer was not kept: {error.message}") from error
        except Exception as error:
            # A member is foreign code: whatever it raises costs its own voice, not the run.
            what = self._masked(f"{type(error).__name__}: {error}")
            raise CallError(f"{member.name} failed: {what}") from error

    def _masked(self, said: str) -> str:
        """What a failing member said, for the record; not kept where it cannot be checked for secrets."""
        try:
            return self.mask(said)
        except MaskingFailed as problem:
            return problem.message

    def _hedge_after(self, member: Member, role: SeatRole) -> float | None:
        """Seconds after which to ask a second time; None for never.

        A member without a history is compared to the others, generously. What runs in this process
        gets no faster by running twice.
        """
        if not self.hedge or not member.endpoint:
            return None
        share = AGGREGATOR if role == "aggregator" else PROPOSER
        if (own := unusual(self.latencies[member.name], share)) is not None:
            return own
        others = unusual([seconds for known in self.latencies.values() for seconds in known])
        return None if others is None else 2 * others

    def _reserve(self, member: Member, request: Request, price: Price | None) -> Reservation:
        if price is None or price is FREE or not request.messages:
            return self.budget.reserve(Decimal(0))
        tokens = self._estimator.estimate(request.text, member.model)
        return self.budget.reserve(worst_cost(price, tokens, answer_limit(request.parameters)))

    def _attempt(
        self,
        place: _Place,
        request: Request,
        purpose: Purpose,
        started: float,
        seconds: float,
        *,
        reply: Reply | None = None,
        text: str = "",
        raw: str = "",
        cost_usd: Decimal | None = Decimal(0),
        error_code: str = "",
        error: str = "",
    ) -> Attempt:
        member = place.member
        if reply is not None:
            text, raw = reply.text, reply.raw
        return Attempt(
            id=f"{self.run}.{next(self._ids)}",
            run=self.run,
            key=place.key,
            member=member.name,
            kind=member.kind,
            model=member.model,
            endpoint=member.endpoint,
            role=place.role,
            layer=place.layer,
            unit=place.unit,
            sample=request.sample,
            number=next(place.numbers),
            purpose=purpose,
            prompt=request.prompt,
            messages=request.messages,
            parameters=dict(request.parameters),
            text=text,
            raw=raw,
            finish_reason=reply.finish_reason if reply else "",
            tokens_in=reply.tokens_in if reply else None,
            tokens_out=reply.tokens_out if reply else None,
            tokens_cached=reply.tokens_cached if reply else None,
            cost_usd=cost_usd,
            started=started,
            seconds=seconds,
            error_code=error_code,
            error=error,
        )

    def _keep(self, place: _Place, attempt: Attempt, worst: Decimal = Decimal(0)) -> None:
        """Count the attempt, record it, tell observers.

        A call that was cut off has a price but no known cost: it counts as nothing, and `worst` says
        what it may cost.
        """
        if attempt.purpose != "cached":
            tally = self.tallies[attempt.member]
            cost = attempt.cost_usd
            if cost is None and self.prices.get(attempt.member) is not None:
                cost = Decimal(0)
                tally.at_most += worst
            place.costs.append(cost)
            tally.calls += 1
            tally.tokens_in += attempt.tokens_in or 0
            tally.tokens_out += attempt.tokens_out or 0
            tally.seconds += attempt.seconds
            if tally.cost is not None:
                tally.cost = None if cost is None else tally.cost + cost
        self.record.append(attempt)
        self.announce(attempt)


def _read(reply: Reply, answer_type: type[BaseModel] | None) -> tuple[BaseModel | str, bool]:
    try:
        return read_answer(reply.text, answer_type)
    except BrokenAnswer as error:
        if answer_type is None or reply.finish_reason != "length":
            raise
        raise BrokenAnswer(
            "the answer was cut off at max_tokens", hint="raise max_tokens", raw=error.raw
        ) from error


def _paid(price: Price | None, reply: Reply) -> Decimal | None:
    """What a reply cost; None when the price or the usage is not known."""
    if price is None:
        return None
    if price.input == 0 and price.output == 0:
        return Decimal(0)
    if reply.tokens_in is None or reply.tokens_out is None:
        return None
    return cost(price, reply.tokens_in, reply.tokens_out, reply.tokens_cached or 0)


def _code(problem: CallError | BudgetExceeded | MaskingFailed) -> str:
    """The code by which the record names why there is no answer."""
    if isinstance(problem, CallError):
        return problem.code
    return "budget" if isinstance(problem, BudgetExceeded) else "masking_failed"
