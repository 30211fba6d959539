"""What a member is: somebody on the committee who can be asked for one generation.

A chat member reads the request's messages. A deterministic member (a linter, a search) reads the
request's subject, which is whatever object its task works on. Both answer with text and end up in
the same record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from moa_engine.config import Price

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """Which prompt file was rendered: its name and the version in its front matter."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Request:
    """One generation that is asked of one member.

    `messages` is empty for a member that reads the subject. `answer_schema` is the JSON Schema of
    the answer, None for plain text. `parameters` are sampling parameters as the chat completions
    API names them (temperature, max_tokens, ...). `sample` tells repeated generations of the same
    messages apart.
    """

    messages: tuple[Message, ...]
    prompt: PromptVersion
    answer_schema: Mapping[str, Any] | None = None
    answer_name: str = "answer"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sample: int = 0
    subject: object | None = None
    subject_digest: str = ""  #: SHA-256 of the subject, for members that read it

    @property
    def text(self) -> str:
        """All message contents, in order: what is sent, without the envelope."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True, slots=True)
class Reply:
    """What one attempt gave back. Token counts are None when the endpoint did not say."""

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None  #: the part of tokens_in that the endpoint read from its cache
    finish_reason: str = "stop"
    raw: str = ""  #: the endpoint's whole answer, verbatim


@runtime_checkable
class Member(Protocol):
    """Somebody on the committee.

    `generate` makes exactly one attempt: retries, hedges, the cache, the budget and the record are
    the engine's. It raises a `CallError` and nothing else.
    """

    name: str
    kind: str
    model: str  #: "" for a deterministic member
    family: str  #: members of one family share one vote
    endpoint: str  #: "scheme://host:port" that is asked; "" when nothing leaves the process
    reads: Literal["messages", "subject"]
    samples: int
    context_window: int | None  #: tokens; None when not known
    timeout: float  #: seconds allowed for one attempt
    parameters: Mapping[str, Any]  #: sampling parameters sent with each request
    concurrency: int  #: requests at its endpoint at once, to begin with
    price: Price | None  #: as configured; None leaves it to the price data
    secrets: tuple[str, ...]  #: keys that it uses: never sent anywhere else, never kept

    async def open(self) -> None:
        """Do what must be done once before the first request: imports, connections, loading a model."""

    async def generate(self, request: Request) -> Reply: ...

    async def aclose(self) -> None: ...


def identity(member: Member) -> dict[str, Any]:
    """What decides a member's answers besides the request itself: part of the cache key. No secrets."""
    return {"kind": member.kind, "model": member.model, "endpoint": member.endpoint}
