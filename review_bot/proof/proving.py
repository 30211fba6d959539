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
from review_bot.proof.asides import ROUNDS, Judgements, ProposedAnswer, judging, proposing, room_for_code
from review_bot.proof.claims import Claim, Verdict, claims_in, judge
from review_bot.proof.deciding import ProofPlan
from review_bot.proof.facts import Cleaner, behaviour_fact, claim_fact, difference, judgement_fact, proof_fact
from review_bot.proof.found import Found
from review_bot.proof.judging import found_by_proof
from review_bot.proof.modules import HeadModules
from review_bot.proof.report import BehaviourReport
from review_bot.proof.threads import in_thread
from review_bot.settling import Settling
from review_bot.standing import Voice

if TYPE_CHECKING:
    from moa_engine.task import Ask
    from pytest_moa.proof.behaviour import Proof
    from pytest_moa.proof.prove import OpenQuestion, ProposedCalls, Sides
    from review_bot.asking import Asking

#: Seconds that a proof gets before the second layer starts, however fast the first one was.
HEAD_START = 8.0

#: Shares of a proof's seconds: for the first search, where members have calls to bring later; for findings
#: with a call, of what is left then.
_FIRST, _CLAIMS = 0.6, 0.4

#: Seconds below which another search is not begun, and seconds for one to end when it is told to.
_SHORTEST, _ENDING = 3.0, 6.0

#: Changes of behaviour that members are asked to judge at once.
_JUDGED = 8


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
        self.chat = [name for name, voice in voices.items() if not voice.deterministic]
        self.layers = layers
        self._trees = trees
        self._asking = asking
        self._found = Found(self.clean)
        self._facts: list[Fact] = []  #: not told yet
        self._stop = threading.Event()
        self._work: asyncio.Task[None] | None = None
        self._left_over = plan.seconds  #: seconds that the first search has left
        self._deadline = 0.0  #: of all that comes after it
        self._first: asyncio.Future[None]  #: done with the first search
        self._heard: asyncio.Future[Ledger]  #: done with the first layer
        self._began = 0.0
        self._ask: Ask
        self._say: Callable[[str], None]

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:
        """Start the proof."""
        self._ask, self._say = ask, say
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
            first = await self._search(sides, seconds=self.plan.seconds * (_FIRST if self.chat else 1))
            self._left_over -= first.seconds
        finally:
            if not self._first.done():
                self._first.set_result(None)
        if self.chat:
            await self._with_members(sides, first)

    async def _with_members(self, sides: Sides, first: Proof) -> None:
        """What needs the committee: it starts when the first layer has closed."""
        ledger = await self._heard
        self._deadline = time.monotonic() + self._left_over
        known = dict(self._found.behaviours)
        judged = asyncio.ensure_future(self._judged(list(known.values())))
        try:
            modules = await in_thread(lambda: HeadModules(sides.head, self.change.python_paths()))
            claims = claims_in(ledger, modules.name)
            if claims:
                await self._tested(sides, claims, modules)
            await self._proposals(sides, first)
            await judged
        finally:
            await cancelled([judged])
        await self._judged([one for id, one in self._found.behaviours.items() if id not in known])

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

    async def _tested(self, sides: Sides, claims: Sequence[Claim], modules: HeadModules) -> None:
        """Put what findings claim of calls to the test."""
        from pytest_moa.proof.prove import ProposedCalls

        shown: dict[str, str] = {}
        if self._left() >= _SHORTEST:
            self._found.names.update((claim.item, claim.author) for claim in claims)
            calls = [ProposedCalls(claim.function, (claim.call,), claim.item) for claim in claims]
            proof = await self._search(sides, calls, seconds=self._left() * _CLAIMS)
            shown = {by: change.id for change in proof.changes for by in change.found_by}
        for claim in claims:
            report = self._found.behaviours.get(shown.get(claim.item, ""))
            if report is not None:
                text = f"`{one_line(report.input)}` {difference(report)}"
                self._facts.append(claim_fact(claim.item, True, text, report.witness()))
            elif self._left() > 0:
                self._say(f"proof: {one_line(self.clean.text(claim.call, 60))}")
                verdict = await self._verdict(sides, claim, modules)
                self._facts.append(self._verdict_fact(claim, verdict))

    async def _verdict(self, sides: Sides, claim: Claim, modules: HeadModules) -> Verdict:
        from pytest_moa.proof.prove import replay

        tests = claim.tests(modules.imports(claim.function.partition(":")[0]))
        if tests is None:
            return Verdict(None, f"`{one_line(claim.call)}` showed no difference")
        holds, fails = tests
        unsafe = self.plan.unsafe
        held = await in_thread(lambda: replay(holds, sides, unsafe=unsafe))
        failed = await in_thread(lambda: replay(fails, sides, unsafe=unsafe))
        return judge(claim, held, failed, fails)

    def _verdict_fact(self, claim: Claim, verdict: Verdict) -> Fact:
        witness = {
            "test": self.clean.test(verdict.test),
            "input": self.clean.text(claim.call),
            "base": {},
            "head": {},
            "found_by": [claim.author],
        }
        return claim_fact(claim.item, verdict.supports, self.clean.text(verdict.text), witness)

    async def _proposals(self, sides: Sides, first: Proof) -> None:
        """Search on with calls that members propose, as long as there is time."""
        from pytest_moa.proof.prove import open_questions

        latest = first
        for number in range(ROUNDS):
            if self._left() < _SHORTEST or not (questions := open_questions(sides, latest)):
                return
            asked = [asyncio.ensure_future(self._proposed(name, questions)) for name in self.chat]
            try:
                done, _ = await asyncio.wait(asked, timeout=self._left())
            finally:
                await cancelled(asked)
            calls = [call for one in asked if one in done for call in one.result()]
            if self._left() < _SHORTEST:
                return
            seconds = self._left() / (ROUNDS - number) if calls else self._left()
            functions = [one.function for one in questions]
            latest = await self._search(sides, calls, functions, seconds=seconds)
            if not calls:
                return

    async def _proposed(self, name: str, questions: Sequence[OpenQuestion]) -> list[ProposedCalls]:
        from pytest_moa.proof.prove import ProposedCalls

        asked = proposing(self._asking(self.voices[name]), questions)
        if asked is None:
            return []
        question, functions = asked
        answer = await self._ask(name, question, ProposedAnswer)
        if not isinstance(answer.value, ProposedAnswer):
            return []
        by_function = answer.value.by_function(functions)
        return [ProposedCalls(function, sources, name) for function, sources in by_function.items()]

    async def _judged(self, reports: Sequence[BehaviourReport]) -> None:
        """Ask all chat members what they think of changes of behaviour, the worst first."""
        ranked = sorted(reports, key=lambda one: (-one.rank, one.id))[:_JUDGED]
        if ranked:
            await asyncio.gather(*(self._judged_by(name, ranked) for name in self.chat))

    async def _judged_by(self, name: str, reports: Sequence[BehaviourReport]) -> None:
        asking = self._asking(self.voices[name])
        items = found_by_proof(one.model_copy(update={"judgement": "suspicious"}) for one in reports)
        code = Settling(asking, Ledger(), self.voices).code(items, room_for_code(asking))
        answer = await self._ask(name, judging(asking, reports, code), Judgements)
        if isinstance(answer.value, Judgements):
            said = answer.value.said(name, (one.id for one in reports))
            self._facts += [judgement_fact(id, one) for id, one in said.items()]


def _why(fault: BaseException) -> str:
    """Why there is no proof. A fault of ours costs the proof, and not the review that others have made."""
    if isinstance(fault, MoaError):
        return f"nothing was run: {fault.message}" + (f" ({fault.hint})" if fault.hint else "")
    return f"the proof failed, which is a fault in review-bot itself: {type(fault).__name__}: {fault}"
