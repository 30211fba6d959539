"""What a committee is asked to do.

A task says what proposers are asked, what later layers are shown, of which type an answer is, how
facts are gathered between layers, and how answers are aggregated. The engine does the rest: calls,
stragglers, cache, budget, record. `moa_engine.ask` is the smallest task; reviews are another.

Everything here but `begin`, `examine` and `rest` is a pure function of the task and the ledger, so that
a run can be replayed from its record byte for byte. docs/design/proof-in-a-review.md says how a task
executes code beside the layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from moa_engine.ledger import Answer, Fact, Ledger
from moa_engine.member import Member, Message, PromptVersion

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask one member. `unit` names the part of the subject, "" for all of it.

    A member that reads the subject needs no messages. `expected_tokens` is a guess of the length of
    a usual answer, for the plan.
    """

    prompt: PromptVersion
    messages: tuple[Message, ...] = ()
    unit: str = ""
    expected_tokens: int = 400


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one answer adds to the ledger: item bodies, and stances as (item id, position, why)."""

    items: Sequence[BaseModel] = ()
    stances: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a layer waits for its slower members.

    `quorum` is the share of a layer's seats after which it may close; `grace` is how much longer it
    then waits, as a share of the time that the quorum took. A quorum of 1 waits for everybody, until
    the layer's deadline.
    """

    quorum: float = 1.0
    grace: float = 0.25


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What an aggregator answered: its name and one value per question it was asked."""

    aggregator: str
    answers: tuple[Answer, ...] = field(default_factory=tuple)


class Ask(Protocol):
    """Puts a question to a member of the committee beside the layers."""

    async def __call__(self, member: str, question: Question, answer_type: type[BaseModel] | None) -> Answer:
        """One recorded generation, from the cache if it is there, paid from the run's budget.

        The answer does not join the ledger: what comes of it are facts. Raises nothing but cancellation.
        """


class Task(ABC, Generic[ResultT]):
    """One job for a committee; see the module's docstring."""

    #: The name by which the record and the plug-ins know this kind of task.
    name: ClassVar[str]

    #: Whether an answer that comes after its layer has closed is still merged before the end.
    merges_late: ClassVar[bool] = False

    #: Whether the same run once more takes its facts from the record: for facts that depend on nothing but
    #: what `dump` and the members say.
    keeps_facts: ClassVar[bool] = False

    #: How long layers wait, unless the configuration says otherwise.
    patience: ClassVar[Patience] = Patience()

    #: What members that read the subject are given, and its SHA-256.
    subject: object | None = None
    subject_digest: str = ""

    @abstractmethod
    def dump(self) -> Mapping[str, Any]:
        """All that `load` needs to make this task again, as JSON. Goes into the record: no secrets."""

    @classmethod
    @abstractmethod
    def load(cls, data: Mapping[str, Any]) -> Task[ResultT]:
        """The task that `dump` described."""

    @abstractmethod
    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        """What to ask this member in this layer (from 1); nothing if it has no part in it."""

    @abstractmethod
    def answer_type(self, layer: int) -> type[BaseModel] | None:
        """The type of a proposer's answer in this layer; None for plain text."""

    def read(self, answer: Answer) -> Contribution:  # noqa: ARG002 - a hook
        """What an answer adds to the ledger. Plain text adds nothing but itself."""
        return Contribution()

    def beside(self, member: Member) -> Sequence[Question]:  # noqa: ARG002 - a hook
        """About what `begin` may ask this member in the worst case, for the plan."""
        return ()

    def begin(self, ask: Ask, say: Callable[[str], None]) -> None:
        """The run begins: start, in its event loop, what goes on beside the layers.

        `say` tells who watches what goes on, "" when it is over.
        """

    async def examine(self, ledger: Ledger, layer: int) -> Sequence[Fact]:  # noqa: ARG002 - a hook
        """Facts found by executing code, after this layer and before the next one."""
        return ()

    async def rest(self, ledger: Ledger, *, wait: bool) -> Sequence[Fact]:  # noqa: ARG002 - a hook
        """The facts still to come from what `begin` started, after the last layer.

        Without `wait` the run is cut short: stop all of it, and give what is known by now.
        """
        return ()

    @abstractmethod
    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:
        """What to ask an aggregator; nothing if there is nothing to aggregate."""

    @abstractmethod
    def synthesis_type(self) -> type[BaseModel] | None:
        """The type of an aggregator's answer; None for plain text."""

    @abstractmethod
    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> ResultT:
        """The result. Without a synthesis this is the deterministic aggregator.

        Raises:
            RunFailed: the ledger holds nothing that could be a result.
        """

    @abstractmethod
    def dump_result(self, result: ResultT) -> Any:
        """The result as JSON."""

    def fates(self, outcome: Any) -> Mapping[str, str]:  # noqa: ARG002 - a hook
        """What became of each item of the ledger, in words, by item id."""
        return {}

    @abstractmethod
    def present(self, outcome: Any, format: str) -> str:
        """An `Outcome` of this task, written out in one of the task's formats.

        Raises:
            ValueError: no such format; the message says which there are.
        """
