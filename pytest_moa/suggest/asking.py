"""What chat members are asked.

The stable part comes first, so that endpoints can reuse the prefix: instructions, then the target's
code, its callers, tests as examples of style, then what is open, and last what the layer asks. A later
layer's question begins with all bytes of the first layer's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from moa_engine.ledger import Ledger, Stance
from moa_engine.member import Message, PromptVersion
from moa_engine.prompts import Prompt, load_prompt
from moa_engine.task import Question
from moa_engine.tokens import portioned
from pytest_moa.suggest.brief import Brief, Survivor
from pytest_moa.suggest.judging import Judged

Tokens = Callable[[str], int]

#: Tokens of a first prompt that are enough: what is more makes small models slow and no better.
_ENOUGH = 6000

#: The part of a prompt's room that tests of the layer before, and changes that survive, may take.
_TESTS, _SURVIVORS = 0.4, 0.1

#: Branches and mutants that are listed, tests that are discussed, characters of a failing test's output.
_GAPS, _DISCUSSED, _OUTPUT = 12, 12, 500

#: Tokens of room below which a model is taken for a small one. Those copy an example instead of following
#: it (a 0.5B model wrote one test of the project 36 times), and lose themselves in long lists.
_SMALL = 8000

#: Branches and mutants that a small model is shown.
_FEW = 5

#: Targets that share one question: methods of one class, which share its state.
_TOGETHER = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """Targets that one question is about."""

    name: str
    briefs: tuple[Brief, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of its targets."""
        return frozenset(brief.id for brief in self.briefs)


def units_of(briefs: Sequence[Brief]) -> list[Unit]:
    """One unit a function; up to four methods of one class make one."""
    groups: dict[tuple[str, str], list[list[Brief]]] = {}
    for brief in briefs:
        owner = brief.target.qualname.rpartition(".")[0]
        lists = groups.setdefault((brief.target.path, owner or brief.target.qualname), [[]])
        if len(lists[-1]) == _TOGETHER:
            lists.append([])
        lists[-1].append(brief)
    return [
        Unit(" ".join(brief.target.name for brief in group), tuple(group))
        for lists in groups.values()
        for group in lists
    ]


@dataclass(frozen=True, slots=True)
class Asking:
    """How targets are put to members with room for `room` tokens of prompt.

    `boundary` is a line that nobody who wrote the code can have known.
    """

    boundary: str
    room: int
    tokens: Tokens

    def first(self, unit: Unit) -> Question | None:
        """The question of the first layer; None where not even the code fits."""
        messages = self._first(unit)
        if messages is None:
            return None
        return Question(version_of("propose", "propose-target"), messages, unit.name, 700)

    def again(self, unit: Unit, tests: Sequence[Judged], survivors: Sequence[Survivor]) -> list[Question]:
        """The questions of a later layer: one, or more where the tests do not fit into one."""
        first = self._first(unit)
        if first is None:
            return []
        system, user = first
        changes = self._fitting(
            (survivor.diff for survivor in survivors[:_GAPS]), int(self.room * _SURVIVORS)
        )
        shown = [self.test(one) for one in tests[:_DISCUSSED]]
        questions = []
        portions = portioned(shown, self.tokens, max(300, int(self.room * _TESTS)), between=2) or [range(0)]
        for number, portion in enumerate(portions, 1):
            text = prompt_file("harden").render(
                boundary=self.boundary,
                tests="\n\n".join(shown[index] for index in portion) or "(none)",
                survivors="\n".join(changes) or "(none)",
            )
            name = unit.name if number == 1 else f"{unit.name}; tests {number} of {len(portions)}"
            messages = (system, Message("user", f"{user.content}\n\n{text}"))
            questions.append(Question(version_of("propose", "propose-target", "harden"), messages, name, 500))
        return questions

    def settling(
        self, units: Sequence[Unit], tests: Mapping[str, Sequence[Judged]], said: Collection[Stance]
    ) -> list[Question]:
        """What an aggregator is asked: to settle the tests of one unit after the other, as many as fit."""
        blocks = [
            (unit, self._code(unit.briefs), [self.test(one, said) for one in tests[unit.name]])
            for unit in units
            if tests.get(unit.name)
        ]
        fixed = self.tokens(prompt_file("settle").text) + self.tokens(prompt_file("settle-tests").text)
        room = max(300, self.room - fixed)
        portions = portioned(
            ["\n".join([code, *shown]) for _, code, shown in blocks], self.tokens, room, between=2
        )
        questions = []
        for number, portion in enumerate(portions, 1):
            code = "\n".join(blocks[index][1] for index in portion)
            shown = [text for index in portion for text in blocks[index][2]]
            user = prompt_file("settle-tests").render(
                boundary=self.boundary,
                code=code,
                tests="\n\n".join(self._fitting(shown, max(200, room - self.tokens(code)))),
            )
            name = "" if len(portions) == 1 else f"tests, part {number} of {len(portions)}"
            messages = (Message("system", prompt_file("settle").text), Message("user", user))
            questions.append(Question(version_of("settle", "settle-tests"), messages, name, 60 * len(shown)))
        return questions

    def test(self, one: Judged, said: Collection[Stance] = ()) -> str:
        """A candidate as members see it: under its id, without its author, with its facts."""
        name = one.items[0].id
        lines = [f"[{name}]", *(f"    {line}" for line in one.candidate.source.splitlines())]
        executed = one.executed.in_words()[:_OUTPUT].splitlines()
        lines += [f"  executed: {executed[0]}", *(f"  | {line}" for line in executed[1:])]
        lines += [
            f"  {stance.position}: {stance.why}".rstrip(": ") for stance in one.stances if stance in said
        ]
        return "\n".join(lines)

    def _first(self, unit: Unit) -> tuple[Message, Message] | None:
        system = prompt_file("propose").text
        frame = prompt_file("propose-target")
        room = (
            self.room
            - self.tokens(system)
            - self.tokens(frame.text)
            - self.tokens(prompt_file("harden").text)
        )
        room = min(int(room * (1 - _TESTS - _SURVIVORS)), _ENOUGH)
        code = self._code(unit.briefs)
        gaps = [part for brief in unit.briefs for part in self._gaps(brief)]
        if self.tokens(code) > room:
            return None
        room -= self.tokens(code)
        gaps = self._fitting(gaps, room)
        room -= self.tokens("\n".join(gaps))
        optional: list[str] = []
        for title, text in self._surroundings(unit.briefs):
            part = f"{self._heading(title)}\n{text}"
            if text and self.tokens(part) <= room:
                room -= self.tokens(part)
                optional.append(part)
        names = ", ".join(f"`{brief.target.qualname}`" for brief in unit.briefs)
        module = unit.briefs[0].target.module
        imported = dict.fromkeys(brief.target.qualname.partition(".")[0] for brief in unit.briefs)
        user = frame.render(
            boundary=self.boundary,
            parts="\n".join([code, *optional, *gaps]),
            names=f"{names} of the module `{module}`",
            imports=f"import pytest\nfrom {module} import {', '.join(imported)}",
        )
        return Message("system", system), Message("user", user)

    def _code(self, briefs: Sequence[Brief]) -> str:
        parts = []
        for brief in briefs:
            target = brief.target
            name = target.qualname.partition(".")[0]
            parts.append(
                f"{self._heading(f'{target.path}, line {target.first_line}: {target.qualname}')} "
                f"(from {target.module} import {name})\n{brief.source}"
            )
        return "\n".join(parts)

    def _surroundings(self, briefs: Sequence[Brief]) -> list[tuple[str, str]]:
        """What helps, the most helpful first; of several targets that share it, once."""
        around = "\n".join(dict.fromkeys(brief.around for brief in briefs if brief.around))
        style = next((brief.style for brief in briefs if brief.style), "") if self.room >= _SMALL else ""
        callers = "\n".join(dict.fromkeys(caller for brief in briefs for caller in brief.callers))
        return [
            ("what it uses of its module", around),
            ("tests of the project, as an example of its style", style),
            ("who calls it", callers),
        ]

    def _gaps(self, brief: Brief) -> list[str]:
        parts = []
        most = _GAPS if self.room >= _SMALL else _FEW
        if uncovered := brief.uncovered[:most]:
            title = self._heading(f"branches of {brief.target.qualname} that no test takes")
            parts.append("\n".join([title, *uncovered]))
        if brief.survivors:
            title = self._heading(f"changes of {brief.target.qualname} that no test notices")
            parts.append("\n".join([title, *(survivor.diff for survivor in _spread(brief.survivors, most))]))
        return parts

    def _heading(self, text: str) -> str:
        return f"{self.boundary} {text}"

    def _fitting(self, texts: Iterable[str], room: int) -> list[str]:
        kept = []
        for text in texts:
            room -= self.tokens(text) + 1
            if room < 0:
                break
            kept.append(text)
        return kept


def _spread(survivors: Sequence[Survivor], most: int) -> list[Survivor]:
    """Some of many survivors, spread over the function, one a line as long as there are lines."""
    by_line: dict[int, list[Survivor]] = {}
    for survivor in survivors:
        by_line.setdefault(survivor.line, []).append(survivor)
    found: list[Survivor] = []
    while len(found) < most and any(by_line.values()):
        found += [lines.pop(0) for lines in by_line.values() if lines]
    return sorted(found[:most], key=lambda survivor: survivor.line)


def discussed(
    unit: Unit, candidates: Mapping[str, Judged], selected: Collection[str], ledger: Ledger
) -> list[Judged]:
    """The tests that a unit's members discuss: failing ones, then those that would be suggested, shuffled.

    What was observed instead of what a failing test expects is not among them: the failing test puts
    that question, and shows both values.
    """
    own = [one for one in candidates.values() if one.candidate.target in unit.ids and one.items]
    failing = [one for one in own if one.executed.status == "fails"]
    wanted = [one for one in own if one.key in selected]
    half = _DISCUSSED // 2
    failing = ledger.shuffled(failing, lambda one: one.key)[: max(half, _DISCUSSED - len(wanted))]
    shown = [*failing, *ledger.shuffled(wanted, lambda one: one.key)[: _DISCUSSED - len(failing)]]
    return ledger.shuffled(shown, lambda one: one.items[0].id)


def prompt_file(name: str) -> Prompt:
    """One of this package's prompts."""
    return load_prompt("pytest_moa", name)


def version_of(*names: str) -> PromptVersion:
    """One name and version for a prompt that is made of several files."""
    return PromptVersion(names[-1], ".".join(prompt_file(name).version for name in names))
