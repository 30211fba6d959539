"""Renaming inside a test leaves everything else as it was written."""

from __future__ import annotations

import pytest

from pytest_moa.placing.renaming import free_name, renamed


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("price(price=1)  # price", "cost(price=1)  # price"),
        ("é = 'é'; price(é)", "é = 'é'; cost(é)"),
        ("def price(): return 'price'", "def cost(): return 'price'"),
        ("def test(price):\n\n    assert price .price", "def test(cost):\n\n    assert cost .price"),
        ("@use.usefixtures('price')\ndef test(): ...", "@use.usefixtures('cost')\ndef test(): ..."),
        ("class price:\n    pass", "class cost:\n    pass"),
        ("@price\ndef test(): ...", "@cost\ndef test(): ..."),
    ],
)
def test_only_the_name_changes(source: str, expected: str) -> None:
    assert renamed(source, {"price": "cost"}) == expected


def test_a_free_name_is_found() -> None:
    assert free_name("a", {"a", "a_2"}) == "a_3"
    assert free_name("b", {"a"}) == "b"
