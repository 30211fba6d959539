"""Calls as small models write them."""

from __future__ import annotations

import pytest

from review_bot.proof.written_calls import calls_in


@pytest.mark.parametrize(
    ("entries", "calls"),
    [
        (["gcd(4, 2)", "gcd(4, 2)", "gcd(0, 1)"], ["gcd(4, 2)", "gcd(0, 1)"]),
        (["a = 12", "b = 4", "c = 9", "print(gcd(a, b))"], ["a = 12\nb = 4\ngcd(a, b)"]),
        (["a = 12\nb = gcd(a, 4)", "gcd(b, 2)"], ["a = 12\ngcd(a, 4)", "a = 12\nb = gcd(a, 4)\ngcd(b, 2)"]),
        (["stack = Stack()\nstack.push(1)\nstack.size"], ["stack = Stack()\nstack.push(1)\nstack.size"]),
        (["def gcd(a, b):", "if b:", "return a", "gcd", "", "gcd((1,), 2)"], ["gcd((1,), 2)"]),
    ],
)
def test_calls_are_whole_and_need_no_other_entry(entries: list[str], calls: list[str]) -> None:
    assert calls_in(entries) == calls
