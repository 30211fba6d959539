"""One question to one member, until it is answered: cache, budget, attempts, repair, hedge, record."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from moa_engine.answers import parse_answer, repair_request
from moa_engine.attempt import Attempt, Purpose, SeatRole, request_key
from moa_engine.budget import Budget, Reservation, answer_limit, worst_cost
from moa_engine.errors import BrokenAnswer, BudgetExceeded, CallError, TimedOut
from moa_engine.ledger import Answer
from moa_engine.member import Member, Message, Reply, Request
from moa_engine.pacing import Pace, backoff
from moa_engine.prices import cost
from moa_engine.progress import MemberFinished, MemberStarted, Observer
from moa_engine.stragglers import hedged, unusual
from moa_engine.task import Question
from moa_engine.tokens import TokenEstimator

if TYPE_CHECKING:
    from moa_engine.config import Price
    from moa_engine.record import Record

#: Latencies of a member that are remembered for its 90th percentile.
REMEMBERED = 100

#: Failures after which an endpoint may have worked, and may charge for it.
WORKED_ON = ("timed_out", "broken_answer")


@dataclass(slots=True)
class Tally:
    """What one member has done in a run so far."""

    calls: int = 0
    cached: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal | None = Decimal(0)  #: None once the cost of one call is not known
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
    numbers: itertools.count[int]


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
        latencies: Mapping[str, Iterable[float]],
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
        self.latencies = {name: deque(seconds, maxlen=REMEMBERED) for name, seconds in latencies.items()}
        self.attempts = attempts
        self.hedge = hedge
        self.use_cache = use_cache
        self.observer = observer
        self.announce = announce
        self.tallies: dict[str, Tally] = {}
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
    ) -> Answer:
        """The member's answer, or why there is none. Raises nothing but cancellation."""
        request = request_of(member, question, sample, answer_type, subject, subject_digest, self.mask)
        key = request_key(member, request)
        place = _Place(member, role, layer, question.unit, answer_type, key, itertools.count(1))
        tally = self.tallies.setdefault(member.name, Tally())
        answer = partial(Answer, member.name, layer, sample, question.unit)
        self.observer(MemberStarted(member.name, layer, question.unit))
        start = time.perf_counter()
        error, cached, spent = "", False, tally.cost
        try:
            if (found := self._from_record(place, request)) is not None:
                cached = True
                tally.cached += 1
                return answer(found[1], found[0].id)
            made, value = await self._until_answered(place, request)
        except (CallError, BudgetExceeded) as problem:
            error = problem.message
            tally.failed += 1
            if error not in tally.errors:
                tally.errors.append(error)
            code = problem.code if isinstance(problem, CallError) else "budget"
            return answer(None, error=error, error_code=code)
        except asyncio.CancelledError:
            error = "cancelled"
            raise
        else:
            return answer(value, made.id)
        finally:
            paid = None if tally.cost is None or spent is None else float(tally.cost - spent)
            seconds = time.perf_counter() - start
            self.observer(MemberFinished(member.name, layer, question.unit, cached, seconds, paid, error))

    def _from_record(self, place: _Place, request: Request) -> tuple[Attempt, Any] | None:
        if not self.use_cache or (found := self.record.find(place.key)) is None:
            return None
        try:
            value = _read(found.text, place.answer_type)
        except BrokenAnswer:  # a newer version reads more strictly than the one that recorded it
            return None
        again = self._attempt(place, request, "cached", time.time(), 0.0, text=found.text, raw=found.raw)
        self._keep(again)
        return again, value

    async def _until_answered(self, place: _Place, request: Request) -> tuple[Attempt, Any]:
        purpose: Purpose = "first"
        repaired = False
        asked = request
        for number in range(1, self.attempts + 1):
            after = self._hedge_after(place.member)
            attempt = partial(self._send, place, asked, purpose)
            try:
                return await hedged(attempt, partial(self._send, place, asked, "hedge"), after)
            except CallError as error:
                if not error.retryable or number == self.attempts:
                    raise
                if isinstance(error, BrokenAnswer) and error.raw and place.answer_type and not repaired:
                    repaired, purpose = True, "repair"
                    asked = _with_repair(request, error)
                    continue
                purpose, asked = "retry", request
                await asyncio.sleep(backoff(number, error, self._random))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _send(
        self, place: _Place, request: Request, purpose: Purpose, sent: Callable[[], None]
    ) -> tuple[Attempt, Any]:
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
                try:
                    reply, value = await self._generate(place, request)
                except asyncio.CancelledError:
                    reservation.settle(None)
                    seconds = time.perf_counter() - clock
                    self._keep(fill(seconds, cost_usd=unknown, error_code="cancelled", error="cancelled"))
                    raise
                except CallError as error:
                    seconds = time.perf_counter() - clock
                    slot.failed(error)
                    paid: Decimal | None = Decimal(0)
                    if error.code in (
                        "timed_out",
                        "broken_answer",
                    ):  # it may have been worked on, so it may cost
                        reservation.settle(None)
                        paid = unknown
                    self._keep(
                        fill(
                            seconds, raw=error.raw, cost_usd=paid, error_code=error.code, error=error.message
                        )
                    )
                    raise
                seconds = time.perf_counter() - clock
                slot.succeeded()
            paid = _paid(price, reply)
            reservation.settle(paid)
            self.latencies[member.name].append(seconds)
            if reply.tokens_in is not None and request.messages:
                self._estimator.observe(member.model, len(request.text), reply.tokens_in)
            made = fill(seconds, reply=reply, cost_usd=paid)
            self._keep(made)
            return made, value
        finally:
            reservation.release()

    async def _generate(self, place: _Place, request: Request) -> tuple[Reply, Any]:
        member = place.member
        try:
            async with asyncio.timeout(member.timeout):
                reply = await member.generate(request)
            reply = replace(reply, text=self.mask(reply.text), raw=self.mask(reply.raw))
        except TimeoutError as error:
            raise TimedOut(f"{member.name}: no answer within {member.timeout:g} s") from error
        except CallError as error:
            error.raw, error.message = self.mask(error.raw), self.mask(error.message)
            raise
        except Exception as error:
            # A member is foreign code: whatever it raises costs its own voice, not the run.
            what = self.mask(f"{type(error).__name__}: {error}")
            raise CallError(f"{member.name} failed: {what}") from error
        try:
            return reply, _read(reply.text, place.answer_type)
        except BrokenAnswer as error:
            error.raw = reply.text
            raise

    def _hedge_after(self, member: Member) -> float | None:
        """Seconds after which to ask a second time; None for never.

        A member without a history is compared to the others, generously. What runs in this process
        gets no faster by running twice.
        """
        if not self.hedge or not member.endpoint:
            return None
        if (own := unusual(self.latencies[member.name])) is not None:
            return own
        others = unusual([seconds for known in self.latencies.values() for seconds in known])
        return None if others is None else 2 * others

    def _reserve(self, member: Member, request: Request, price: Price | None) -> Reservation:
        if price is None or not request.messages:
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

    def _keep(self, attempt: Attempt) -> None:
        """Count the attempt, record it, tell observers."""
        if attempt.purpose != "cached":
            tally = self.tallies[attempt.member]
            tally.calls += 1
            tally.tokens_in += attempt.tokens_in or 0
            tally.tokens_out += attempt.tokens_out or 0
            tally.seconds += attempt.seconds
            if tally.cost is not None:
                tally.cost = None if attempt.cost_usd is None else tally.cost + attempt.cost_usd
        self.record.append(attempt)
        self.announce(attempt)


def request_of(
    member: Member,
    question: Question,
    sample: int,
    answer_type: type[BaseModel] | None,
    subject: object | None,
    subject_digest: str,
    mask: Callable[[str], str],
) -> Request:
    """A question as it is put to this member, without secrets."""
    reads_subject = member.reads == "subject"
    return Request(
        messages=tuple(Message(m.role, mask(m.content)) for m in question.messages),
        prompt=question.prompt,
        answer_schema=_schema(answer_type),
        parameters=member.parameters,
        sample=sample,
        subject=subject if reads_subject else None,
        subject_digest=subject_digest if reads_subject else "",
    )


@cache
def _schema(answer_type: type[BaseModel] | None) -> Mapping[str, Any] | None:
    return None if answer_type is None else answer_type.model_json_schema()


def _read(text: str, answer_type: type[BaseModel] | None) -> BaseModel | str:
    if answer_type is not None:
        return parse_answer(text, answer_type)
    if not text.strip():
        raise BrokenAnswer("the answer is empty")
    return text.strip()


def _paid(price: Price | None, reply: Reply) -> Decimal | None:
    """What a reply cost; None when the price or the usage is not known."""
    if price is None:
        return None
    if price.input == 0 and price.output == 0:
        return Decimal(0)
    if reply.tokens_in is None or reply.tokens_out is None:
        return None
    return cost(price, reply.tokens_in, reply.tokens_out, reply.tokens_cached or 0)


def _with_repair(request: Request, error: BrokenAnswer) -> Request:
    """The request once more, with the broken answer and what was wrong with it at its end."""
    return Request(
        messages=(
            *request.messages,
            Message("assistant", error.raw),
            Message("user", repair_request(error.message)),
        ),
        prompt=request.prompt,
        answer_schema=request.answer_schema,
        parameters=request.parameters,
        sample=request.sample,
    )
