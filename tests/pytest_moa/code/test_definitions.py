import pytest

from pytest_moa.code import definitions_of
from pytest_moa.code.definitions import is_accessor

SOURCE = """from __future__ import annotations
import sys


@deco(
    1,
)
def f(a, b=1, *, c, d=[2]):
    def inner(): ...


class A:
    if sys:
        async def f(self): pass
    else:
        def f(self): return [x for x in y]

    class B:
        @property
        def x(self): ...
        @x.setter
        def x(self, value): ...
try:
    @overload
    def g(): ...
    def g(): ...
except E:
    def h(): return lambda: 1
"""


def test_functions_with_their_places():
    found = definitions_of(SOURCE)
    assert [(one.qualname, one.first_line, one.line, one.last_line) for one in found.functions] == [
        ("f", 5, 8, 9),
        ("A.f", 14, 14, 14),
        ("A.f", 16, 16, 16),
        ("A.B.x", 19, 20, 20),
        ("A.B.x", 21, 22, 22),
        ("g", 24, 25, 25),
        ("g", 26, 26, 26),
        ("h", 28, 28, 28),
    ]
    assert [one.nests for one in found.functions] == [True, *[False] * 6, True]
    assert found.functions[0].defaults == (("b", "1"), ("d", "[2]"))
    assert found.functions[0].decorators == ("deco(1)",)
    assert found.functions[3].classes == ("A", "B")
    assert found.flags


def test_by_line_and_by_name():
    found = definitions_of(SOURCE)
    assert found.at(6) == found.functions[0]
    assert found.at(3) is None
    assert found.main("A.f").line == 16
    assert found.main("A.B.x").line == 20
    assert found.main("g").line == 26
    assert found.main("A") is None
    assert is_accessor("x.setter")


def test_what_cannot_be_parsed():
    with pytest.raises(SyntaxError):
        definitions_of("def")
