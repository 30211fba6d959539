"""A proof beside a review: both versions are searched in a thread, and chat members are asked meanwhile.

    with the first layer   inputs are searched on which both versions differ
    when it has closed     what was found is told; findings with a call are put to the test, members judge
                           what was found and propose calls for functions without a difference
    after the last layer   the rest is waited for, until the proof's seconds are over

All state is the event loop's; only `prove` and `replay` run in threads. What they give is cleaned before
it is kept. docs/design/proof-in-a-review.md says why it is like this.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import MoaError
from moa_engine.ledger import Fact, Ledger
from moa_engine.printable import one_line
from moa_engine.stragglers import cancelled
from review_bot.change import Change, Trees
from review_bot.proof.asides import ROUNDS
from review_bot.proof.claims import Claim, Verdict, claims_in
from review_bot.proof.deciding import ProofPlan
from review_bot.proof.facts import Cleaner, behaviour_fact, claim_fact, difference, proof_fact
from review_bot.proof.found import Found
from review_bot.proof.members import Members
from review_bot.proof.modules import HeadModules
from review_bot.proof.testing import put_to_test
from review_bot.proof.threads import in_thread
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.task import Ask
    from pytest_moa.proof.behaviour import Proof
    from pytest_moa.proof.prove import OpenQuestion, ProposedCalls, Sides
    from review_bot.asking import Asking

#: Seconds that a proof gets before the second layer starts, however fast the first one was.
HEAD_START = 8.0

#: Shares of a proof's seconds: for the first search, where members have calls to bring later; for testing
#: what findings claim, of what is left then.
_FIRST, _CLAIMS = 0.6, 0.4

#: Seconds below which another search is not begun, and seconds for one to end when it is told to.
_SHORTEST, _ENDING = 3.0, 6.0


class Proving:
    """The proof of one review. `begin`, `told` and `rest` are called in the run's event loop.

    `trees` writes both whole sides to disk. `asking` says how a voice is asked, `layers` is how many
    proposer layers the run has.
    """

    def __init__(
        self,
        plan: ProofPlan,
        change: Change,
        *,
        trees: Callable[[], Trees],
        mask: Callable[[str], str],
        voices: Mapping[str, Voice],
        asking: Callable[[Voice], Asking],
        layers: int,
    ) -> None:
        self.plan = plan
        self.change = change
        self.clean = Cleaner(mask)
        self.voices = voices
        self.layers = layers
        self._trees = trees
        self._asking = asking
        self._members: Members
        self._found = Found(self.clean)
        self._facts: list[Fact] = []  #: not told yet
        self._stop = threading.Event()
        self._work: asyncio.Task[None] | None = None
        self._left_over = plan.seconds  #: seconds that the first search has left
        self._deadline = 0.0  #: of all that comes after it
        self._first: asyncio.Future[None]  #: done with the first search
        self._heard: asyncio.Future[Ledger]  #: done with the first layer
        self._began = 0.0
        self._say: Callable[[str], None]

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:
        """Start the proof."""
        self._say = say
        self._members = Members(ask, self.voices, self._asking)
        loop = asyncio.get_running_loop()
        self._first, self._heard = loop.create_future(), loop.create_future()
        self._began = time.monotonic()
        self._work = asyncio.ensure_future(self._proved())

    async def told(self, ledger: Ledger, layer: int) -> list[Fact]:
        """What is known after a layer. If another one follows the first, it does not wait for the search."""
        if not self._heard.done():
            if layer < self.layers:
                start = min(HEAD_START, self.plan.seconds * _FIRST)
                await asyncio.wait([self._first], timeout=max(start - (time.monotonic() - self._began), 0))
                self._stop.set()
                await asyncio.wait([self._first], timeout=_ENDING)
            self._heard.set_result(ledger)
        return self._new()

    async def rest(self, *, wait: bool) -> list[Fact]:
        """Everything else. Without `wait` the search is ended, and what it found by then counts."""
        if self._work is None:
            return []
        if not wait:
            self._work.cancel()
            self._found.note("the proof was cut short")
        await asyncio.wait([self._work], timeout=None if wait else _ENDING + 1)
        if self._work.done() and not self._work.cancelled() and (fault := self._work.exception()):
            self._found.note(_why(fault))
        self._say("")
        return [*self._new(), proof_fact(self._found.report())]

    def _new(self) -> list[Fact]:
        facts, self._facts = self._facts, []
        return facts

    async def _proved(self) -> None:
        try:
            self._say("proof: writing both versions")
            trees = await in_thread(self._trees)
            if trees.base is None or trees.head is None:
                self._found.note(f"nothing was run: {trees.extra.get('why', 'the versions are not known')}")
                return
            from pytest_moa.proof.gathering import is_source
            from pytest_moa.proof.prove import Sides

            if not any(map(is_source, self.change.python_paths())):
                return  # tests alone: there is nothing to compare
            sides = Sides(Path(trees.base), Path(trees.head))
            share = self.plan.seconds * (_FIRST if self._members.names else 1)
            first = await self._search(sides, seconds=share)
            self._left_over -= min(first.seconds, share)
        finally:
            if not self._first.done():
                self._first.set_result(None)
        if self._members.names:
            await self._with_members(sides, first)

    async def _with_members(self, sides: Sides, first: Proof) -> None:
        """What needs the committee: it starts when the first layer has closed."""
        ledger = await self._heard
        self._deadline = time.monotonic() + self._left_over
        known = dict(self._found.behaviours)
        judged = asyncio.ensure_future(self._members.judgements(list(known.values())))
        try:
            modules = await in_thread(lambda: HeadModules(sides.head, self.change.python_paths()))
            await self._search_on(sides, first, claims_in(ledger, modules.name), modules)
            self._facts += await judged
        finally:
            await cancelled([judged])
        late = [one for id, one in self._found.behaviours.items() if id not in known]
        self._facts += await self._members.judgements(late)

    async def _search_on(
        self, sides: Sides, first: Proof, claims: Sequence[Claim], modules: HeadModules
    ) -> None:
        """Test what findings claim, and search on with their calls and with those that members propose."""
        from pytest_moa.proof.prove import open_questions

        self._found.names.update((claim.item, claim.author) for claim in claims)
        questions = open_questions(sides, first)
        proposed = asyncio.ensure_future(self._proposed(questions))  # models think while tests run
        try:
            verdicts = await self._tested(sides, claims, modules) if claims else {}
            calls = await proposed
        finally:
            await cancelled([proposed])
        wanted = None if claims else questions
        rounds = ROUNDS if calls else 1
        latest = await self._searched_with(sides, [*_calls_of(claims), *calls], wanted, rounds)
        self._tell(claims, verdicts, latest)
        for left in range(ROUNDS - 1, 0, -1):
            if latest is None or not calls:
                return
            questions = open_questions(sides, latest)
            calls = await self._proposed(questions)
            latest = await self._searched_with(sides, calls, questions, left if calls else 1)

    async def _proposed(self, questions: Sequence[OpenQuestion]) -> list[ProposedCalls]:
        if not questions or self._left() < _SHORTEST:
            return []
        return await self._members.calls(questions, self._left() - _SHORTEST)

    async def _searched_with(
        self,
        sides: Sides,
        calls: Sequence[ProposedCalls],
        questions: Sequence[OpenQuestion] | None,
        rounds: int,
    ) -> Proof | None:
        """A search with calls, for the functions of these questions (None: for all), if there is time."""
        if self._left() < _SHORTEST or not (calls or questions):
            return None
        functions = None if questions is None else [one.function for one in questions]
        return await self._search(sides, calls, functions, seconds=self._left() / rounds)

    async def _tested(
        self, sides: Sides, claims: Sequence[Claim], modules: HeadModules
    ) -> dict[Claim, Verdict]:
        """What tests say of claims, as far as there is time."""
        self._say("proof: testing what reviewers claim")
        stop = threading.Event()
        confined, until = self._found.mechanism != "none", time.monotonic() + self._left() * _CLAIMS
        try:
            return await in_thread(
                lambda: put_to_test(claims, sides, modules, confined=confined, until=until, stop=stop)
            )
        finally:
            stop.set()

    def _tell(self, claims: Sequence[Claim], verdicts: Mapping[Claim, Verdict], proof: Proof | None) -> None:
        """Tell what came of claims: a difference that a claim's call showed, else what its tests say."""
        shown = {by: change.id for change in proof.changes for by in change.found_by} if proof else {}
        for claim in claims:
            report = self._found.behaviours.get(shown.get(claim.item, ""))
            verdict = verdicts.get(claim)
            if report is not None and (verdict is None or verdict.supports is not False):
                text = f"`{one_line(report.input)}` {difference(report)}"
                self._facts.append(claim_fact(claim.item, True, text, report.witness()))
            elif verdict is not None:
                self._facts.append(self._verdict_fact(claim, verdict))

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    async def _search(
        self,
        sides: Sides,
        calls: Sequence[ProposedCalls] = (),
        functions: Sequence[str] | None = None,
        *,
        seconds: float,
    ) -> Proof:
        """One search; what it found is kept, also when it is cancelled."""
        from pytest_moa.proof.prove import prove

        self._stop = stop = threading.Event()
        loop = asyncio.get_running_loop()

        def progress(says: str) -> None:
            loop.call_soon_threadsafe(self._say, f"proof: {one_line(self.clean.text(says, 100))}")

        self._say(f"proof: searching for up to {seconds:.0f} s")
        searching = in_thread(
            lambda: prove(
                sides,
                self.change.python_paths(),
                functions=functions,
                seconds=seconds,
                unsafe=self.plan.unsafe,
                calls=calls,
                progress=progress,
                stop=stop,
            )
        )
        try:
            proof = await asyncio.shield(searching)
        except asyncio.CancelledError:
            stop.set()
            done, _ = await asyncio.wait([searching], timeout=_ENDING)
            if done and searching.exception() is None:
                self._keep(searching.result())
            raise
        self._keep(proof)
        return proof

    def _keep(self, proof: Proof) -> None:
        self._facts += map(behaviour_fact, self._found.add(proof))

    def _verdict_fact(self, claim: Claim, verdict: Verdict) -> Fact:
        witness = {
            "test": self.clean.test(verdict.test),
            "input": self.clean.text(claim.call),
            "base": {},
            "head": {},
            "found_by": [claim.author],
        }
        return claim_fact(claim.item, verdict.supports, self.clean.text(verdict.text), witness)


def _calls_of(claims: Sequence[Claim]) -> list[ProposedCalls]:
    from pytest_moa.proof.prove import ProposedCalls

    return [ProposedCalls(claim.function, (claim.call,), claim.item) for claim in claims]


def _why(fault: BaseException) -> str:
    """Why there is no proof. A fault of ours costs the proof, and not the review that others have made."""
    if isinstance(fault, MoaError):
        return f"nothing was run: {fault.message}" + (f" ({fault.hint})" if fault.hint else "")
    return f"the proof failed, which is a fault in review-bot itself: {type(fault).__name__}: {fault}"
