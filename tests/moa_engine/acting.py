"""Members in this process that do what a test tells them, brought by a plug-in as any other kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from moa_engine.config import MemberSettings, Price, Settings
from moa_engine.hookspecs import MemberKind, hookimpl
from moa_engine.member import Reply, Request
from moa_engine.session import Session

Act = Callable[[Request], Awaitable[Any]]


class ActingSettings(MemberSettings):
    """A member that acts."""

    kind: Literal["acting"] = "acting"


class ActingMember:
    kind = "acting"
    endpoint = ""
    reads: Literal["messages", "subject"] = "messages"
    samples = 1
    context_window: int | None = None
    parameters: Mapping[str, Any] = {}
    concurrency = 8
    price: Price | None = None
    secrets: tuple[str, ...] = ()

    def __init__(self, name: str, timeout: float, act: Act) -> None:
        self.name = self.family = self.model = name
        self.timeout = timeout
        self.generate = act

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


class Acting:
    """The plug-in; `acts` says what each member does with a request."""

    def __init__(self, acts: Mapping[str, Act], member: type[ActingMember] = ActingMember) -> None:
        self.acts, self.member = acts, member

    @hookimpl
    def moa_member_kinds(self) -> Sequence[MemberKind]:
        def build(name: str, own: ActingSettings, settings: Settings) -> ActingMember:
            return self.member(name, own.timeout, self.acts[name])

        return [MemberKind("acting", ActingSettings, build)]


def with_acting(
    opened: Callable[..., Session],
    acts: Mapping[str, Act],
    member: type[ActingMember] = ActingMember,
    **more: Any,
) -> Session:
    """A session whose members are these."""
    own = more.pop("members", {})
    session = opened("http://127.0.0.1:9/v1", " ".join(acts), **more)  # files and flags know no such kind
    session.plugins.register(Acting(acts, member))
    members = {name: {"kind": "acting", **own.get(name, {})} for name in acts}
    settings = {"members": members, "aggregator": list(acts)[:1]}
    return replace(session, settings=session.settings.model_copy(update=settings))


def says(text: str) -> Act:
    async def act(request: Request) -> Reply:
        return Reply(text)

    return act
