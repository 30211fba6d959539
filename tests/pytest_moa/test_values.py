from __future__ import annotations

import ast
import datetime
import enum
import functools
import math
import re
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_moa.values import quoted, same, source_of


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int
    y: int = 0
    label: str = field(default="", init=False)


Pair = namedtuple("Pair", "left right")


def named() -> None: ...


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -5,
        1.5,
        0.1 + 0.2,
        float("inf"),
        -float("inf"),
        2j,
        "",
        "it's",
        'say "hi"',
        "both ' and \"",
        "tab\tnew\nline\x00",
        "café",
        b"\x00\xff",
        b"it's",
        bytearray(b"ab"),
        [],
        [1, [2, "x"]],
        (),
        (1,),
        {"a": [1], 2: None},
        set(),
        {3, 1, 2},
        frozenset({"a"}),
        range(5),
        range(1, 9, 2),
        slice(1, None),
        datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
        datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=-2))),
        datetime.date(2024, 1, 2),
        datetime.time(1, 2, 3, 4),
        datetime.timedelta(days=-1, hours=3, microseconds=7),
        datetime.timedelta(0),
        Decimal("1.50"),
        Fraction(1, 3),
        uuid.UUID(int=5),
        Path("a/b.txt"),
        re.compile(r"\d+", re.IGNORECASE),
        re.compile(b"x"),
        deque([1, 2]),
        OrderedDict(a=1),
        Counter("aab"),
        defaultdict(list, {"a": [1]}),
        Colour.RED,
        Point(1, 2),
        Pair(1, "r"),
        ValueError("wrong", 3),
        int,
        KeyError,
        len,
        str.upper,
        functools.reduce,
        named,
        Colour,
    ],
    ids=lambda value: getattr(value, "__qualname__", repr(value)),
)
def test_source_gives_the_value_back(value: Any) -> None:
    written = source_of(value)
    assert written is not None
    again = eval(written.source, written.namespace())
    assert same(value, again)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("hello", '"hello"'),
        ('say "hi"', "'say \"hi\"'"),
        (b"x", 'b"x"'),
        ({2, 1}, "{1, 2}"),
        ({"b", "a"}, '{"a", "b"}'),
        (datetime.timedelta(hours=2, minutes=5), "timedelta(hours=2, minutes=5)"),
        (range(5), "range(5)"),
        (Path("a"), 'Path("a")'),
        (Colour.RED, "Colour.RED"),
        (Point(1), "Point(x=1, y=0)"),
        (Decimal("1.5"), 'Decimal("1.5")'),
    ],
)
def test_sources_are_written_as_a_person_would(value: Any, source: str) -> None:
    written = source_of(value)
    assert written is not None
    assert written.source == source


def test_nan_is_written_and_counts_as_itself() -> None:
    written = source_of([math.nan])
    assert written is not None
    assert written.source == '[float("nan")]'
    assert same([math.nan], eval(written.source))


def test_names_at_hand_need_no_import() -> None:
    with_import, without = source_of(Colour.RED), source_of(Colour.RED, {"Colour": Colour})
    assert with_import is not None
    assert with_import.imports == {f"from {__name__} import Colour"}
    assert without is not None
    assert without.imports == frozenset()


class Hidden:
    def __init__(self) -> None:
        self.x = 1


class Liar:
    """Says that it is a dataclass, but its constructor keeps something else."""

    __match_args__ = ()

    def __eq__(self, other: object) -> bool:
        raise RuntimeError


@dataclass
class Changing:
    x: int

    def __post_init__(self) -> None:
        self.x += 1


@pytest.mark.parametrize(
    "value",
    [Hidden(), Liar(), Changing(1), lambda: 1, SimpleNamespace(a=object()), object(), [object()], "x" * 1000],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_source_is_none(value: Any) -> None:
    assert source_of(value) is None


def test_a_value_in_itself_has_no_source() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert source_of(circle) is None


def test_types_are_told_apart() -> None:
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same([1], [True])
    assert not same(0.0, -0.0)
    assert same(ValueError("a"), ValueError("a"))
    assert not same(ValueError("a"), ValueError("b"))


def test_quotes_are_double_where_that_needs_no_more_backslashes() -> None:
    assert quoted("it's") == '"it\'s"'
    assert quoted('"') == "'\"'"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("name\ufe00", r'"name\ufe00"'),
        ("e\u0301", r'"e\u0301"'),
        ("\u0301", r'"\u0301"'),
        ("a\u200db", r'"a\u200db"'),
        ("café", '"café"'),
        ("हिन्दी", '"हिन्दी"'),
    ],
)
def test_marks_that_nobody_sees_are_escaped(text: str, source: str) -> None:
    assert quoted(text) == source
    assert ast.literal_eval(source) == text
