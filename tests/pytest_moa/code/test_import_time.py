import ast

import pytest

from pytest_moa.code.import_time import run_at_import


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): ...\nA = f", set()),
        ("def f(): ...\nA = f()", {"f"}),
        ("def f(): g()\ndef g(): ...\ndef h(): ...\nA = [f() for _ in x]", {"f", "g"}),
        ("def f(): ...\ndef g(a=f()): ...", {"f"}),
        ("def f(): ...\nclass A:\n    b = f()", {"f"}),
        ("def f(): ...\nif __name__ == '__main__':\n    f()", set()),
        ("import m\ndef f(): ...\nA = m.f()", set()),
        ("def f(): ...\nA = sorted(x, key=f)", {"f"}),
        ("def f(): ...\nA = sorted(x, key=lambda y: f(y))", {"f"}),
        ("def f(): ...\nA = partial(f)", set()),
        ("def deco(f):\n    def inner(): g()\n    return inner\ndef g(): ...\n@deco\ndef h(): ...", {"deco"}),
        ("def deco(f):\n    f()\n    return f\n@deco\ndef h(): ...", {"deco", "h"}),
        ("def f():\n    def inner(): g()\n    inner()\ndef g(): ...\nf()", {"f", "g"}),
        ("class A:\n    def __init__(self): self.r()\n    def r(self): ...\n    def s(self): ...\nB = A()",
         {"A.__init__", "A.r"}),
        ("class A:\n    @classmethod\n    def make(cls): cls()\n    def __init__(self): ...\nB = A.make()",
         {"A.make", "A.__init__"}),
        ("class A:\n    def __init_subclass__(cls): ...\n    def m(self): ...", {"A.__init_subclass__"}),
        ("class C(Enum):\n    A = 1\n    def __new__(cls): ...\n    def m(self): ...", {"C.__new__"}),
        ("class M(type):\n    def __new__(cls): ...\nclass A(metaclass=M): ...", {"M.__new__"}),
    ],
)  # fmt: skip
def test_functions_that_an_import_runs(source, expected):
    assert run_at_import(ast.parse(source)) == expected


def test_functions_that_calls_from_outside_run():
    source = "def f(): g()\ndef g(): ...\ndef h(): ...\nA = h()"
    assert run_at_import(ast.parse(source), ["f"]) == {"f", "g"}
    assert run_at_import(ast.parse(source), []) == set()
