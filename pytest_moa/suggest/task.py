"""Suggesting tests as a task of the engine: what members are asked, what is executed, what comes of it.

Layer 1 proposes independently; deterministic members take part in it and in no other. After each layer
all new candidates are executed. Later layers see candidates under neutral ids with these facts, and
judge whether what they assert is right. Facts choose what is suggested (`conclusion`).
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from moa_engine.assembly import Assembly
from moa_engine.errors import RunFailed
from moa_engine.ledger import Answer, Fact, Item, Ledger
from moa_engine.member import Member, Message, PromptVersion
from moa_engine.stragglers import cancelled
from moa_engine.task import Contribution, Question, Synthesis, Task
from moa_engine.tokens import TokenEstimator
from pytest_moa.candidate import Candidate
from pytest_moa.proposers.proposer import KINDS, Proposer
from pytest_moa.suggest.answers import Critique, Verdicts
from pytest_moa.suggest.arranging import content_key
from pytest_moa.suggest.asking import Asking, Unit, discussed, units_of
from pytest_moa.suggest.brief import Brief, Survivor
from pytest_moa.suggest.conclusion import Gaps, conclude, select
from pytest_moa.suggest.executing import OBSERVED
from pytest_moa.suggest.judging import Executed, Judged, body_of, executed_by_key, judged, worded
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.proposal import Proposal, read_written
from pytest_moa.suggest.screening import refusal
from pytest_moa.suggest.splitting import Wanted, split
from pytest_moa.suggest.subject import Examiner, SuggestSubject
from pytest_moa.suggest.voices import Voice
from pytest_moa.suggestions import Suggestions

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome

#: Told from the run's thread what goes on: words, how much of how much, suggestions so far if they changed.
Watch = Callable[[str, int, int, Suggestions | None], None]


class SuggestTask(Task[Suggestions]):
    """Suggests tests for some targets.

    `briefs` are masked: they are what is sent and recorded. `examiner` executes candidates; a replay has
    none. `digest` is the SHA-256 of all that deterministic members read.
    """

    name: ClassVar[str] = "suggest"
    merges_late: ClassVar[bool] = False

    def __init__(
        self,
        briefs: Sequence[Brief],
        *,
        voices: Mapping[str, Voice],
        most: int,
        digest: str,
        subject: SuggestSubject | None = None,
        examiner: Examiner | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.briefs = tuple(briefs)
        self.voices = dict(voices)
        self.most = most
        self.subject = subject
        self.subject_digest = digest
        self.examiner = examiner
        self.watch = watch
        self.units = units_of(self.briefs)
        self.gaps = Gaps(self.briefs, self.voices, most)
        #: Facts of an examination that was cut off.
        self.unrecorded: list[Fact] = []
        #: What the aggregator said when it was concluded last.
        self.settled: Synthesis | None = None
        self._ahead: asyncio.Task[list[Fact]] | None = None

    def dump(self) -> Mapping[str, Any]:
        return {
            "briefs": [brief.to_json() for brief in self.briefs],
            "voices": {name: asdict(voice) for name, voice in self.voices.items()},
            "most": self.most,
            "digest": self.subject_digest,
        }

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> SuggestTask:
        return cls(
            [Brief.from_json(brief) for brief in data["briefs"]],
            voices={name: Voice(**voice) for name, voice in data["voices"].items()},
            most=data["most"],
            digest=data["digest"],
        )

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        if member.reads == "subject":
            asked = layer == 1 and isinstance(member, Proposer)  # reviewers may sit on the committee, too
            # Where nothing is open only a promise that the code breaks is worth a test.
            claims = member.kind not in KINDS or KINDS[member.kind].claims
            open_ones = [brief for brief in self.briefs if claims or brief.survivors or brief.uncovered]
            return [_target_question(brief) for brief in open_ones] if asked else ()
        asking = self._asking(Voice.of(member), ledger)
        if layer == 1:
            return [question for unit in self.units if (question := asking.first(unit)) is not None]
        candidates, _ = judged(ledger, self.voices)
        selected = self._selected(candidates)
        heard = {answer.unit for answer in ledger.answers if answer.member == member.name and answer.value}
        questions: list[Question] = []
        for unit in self.units:
            tests = discussed(unit, candidates, selected, ledger)
            survivors = self._survivors(unit, candidates)
            if tests or (survivors and unit.name in heard):
                questions += asking.again(unit, tests, survivors)
            elif unit.name not in heard and (question := asking.first(unit)) is not None:
                questions.append(question)
        return questions

    def answer_type(self, layer: int) -> type[BaseModel] | None:
        return None if layer == 1 else Critique

    def read(self, answer: Answer) -> Contribution:
        if isinstance(answer.value, Critique):
            tests = [
                proposal
                for written in answer.value.tests
                for proposal in self._split(written.code, answer.unit, written.hardens)
            ]
            stances = [
                (stance.id, stance.position, worded(stance.problem, stance.why))
                for stance in answer.value.stances
            ]
            return Contribution(tests, stances)
        if not isinstance(answer.value, str):
            return Contribution()
        if self._is_tool(answer.member):
            known = {brief.id for brief in self.briefs}
            return Contribution([one for one in read_written(answer.value) if one.target in known])
        return Contribution(self._split(answer.value, answer.unit))

    @property
    def models(self) -> list[str]:
        """The members that are models."""
        return [name for name, voice in self.voices.items() if not voice.deterministic]

    def execute_ahead(self) -> None:
        """Models are still to answer in the first layer: execute what all others have found meanwhile."""
        if self._ahead is None and self.examiner is not None and isinstance(self.subject, SuggestSubject):
            found = self.subject.answers.items()
            answers = [Answer(member, 1, 0, unit, text) for (member, unit), text in found]
            ledger = Assembly(self, 0, list(self.voices)).ledger(answers, ())
            self._ahead = asyncio.ensure_future(self._examined(ledger))

    async def rest(self, ledger: Ledger, *, wait: bool) -> Sequence[Fact]:  # noqa: ARG002 - all is there
        return () if self._ahead is None else await self._known_ahead(ledger, stop=True)

    async def examine(self, ledger: Ledger, layer: int) -> Sequence[Fact]:  # noqa: ARG002 - a hook
        if self.examiner is None:
            return ()
        before = [] if self._ahead is None else await self._known_ahead(ledger, stop=False)
        try:
            return [*before, *await self._examined(ledger.with_facts(before))]
        except asyncio.CancelledError:
            self.unrecorded += before
            raise

    async def _known_ahead(self, ledger: Ledger, *, stop: bool) -> list[Fact]:
        """What `execute_ahead` showed of the ledger's items, once. Cut off, it is in `unrecorded`."""
        work, self._ahead = self._ahead, None
        if work is None:
            return []
        if stop and not work.done():
            await cancelled([work])
            return []
        items = {item.id for item in ledger.items}
        return [fact for fact in await work if fact.item in items]

    async def _examined(self, ledger: Ledger) -> list[Fact]:
        """Execute the ledger's candidates of which nothing is known yet."""
        known = executed_by_key(ledger.facts)
        facts: list[Fact] = []
        wanted: dict[str, tuple[str, Candidate]] = {}  # id of the candidate: id of its item, itself
        groups: dict[str, str] = {}
        keys: set[str] = set(known)
        for item in ledger.items:
            proposal = body_of(item)
            key = content_key(proposal.candidate)
            if key in keys:
                continue
            keys.add(key)
            if proposal.refused:
                facts.append(Executed("unsafe", proposal.refused).fact(key, item.id))
            else:
                wanted[proposal.candidate.id] = (item.id, proposal.candidate)
                groups[proposal.candidate.id] = OBSERVED if self._is_observed(item) else item.author
        facts += await self._executed(wanted, groups)
        if self.watch is not None and facts:
            so_far = self.conclude(ledger.with_facts(facts), None)
            self.watch("executed candidates", len(facts), len(facts), so_far)
        return facts

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:
        candidates, _ = judged(ledger, self.voices)
        selected = self._selected(candidates)
        tests = {unit.name: discussed(unit, candidates, selected, ledger) for unit in self.units}
        return self._asking(Voice.of(aggregator), ledger).settling(self.units, tests, ledger.stances)

    def synthesis_type(self) -> type[BaseModel]:
        return Verdicts

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> Suggestions:
        if ledger.answers and all(answer.value is None for answer in ledger.answers):
            raise RunFailed("no member gave an answer that could be used")
        self._concluded, self.settled = ledger, synthesis
        candidates, objections = judged(ledger, self.voices, synthesis)
        by = synthesis.aggregator if synthesis else ""
        members = dict.fromkeys(answer.member for answer in ledger.answers if answer.value is not None)
        result = conclude(candidates, self.gaps, [f"{by}: {objection}" for objection in objections])
        return replace(result, members=tuple(members), calls=len(ledger.answers))

    def conclude_again(self) -> Suggestions:
        """The last conclusion anew, without what `gaps.left_out` has by now."""
        return self.conclude(self._concluded, self.settled)

    def dump_result(self, result: Suggestions) -> Any:
        return result.to_json()

    def fates(self, outcome: Outcome[Suggestions]) -> Mapping[str, str]:
        if outcome.result is None:
            return {}
        fates = {one.id: one.fate for one in outcome.result.candidates}
        by_key = {content_key(one.candidate): one.id for one in outcome.result.candidates}
        return {item.id: fates[by_key[content_key(body_of(item).candidate)]] for item in outcome.ledger.items}

    def present(self, outcome: Outcome[Suggestions], format: str) -> str:
        from pytest_moa.suggest.presenting import present

        return present(outcome, format)

    def _asking(self, voice: Voice, ledger: Ledger) -> Asking:
        secret = hashlib.sha256(f"{ledger.seed} {self.subject_digest}".encode()).hexdigest()
        return Asking(f"----- {secret[:16]} -----", voice.prompt_tokens, TokenEstimator().estimate)

    def _split(self, text: str, unit_name: str, hardens: str = "") -> list[Proposal]:
        """A chat member's tests for a unit, the dangerous ones marked."""
        unit = self._unit(unit_name)
        first = unit.briefs[0]
        home = Home(first.target.module, frozenset(first.module_names))
        wanted = [Wanted(brief.id, brief.target.qualname) for brief in unit.briefs]
        return [
            Proposal.of(candidate, refused=refusal(candidate), hardens=hardens)
            for candidate in split(text, wanted, home)
        ]

    def _unit(self, name: str) -> Unit:
        """The unit that a question was about: a later layer's has the number of a part behind it."""
        return next((unit for unit in self.units if name.split("; ")[0] == unit.name), self.units[0])

    def _selected(self, candidates: Mapping[str, Judged]) -> set[str]:
        passing = [one for one in candidates.values() if one.executed.status == "passes"]
        return {key for test in select(passing, self.gaps) for key in test.parts}

    def _survivors(self, unit: Unit, candidates: Mapping[str, Judged]) -> list[Survivor]:
        killed = {
            mutant
            for one in candidates.values()
            if one.executed.status == "passes"
            for mutant in one.executed.kills
        }
        return [one for brief in unit.briefs for one in brief.survivors if one.id not in killed]

    def _is_observed(self, item: Item) -> bool:
        """Whether what it asserts was seen when the code ran, and nobody says more than that."""
        return self._is_tool(item.author) and not body_of(item).claimed

    def _is_tool(self, member: str) -> bool:
        return member in self.voices and self.voices[member].deterministic

    async def _executed(
        self, wanted: Mapping[str, tuple[str, Candidate]], groups: Mapping[str, str]
    ) -> list[Fact]:
        """What executing them showed. Cut off, what is known by then is kept in `unrecorded`."""
        if not wanted or self.examiner is None:
            return []
        candidates = [candidate for _, candidate in wanted.values()]
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def told(says: str, done: int, of: int) -> None:
            if self.watch is not None:
                loop.call_soon_threadsafe(self.watch, says, done, of, None)

        examining = asyncio.to_thread(self.examiner.examine, candidates, groups, stop, told)
        work = asyncio.ensure_future(examining)
        try:
            return _facts(await asyncio.shield(work), wanted)
        except asyncio.CancelledError:
            stop.set()
            self.unrecorded += _facts(await work, wanted)
            raise


def _facts(executed: Mapping[str, Executed], wanted: Mapping[str, tuple[str, Candidate]]) -> list[Fact]:
    """What was shown of candidates, and of those that were made from what their calls give."""
    facts: dict[str, Fact] = {}
    for name, (item, candidate) in wanted.items():
        if name in executed:
            key = content_key(candidate)
            facts[key] = executed[name].fact(key, item)
    for one in [test for found in executed.values() for test in found.observed]:
        key = content_key(one)
        if one.id in executed and key not in facts:
            facts[key] = executed[one.id].fact(key, None)
    return list(facts.values())


def _target_question(brief: Brief) -> Question:
    """What a deterministic member is asked: one target. The message tells it, and the cache, which one."""
    return Question(PromptVersion("", ""), (Message("user", brief.id),), brief.id)
