import pytest

from pytest_moa.code import FunctionVersions, definitions_of
from tests.pytest_moa.code.loading import loaded

SOURCE = '''
import functools

def f(a, b=1, /, c=2, *, d=3, e=None):
    """Doc."""
    return a, b, c, d, e

class Base:
    def m(self): return "base"

class A(Base):
    def __init__(self): self.__x = 1
    def m(self):
        return super().m() + str(self.__x)

@functools.cache
def cached(n):
    return n + 1
'''


def versions(source, qualname):
    module = loaded(source)
    found = FunctionVersions.of(source, module, definitions_of(source).main(qualname))
    assert found is not None
    return module, found


def test_a_version_runs_while_it_is_swapped_in_and_no_longer():
    module, found = versions(SOURCE, "f")
    held = module.f
    assert found.add("sum", SOURCE.replace("return a, b", "\n\n    return a + b, b"))
    assert held(1) == (1, 1, 2, 3, None)
    with found.swapped("sum"):
        assert held(1) == (2, 1, 2, 3, None)
    assert held(1) == (1, 1, 2, 3, None)
    with pytest.raises(KeyError), found.swapped("sum"):
        raise KeyError
    assert held(1) == (1, 1, 2, 3, None)


def test_defaults_change_where_their_source_does():
    module, found = versions(SOURCE, "f")
    assert found.add(
        "more", SOURCE.replace("b=1", "b=-7").replace("d=3", "d='x'").replace("e=None", "e=True")
    )
    with found.swapped("more"):
        assert module.f(0) == (0, -7, 2, "x", True)
    assert not found.add("computed", SOURCE.replace("b=1", "b=len('x')"))
    assert module.f(0) == (0, 1, 2, 3, None)


def test_super_and_private_names_also_when_they_are_no_longer_used():
    module, found = versions(SOURCE, "A.m")
    assert found.add("private", SOURCE.replace("super().m() + str(self.__x)", "self.__x"))
    assert found.add("super", SOURCE.replace("str(self.__x)", "'!'"))
    with found.swapped("private"):
        assert module.A().m() == 1
    with found.swapped("super"):
        assert module.A().m() == "base!"


def test_caches_are_forgotten_on_both_ways():
    module, found = versions(SOURCE, "cached")
    assert module.cached(1) == 2
    found.add("minus", SOURCE.replace("n + 1", "n - 1"))
    with found.swapped("minus"):
        assert module.cached(1) == 0
    assert module.cached(1) == 2
    found.put("minus")
    assert module.cached(1) == 0


def test_what_does_not_compile_is_refused():
    module, found = versions(SOURCE, "A.m")
    assert not found.add("broken", SOURCE.replace("return super", "return return super"))
    assert not found.add("gone", SOURCE.replace("def m(self):\n        return super", "x = super"))
    assert module.A().m() == "base1"


def test_lines_in_tracebacks_stay():
    source = "class A:\n\tclass B:\n\t\tdef f(self):\n\t\t\tx = 0\n\t\t\treturn 1 // x\n"
    module, found = versions(source, "A.B.f")
    assert found.add("same", source.replace("1 // x", "2 // x"))
    with found.swapped("same"), pytest.raises(ZeroDivisionError) as caught:
        module.A.B().f()
    assert caught.traceback[-1].lineno == 4  # counts from 0
    assert str(caught.traceback[-1].path).endswith("subject.py")


def test_no_versions_of_what_is_not_alive():
    assert FunctionVersions.of(SOURCE, loaded("\n" + SOURCE), definitions_of(SOURCE).main("f")) is None
