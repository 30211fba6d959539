"""Votes are on the value that a test asserts; a family has one."""

from __future__ import annotations

import pytest

from moa_engine.ledger import Stance
from pytest_moa.suggest.voices import Voice, vote

VOICES = {
    "a1": Voice("a"),
    "a2": Voice("a"),
    "b": Voice("b"),
    "c": Voice("c"),
    "witness": Voice("witness", deterministic=True),
}


def stance(member: str, position: str, layer: int = 2) -> Stance:
    return Stance("0a1b2c3d", member, layer, position)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("author", "stances", "disputed"),
    [
        ("b", [], False),
        ("b", [stance("c", "dispute")], False),
        ("b", [stance("c", "dispute"), stance("a1", "dispute")], True),
        ("b", [stance("a1", "dispute"), stance("a2", "dispute")], False),
        ("witness", [stance("c", "dispute")], False),
        ("witness", [stance("c", "dispute"), stance("b", "dispute")], True),
        ("b", [stance("b", "dispute")], True),
        ("b", [stance("c", "dispute"), stance("c", "agree", 3)], False),
        ("b", [stance("c", "unsure"), stance("a1", "unsure")], False),
        ("b", [stance("c", "dispute"), stance("c", "agree"), stance("a1", "dispute")], False),
    ],
    ids=[
        "nobody objects",
        "one objects to one who holds it",
        "two families object",
        "two members of one family object",
        "one model objects to what was observed",
        "two models object to what was observed",
        "its own author objects",
        "the last word counts",
        "unsure is no dispute",
        "samples that contradict each other have no vote",
    ],
)
def test_disputed(author: str, stances: list[Stance], disputed: bool) -> None:
    assert vote({author: 1}, stances, VOICES).is_disputed is disputed
