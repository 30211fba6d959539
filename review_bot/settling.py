"""What aggregators are asked: to settle findings, with the code they are about and what was said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moa_engine.ledger import Fact, Item, Ledger, Stance
from moa_engine.member import Message
from moa_engine.task import Question
from moa_engine.tokens import portioned
from review_bot.asking import Asking, prompt_file, version_of
from review_bot.finding import Finding
from review_bot.grouping import REACH, Group, body_of, by_item, group
from review_bot.nearby_code import NearbyCode
from review_bot.standing import Voice, is_tool

#: Tokens of an answer per finding, for the plan.
_PER_FINDING = 60

#: The part of a prompt's room that findings may take; the code they are about gets the rest.
_FINDINGS = 0.6

Said = Mapping[str | None, Sequence[Stance]]
Known = Mapping[str | None, Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Settling:
    """How the findings of one review are put to an aggregator."""

    asking: Asking
    ledger: Ledger
    voices: Mapping[str, Voice]

    def questions(self) -> list[Question]:
        """One question, more where the findings do not fit into one, none where nobody has to settle.

        What tools alone have found needs no settling: it stands, and code has merged what is the same.
        """
        groups = self._open_groups()
        said, known = by_item(self.ledger.stances), by_item(self.ledger.facts)
        texts = [self._shown(items, said, known) for items in groups]
        system = prompt_file("settle").text
        frame = prompt_file("settle-findings")
        asking = self.asking
        room = asking.room - asking.tokens(system) - asking.tokens(frame.text)
        portions = portioned(texts, asking.tokens, int(room * _FINDINGS))
        near = NearbyCode(asking.change, asking.anchors, asking.tokens)
        questions = []
        for number, portion in enumerate(portions, 1):
            findings = "\n\n".join(texts[index] for index in portion)
            items = [item for index in portion for item in groups[index]]
            code = near.shown(items, room - asking.tokens(findings))
            user = frame.render(boundary=asking.boundary, code=code, findings=findings)
            name = "" if len(portions) == 1 else f"findings, part {number} of {len(portions)}"
            messages = (Message("system", system), Message("user", user))
            questions.append(
                Question(version_of("settle", "settle-findings"), messages, name, _PER_FINDING * len(items))
            )
        return questions

    def _open_groups(self) -> list[Group]:
        """Groups in which a model has a say, and tools' groups near them: by file, then shuffled."""
        groups = group(self.ledger.items, self.asking.anchors)
        tools = [all(map(self._is_tools, items)) for items in groups]
        said: dict[str, list[int | None]] = {}
        for items, only_tools in zip(groups, tools, strict=True):
            if not only_tools:
                said.setdefault(body_of(items[0]).path, []).extend(body_of(item).line for item in items)
        open_groups = [
            items
            for items, only_tools in zip(groups, tools, strict=True)
            if not only_tools or _near(body_of(items[0]), said)
        ]
        shuffled: list[Group] = self.ledger.shuffled(open_groups, lambda items: items[0].id)
        return sorted(shuffled, key=lambda items: body_of(items[0]).path)

    def _is_tools(self, item: Item) -> bool:
        return is_tool(self.voices, item.author)

    def _shown(self, items: Group, said: Said, known: Known) -> str:
        lines = ["(these seem to make the same claim)"] if len(items) > 1 else []
        for item in items:
            lines.append(self.asking.finding(item, known))
            if self._is_tools(item):
                lines.append("  found by a tool")
            lines += [f"  {stance.position}: {stance.why}".rstrip(": ") for stance in said[item.id]]
        return "\n".join(lines)


def _near(finding: Finding, said: Mapping[str, Sequence[int | None]]) -> bool:
    """Whether a model says something near a tool's finding."""
    lines = said.get(finding.path, ())
    return any(line and finding.line and abs(line - finding.line) <= REACH for line in lines)
