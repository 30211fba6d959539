"""Proposers that other pytest plug-ins bring (`pytest_moa_proposers`), as members of the committee."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError, Refused
from moa_engine.member import Reply, Request
from pytest_moa.proposers.proposer import MOST, Proposer
from pytest_moa.suggest.proposal import written
from pytest_moa.suggest.subject import SuggestSubject

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from pytest_moa.suggestions import Proposer as Function
    from pytest_moa.suggestions import SuggestRequest


class ForeignProposer(Proposer):
    """Calls a plug-in's function once, and answers each question with what it gave for that target."""

    function: Function
    wanted: SuggestRequest
    given: asyncio.Task[list[object]] | None = None

    async def generate(self, request: Request) -> Reply:
        """What the plug-in proposes for the target that the request's message names.

        Raises:
            Refused: the subject is none of ours.
        """
        if not isinstance(request.subject, SuggestSubject):
            raise Refused(f"{self.name} proposes tests and nothing else")
        if self.given is None:
            self.given = asyncio.ensure_future(asyncio.to_thread(lambda: list(self.function(self.wanted))))
        target = request.messages[0].content
        candidates = [one for one in await asyncio.shield(self.given) if getattr(one, "target", "") == target]
        return Reply(text=written(candidates[:MOST]))  # type: ignore[arg-type]


def with_foreign(committee: Committee, request: SuggestRequest) -> Committee:
    """The committee with the request's proposers in its first layer.

    Raises:
        ConfigError: one has the name of a member.
    """
    members = dict(committee.members)
    for name, function in request.proposers.items():
        if name in members:
            raise ConfigError(f"a pytest plug-in brings a proposer {name!r}, and a member has that name")
        # Never taken from the record: nobody knows what the plug-in's code is by then.
        once = {"plug-in": name, "run": secrets.token_hex(8)}
        member = ForeignProposer(name, "foreign", "", name, 600.0, 1, once)
        member.function, member.wanted = function, request
        members[name] = member
    if not request.proposers:
        return committee
    first, *later = committee.layers or ((),)
    return replace(committee, members=members, layers=((*first, *request.proposers), *later))
