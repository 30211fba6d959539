"""The member: asked once for each review, it answers with findings in JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from moa_engine.config import Price
from moa_engine.errors import Refused
from moa_engine.member import Reply, Request
from review_bot.change import Change
from review_bot.finding import Finding, FindingsAnswer
from review_bot.subject import ReviewSubject

if TYPE_CHECKING:
    from moa_todo.plugin import TodoSettings

#: Raise it when the same change would get another answer: answers in the record are then not reused.
REVISION = 1


class TodoMember:
    """Objects to added lines with a TODO that names no ticket."""

    kind = "todo"
    model = ""  # it runs none
    endpoint = ""  # nothing leaves the process
    reads: Literal["messages", "subject"] = "subject"
    samples = 1
    context_window: int | None = None
    concurrency = 1
    price: Price | None = Price(input=0, output=0)
    secrets: tuple[str, ...] = ()

    def __init__(self, name: str, own: TodoSettings) -> None:
        self.name, self.timeout = name, own.timeout
        self.family = own.family or self.kind
        self.ticket = re.compile(own.ticket)
        #: Part of the key under which its answers are kept: whatever decides them belongs in here.
        self.parameters: Mapping[str, Any] = {"revision": REVISION, "ticket": own.ticket}

    async def open(self) -> None:
        """Nothing to prepare."""

    async def generate(self, request: Request) -> Reply:
        """Review the change.

        Raises:
            Refused: it was asked about something else.
        """
        if not isinstance(request.subject, ReviewSubject):
            raise Refused(f"{self.name} reviews changes and nothing else")
        answer = FindingsAnswer(findings=list(self._findings(request.subject.change)))
        return Reply(text=answer.model_dump_json(), tokens_in=0, tokens_out=0)

    async def aclose(self) -> None:
        """Nothing is held."""

    def _findings(self, change: Change) -> Iterator[Finding]:
        for file in change.files:
            for hunk in file.hunks:
                for line in hunk.lines():
                    if line.mark == "+" and "TODO" in line.text and not self.ticket.search(line.text):
                        yield Finding(
                            path=file.path,
                            side="RIGHT",
                            start_line=line.new,
                            line=line.new,
                            severity="minor",
                            category="maintainability",
                            title="The TODO names no ticket",
                            body="Nobody will find it again. Name the ticket, or do it now.",
                            rule="no-ticket",
                        )
