"""What chat reviewers are asked.

The stable part comes first, so that endpoints can reuse the prefix: instructions, then what is the
same for all units of a change, then the unit, then what the layer asks. A later layer's question is
the first layer's, continued: its last message begins with all of the first layer's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from moa_engine.ledger import Fact, Item
from moa_engine.member import Message, PromptVersion
from moa_engine.prompts import Prompt, load_prompt
from moa_engine.task import Question
from moa_engine.tokens import portioned
from review_bot.anchors import Anchors
from review_bot.change import Change, ChangedFile, NotReviewed
from review_bot.grouping import body_of, place_of
from review_bot.packing import Unit, pack
from review_bot.proof.facts import JUDGEMENT, PROOF

Tokens = Callable[[str], int]

#: Shares of a prompt that guidelines, and the findings of a layer before, may take.
_GUIDELINES, _FINDINGS = 6, 6

#: Characters of a description, of a finding's body and of a quoted line that are shown.
_DESCRIPTION, _BODY, _LINE = 1500, 600, 200

#: Files of other units that are named, so that a reviewer knows what else changes.
_OTHERS = 30

#: Kinds of facts about the whole change that are for code, and not for reviewers.
_FOR_CODE = (PROOF, JUDGEMENT)

#: Tokens of a unit below which cutting finer makes no sense.
_SMALLEST = 200


@dataclass(frozen=True, slots=True)
class Asking:
    """How one change is put to reviewers with room for `room` tokens of prompt.

    `boundary` is a line that nobody who wrote the change can have known.
    """

    change: Change
    anchors: Anchors
    boundary: str
    room: int
    tokens: Tokens
    calls: bool = False  #: whether calls that show a finding are run
    asked: Change | None = None  #: the part of the change that reviewers are asked about; None for all of it

    def units(self) -> tuple[list[Unit], list[NotReviewed]]:
        """The parts of the change that fit into one question each, and what fits into none."""
        empty = self._first(Unit("", "", (), ()), ())
        fixed = sum(self.tokens(message.content) for message in empty)
        later = self.tokens(prompt_file("review-again").text) + self.room // _FINDINGS
        return pack(self.asked or self.change, self.tokens, max(_SMALLEST, self.room - fixed - later))

    def first(self, unit: Unit, paths: Sequence[str]) -> Question:
        """The question of the first layer; `paths` are the files of all units."""
        return Question(self._version("review-change"), self._first(unit, paths), unit.name, 500)

    def again(
        self,
        unit: Unit,
        paths: Sequence[str],
        items: Sequence[Item],
        facts: Mapping[str | None, Sequence[Fact]],
    ) -> list[Question]:
        """The questions of a later layer: one, or more where the findings do not fit into one."""
        system, user = self._first(unit, paths)
        prompt = prompt_file("review-again")
        shown = [self.finding(item, facts) for item in items]
        fixed = self.tokens(system.content) + self.tokens(user.content) + self.tokens(prompt.text)
        known = [fact for fact in facts.get(None, ()) if fact.kind not in _FOR_CODE]
        general = [f"executed: {fact_line(fact)}" for fact in known]
        questions = []
        portions = portioned(shown, self.tokens, max(_SMALLEST, self.room - fixed))
        for number, portion in enumerate(portions, 1):
            findings = "\n".join([*(shown[index] for index in portion), *general])
            text = prompt.render(boundary=self.boundary, findings=findings)
            name = (
                unit.name
                if number == 1
                else f"{unit.name}; findings {number} of {len(portions)}".lstrip("; ")
            )
            messages = (system, Message("user", f"{user.content}\n\n{text}"))
            questions.append(Question(self._version("review-change", "review-again"), messages, name, 600))
        return questions

    def finding(self, item: Item, facts: Mapping[str | None, Sequence[Fact]]) -> str:
        """A finding as other members see it: under its id, without its author."""
        body = body_of(item)
        lines = [f"[{item.id}] {body.path}: {body.title} ({body.severity}, {body.category})"]
        lines += [f"  > {line.strip()[:_LINE]}" for line in self.anchors.code(place_of(body))[:3]]
        lines += [f"  {line}" for line in body.body[:_BODY].splitlines() if line.strip()]
        lines += [f"  executed: {fact_line(fact)}" for fact in facts.get(item.id, ())]
        return "\n".join(lines)

    def _first(self, unit: Unit, paths: Sequence[str]) -> tuple[Message, Message]:
        named = f" ({unit.name})" if unit.name else ""
        diff = f"{self._heading(f'diff{named}')}\n{unit.text}".rstrip("\n")
        user = prompt_file("review-change").render(
            boundary=self.boundary, parts="\n".join([*self._about(), *self._elsewhere(unit, paths), diff])
        )
        system = "\n\n".join(prompt_file(name).text for name in self._system)
        return Message("system", system), Message("user", user)

    @property
    def _system(self) -> tuple[str, ...]:
        return ("review", "review-calls") if self.calls else ("review",)

    def _version(self, *names: str) -> PromptVersion:
        return version_of(*self._system, *names)

    def _heading(self, text: str) -> str:
        return f"{self.boundary} {text}"

    def _about(self) -> list[str]:
        """What is the same for all units: guidelines, as far as they fit, and the author's words."""
        parts = []
        left = self.room // _GUIDELINES
        for guideline in self.change.guidelines:
            if text := _fitting(guideline.text.strip(), self.tokens, left):
                left -= self.tokens(text)
                title = f"guidelines of the project, before the change: {guideline.path}"
                parts.append(f"{self._heading(title)}\n{text}")
        return [*parts, *self.words()]

    def words(self) -> list[str]:
        """The part with the author's words, if there are any."""
        words = f"{self.change.title}\n\n{self.change.description[:_DESCRIPTION]}".strip()
        return [f"{self._heading('what the author says of the change')}\n{words}"] if words else []

    def _elsewhere(self, unit: Unit, paths: Sequence[str]) -> list[str]:
        own = set(unit.files)
        if not (count := len(paths) - len(own)):
            return []
        others = islice((path for path in paths if path not in own), _OTHERS)
        more = f"\n... and {count - _OTHERS} more" if count > _OTHERS else ""
        return [f"{self._heading('also changed, and reviewed separately')}\n" + "\n".join(others) + more]


def paths_of(units: Iterable[Unit]) -> tuple[str, ...]:
    """The files of all units, each once."""
    return tuple(dict.fromkeys(path for unit in units for path in unit.files))


def by_unit(
    items: Iterable[Item], units: Sequence[Unit], change: Change, anchors: Anchors
) -> defaultdict[str, list[Item]]:
    """The items by the name of the unit that shows what they are about.

    That is the unit with the nearest piece of their file, or the first one for a file that is in none.
    """
    files = {file.path: file for file in change.files}
    shown: defaultdict[str, list[_Stretch]] = defaultdict(list)
    for unit in units:
        for path, start, end in _stretches(unit, files):
            shown[path].append((start, end, unit.name))
    nearest = {path: _Nearest(stretches) for path, stretches in shown.items()}
    found: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        path, line, _ = anchors.at_head(place_of(body_of(item)))
        name = nearest[path].to(line) if path in nearest else units[0].name
        found[name].append(item)
    return found


_Stretch = tuple[int, int, str]  #: first and last line, and a name


def _further(one: _Stretch, other: _Stretch) -> _Stretch:
    return other if other[1] > one[1] else one


class _Nearest:
    """Which of some stretches of lines is the nearest to a line; the first of equals."""

    def __init__(self, stretches: Iterable[_Stretch]) -> None:
        ordered = sorted(stretches, key=lambda stretch: stretch[0])
        self._starts = [stretch[0] for stretch in ordered]
        self._after = ordered
        # Of those that begin before a line, the one that goes furthest.
        self._before = list(accumulate(ordered, _further))

    def to(self, line: int | None) -> str:
        if line is None:
            return self._after[0][2]
        index = bisect_right(self._starts, line)
        candidates = [*self._before[max(index - 1, 0) : index], *self._after[index : index + 1]]
        return min(candidates, key=lambda stretch: max(stretch[0] - line, line - stretch[1], 0))[2]


def _stretches(unit: Unit, files: Mapping[str, ChangedFile]) -> Iterable[tuple[str, int, int]]:
    """Path, first and last line at head of each piece in a unit."""
    for piece in unit.pieces:
        file = files.get(piece.path)
        if file is None or piece.hunk is None:
            yield piece.path, 0, 0
            continue
        hunk = file.hunks[piece.hunk]
        numbers = [line.new for line in islice(hunk.lines(), piece.first, piece.stop) if line.new]
        yield piece.path, min(numbers, default=hunk.new_start), max(numbers, default=hunk.new_start)


def fact_line(fact: Fact) -> str:
    """A fact in one line, with what it means for the finding, if it is about one."""
    meaning = {True: " (confirms it)", False: " (refutes it)", None: " (decides nothing)"}[fact.supports]
    return " ".join(f"{fact.kind}: {fact.text}{meaning if fact.item else ''}".split())[:_BODY]


def _fitting(text: str, tokens: Tokens, room: int) -> str:
    """The text, or its first lines with a note; "" where not even those fit."""
    if tokens(text) <= room:
        return text
    lines = text.split("\n")
    while lines and tokens("\n".join(lines)) > room:
        lines = lines[: len(lines) * 3 // 4]
    return "\n".join([*lines, "(cut)"]) if lines else ""


def prompt_file(name: str) -> Prompt:
    """One of this package's prompts."""
    return load_prompt("review_bot", name)


def version_of(*names: str) -> PromptVersion:
    """One name and version for a prompt that is made of several files."""
    return PromptVersion(names[-1], ".".join(prompt_file(name).version for name in names))
