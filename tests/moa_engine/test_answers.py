"""What models write around, into and instead of JSON."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from moa_engine.answers import parse_answer, read_answer
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
    ("text", "found"),
    [
        ('{"notes": [{"text": "one"}, {"te', ["one"]),
        ('{"notes": [{"text": "one"}, {"text": "tw', ["one"]),
        ('{"notes": [{"text": "one"}, {"text": "[a], {b}, tw', ["one"]),
        ('{"notes": [{"text": "one"}, {"text": "two"},', ["one", "two"]),
        ('{"notes": [{"text": "one", "more": {"deep": [1, 2], "s": "', ["one"]),
        ('{"notes": [{"text": "one"}], "mood": "fin', ["one"]),
        ('{"notes": [{"text": "one"}], "sure": fal', ["one"]),
        ('{"notes": [{"text": "one"}], "mood": "\\u00', ["one"]),
        ('[{"text": "one"}, {"text": "two"}, {"te', ["one", "two"]),
        ('[{"text": "one"}, {"text": "two"', ["one", "two"]),
        ('```json\n[{"text": "one"}, {"text": "two"}, {"text', ["one", "two"]),
        ('Here they are: [{"text": "line\nbreak"}, {"te', ["line\nbreak"]),
        ('{"text": "one", "extra": "ab', ["one"]),
    ],
)
def test_of_an_answer_that_is_cut_off_what_is_whole_counts(text: str, found: list[str]) -> None:
    value, cut = read_answer(text, Notes)
    assert isinstance(value, Notes)
    assert [note.text for note in value.notes] == found
    assert cut


@pytest.mark.parametrize("text", [GOOD, f"{GOOD}\n\nI hope that hel", '{"notes": [{"text": "one"},]}'])
def test_a_whole_answer_is_not_called_cut_off(text: str) -> None:
    assert not read_answer(text, Notes)[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "one"}',
        '```json\n{"text": "one", "extra": 1}\n```',
        'I have one: {"text": "one"}. That is all.',
        '[{"text": "one"}]',
    ],
)
def test_an_entry_without_the_list_around_it_is_a_list_of_one(text: str) -> None:
    assert [note.text for note in parse_answer(text, Notes).notes] == ["one"]


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
