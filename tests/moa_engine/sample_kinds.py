"""Kinds of members for tests, brought by a plug-in as any other: some talk, some read the subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pluggy
from pydantic import Field

from moa_engine import builtin, hookspecs
from moa_engine.config import MemberSettings, Price, Section, Settings
from moa_engine.errors import ConfigError
from moa_engine.hookspecs import MemberKind, hookimpl
from moa_engine.member import Reply, Request


class TalkSettings(MemberSettings):
    """A member that repeats what it is told."""

    kind: Literal["talk"] = "talk"
    voice: str
    """How it sounds."""
    volume: int = 5


class LintSettings(MemberSettings):
    """A member that reads the subject."""

    ignore: list[str] = Field(default_factory=list)


class DemoSection(Section):
    """What the plug-in itself wants to know."""

    depth: int = 3
    mode: Literal["quick", "thorough"] = "quick"


class SampleMember:
    model = ""
    endpoint = ""
    context_window: int | None = None
    parameters: Mapping[str, Any] = {}
    concurrency = 1
    price: Price | None = None

    def __init__(
        self, name: str, kind: str, own: MemberSettings, reads: Literal["messages", "subject"]
    ) -> None:
        self.name, self.kind, self.family, self.reads = name, kind, name, reads
        self.samples, self.timeout, self.settings = own.samples, own.timeout, own

    async def generate(self, request: Request) -> Reply:
        return Reply(request.text)

    async def aclose(self) -> None:
        pass


def _talk(name: str, own: TalkSettings, settings: Settings) -> SampleMember:
    if own.voice == "broken":
        raise ConfigError(f"member {name!r} has lost its voice")
    return SampleMember(name, "talk", own, "messages")


def _lint(name: str, own: LintSettings, settings: Settings) -> SampleMember:
    return SampleMember(name, "lint", own, "subject")


class SamplePlugin:
    @hookimpl
    def moa_member_kinds(self) -> Sequence[MemberKind]:
        return [
            MemberKind("talk", TalkSettings, _talk),
            MemberKind("lint", LintSettings, _lint, reads="subject"),
            MemberKind("spell", LintSettings, _lint, reads="subject"),
        ]

    @hookimpl
    def moa_config_sections(self) -> Mapping[str, type[Section]]:
        return {"demo": DemoSection}


def sample_plugins() -> pluggy.PluginManager:
    """The built-in kinds and the sample ones, without what else is installed."""
    plugins = pluggy.PluginManager("moa")
    plugins.add_hookspecs(hookspecs)
    plugins.register(builtin)
    plugins.register(SamplePlugin())
    return plugins
