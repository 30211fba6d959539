"""What models write around, into and instead of JSON."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from moa_engine.answers import parse_answer
from moa_engine.errors import BrokenAnswer


class Note(BaseModel):
    text: str


class Notes(BaseModel):
    notes: list[Note] = []
    mood: str = ""


GOOD = '{"notes": [{"text": "one"}, {"text": "two"}]}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Sure! Here you are:\n```\n{GOOD}\n```\nHope that helps.",
        f"<think>{{'notes': []}} or not?</think>\n{GOOD}",
        f"{GOOD}\n\nLet me know if you need more.",
        f"In `f() {{ return 1; }}` I see two:\n{GOOD}\nwhere {{x}} is a placeholder.",
        f'The form is {{"notes": []}}, so: {GOOD}',
        '[{"text": "one"}, {"text": "two"}]',
        '{"notes": [{"text": "one", "extra": 1}, {"text": "two"},], }',
        '{"notes": [{"text": "one"}, {"text": "two"',
        "{'notes': [{'text': 'one'}, {'text': 'two'}]}",
    ],
)
def test_the_answer_is_found(text: str) -> None:
    assert [note.text for note in parse_answer(text, Notes).notes] == ["one", "two"]


@pytest.mark.parametrize(
    "text", ['{"notes": []}', 'Here you are:\n{"notes": []}', '{"notes": []}\n\nI found {nothing}.']
)
def test_an_empty_list_is_an_answer(text: str) -> None:
    assert parse_answer(text, Notes).notes == []


def test_an_example_is_no_answer_where_the_answer_is_cut_off() -> None:
    text = 'The form is {"notes": []}, so: {"notes": [{"text": "one'
    assert [note.text for note in parse_answer(text, Notes).notes] == ["one"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I found no problem.",
        "{}",
        '{"error": "overloaded"}',
        "null",
        "42",
        '{"notes": "many"}',
        '{"notes": [{"title": "no text"}]}',
        "[" * 5000,
        "[[[[",
        '{"a" ' * 100_000,
        "// c\n{" * 50_000,
        '{"notes": [',
        "<html><body>502</body></html>",
    ],
)
def test_what_holds_no_answer_is_broken_and_never_empty(text: str) -> None:
    with pytest.raises(BrokenAnswer):
        parse_answer(text, Notes)


def test_the_message_says_what_is_wrong() -> None:
    with pytest.raises(BrokenAnswer, match=r"notes\.0\.text"):
        parse_answer('{"notes": [{"title": "no text"}]}', Notes)
