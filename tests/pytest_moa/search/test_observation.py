from __future__ import annotations

import functools
import traceback
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_moa.search.observation import UNSTABLE, looked_at, value_at


@dataclass
class Point:
    x: int


class Basket:
    def __init__(self, *items: Any) -> None:
        self.items = list(items)
        self._hidden = 1

    def __len__(self) -> int:
        return len(self.items)

    @property
    def first(self) -> Any:
        return self.items[0]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        ([1, True], [1.0, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1}, frozenset({1})),
        (0.0, -0.0),
    ],
)
def test_what_an_assertion_cannot_tell_apart_looks_alike(left: Any, right: Any) -> None:
    assert looked_at(left) == looked_at(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (None, 0),
        ([1], (1,)),
        ("a", b"a"),
        (Point(1), Point(2)),
        (float("nan"), 0.0),
        ({"a": 1}, {"a": 2}),
    ],
)
def test_what_an_assertion_tells_apart_looks_different(left: Any, right: Any) -> None:
    assert looked_at(left) != looked_at(right)


def test_objects_are_seen_through_public_attributes() -> None:
    basket = Basket(3, "x")
    look = looked_at(basket)
    assert look["{}.first"] == 3
    assert look["len({})"] == 2
    assert not any("_hidden" in path for path in look)
    assert value_at("{}.items", basket) == [3, "x"]


def test_mappings_are_compared_as_a_whole_by_plain_keys() -> None:
    assert set(looked_at({("name", None): 0, 3: [1]})) == {"{}"}


def test_the_name_that_a_decorator_keeps_is_a_fact() -> None:
    def decorated(wanted: bool) -> Any:
        def inner() -> None: ...

        return functools.update_wrapper(inner, lambda: None) if wanted else inner

    assert looked_at(decorated(True))["{}.__name__"] == "<lambda>"
    assert "{}.__name__" not in looked_at(decorated(False))


def test_a_failing_property_is_a_fact() -> None:
    assert looked_at(Basket())["{}.first"] == ("raises", "IndexError")


def test_addresses_are_never_facts() -> None:
    assert looked_at(f"<object at {hex(id(object()))}>")["{}"] == UNSTABLE


def test_where_code_stands_is_no_fact() -> None:
    with pytest.raises(ValueError, match="seven") as caught:
        raise ValueError("seven")
    error = caught.value
    assert looked_at(caught) == {
        "type({})": ("name", "_pytest._code.code", "ExceptionInfo"),
        "type({}.value)": ("name", "builtins", "ValueError"),
        "str({}.value)": "seven",
    }
    for place in (
        error.__traceback__,
        traceback.extract_tb(error.__traceback__),
        test_addresses_are_never_facts.__code__,
    ):
        assert looked_at(place) == {}
