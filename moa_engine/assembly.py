"""From answers to a ledger: a pure function, so that a live run and its replay build the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moa_engine.ledger import Answer, Fact, Item, Ledger, Stance, item_id
from moa_engine.task import Contribution, Task

_POSITIONS = ("agree", "dispute", "unsure")


class Assembly:
    """Builds the ledgers of one run. Each answer is read once, however often the ledger is built."""

    def __init__(self, task: Task[Any], seed: int, order: Sequence[str]) -> None:
        self._task = task
        self._seed = seed
        self._rank = {name: number for number, name in enumerate(order)}
        self._read: dict[int, tuple[Answer, Contribution]] = {}

    def ledger(self, answers: Iterable[Answer], facts: Sequence[Fact]) -> Ledger:
        """The ledger of these answers, in an order that does not depend on who was fast.

        Late answers count only for a task that merges them. Stances on unknown items are dropped.
        """
        counted = sorted(
            (answer for answer in answers if self._task.merges_late or not answer.late), key=self._place
        )
        items: list[Item] = []
        stances: list[Stance] = []
        for answer in counted:
            said = self._contribution(answer)
            for index, body in enumerate(said.items):
                name = item_id(answer.member, answer.layer, answer.sample, answer.unit, index, body)
                items.append(Item(name, answer.member, answer.layer, body, answer.sample, answer.generation))
            stances.extend(
                Stance(item, answer.member, answer.layer, position, why)  # type: ignore[arg-type]
                for item, position, why in said.stances
                if position in _POSITIONS
            )
        known = {item.id for item in items}
        return Ledger(
            seed=self._seed,
            answers=tuple(counted),
            items=tuple(items),
            stances=tuple(stance for stance in stances if stance.item in known),
            facts=tuple(facts),
        )

    def _contribution(self, answer: Answer) -> Contribution:
        if answer.value is None:
            return Contribution()
        if id(answer) not in self._read:  # the answer is kept beside it, so its id stays its own
            self._read[id(answer)] = (answer, self._task.read(answer))
        return self._read[id(answer)][1]

    def _place(self, answer: Answer) -> tuple[int, int, int, str]:
        return (answer.layer, self._rank.get(answer.member, len(self._rank)), answer.sample, answer.unit)


def answer_to_json(answer: Answer) -> dict[str, object]:
    """An answer as the record keeps it; its value is the text of its generation."""
    return {
        "member": answer.member,
        "layer": answer.layer,
        "sample": answer.sample,
        "unit": answer.unit,
        "generation": answer.generation,
        "error": answer.error,
        "error_code": answer.error_code,
        "late": answer.late,
        "cut": answer.cut,
    }


def fact_to_json(fact: Fact) -> dict[str, object]:
    """A fact as the record keeps it."""
    return {
        "kind": fact.kind,
        "text": fact.text,
        "item": fact.item,
        "supports": fact.supports,
        "data": dict(fact.data),
    }


def fact_from_json(data: Mapping[str, object]) -> Fact:
    """The fact that `fact_to_json` wrote."""
    return Fact(**data)  # type: ignore[arg-type]
