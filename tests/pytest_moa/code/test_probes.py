import asyncio
import gc
import importlib
import inspect
import io
import sys
import traceback
import unittest

import pytest

from pytest_moa.code import Probes
from tests.pytest_moa.code.loading import loaded


def probed(source, qualnames=None, **more):
    module = loaded(source)
    probes = Probes.of(source, "subject.py", qualnames, **more)
    assert probes.install(module) == frozenset()
    return module, probes


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if a: pass", {0: {"2:4 if false"}, 1: {"2:4 if true"}}),
        ("if a > 1: pass\n    elif a: pass", {0: {"2:4 if false", "3:4 if false"}, 2: {"2:4 if true"}}),
        ("while a: a -= 1", {0: {"2:4 while false"}, 2: {"2:4 while true", "2:4 while false"}}),
        ("while True: break", {0: {"2:4 while true"}}),
        ("while a: break", {1: {"2:4 while true"}}),
        ("for _ in range(a): pass", {0: {"2:4 for empty"}, 2: {"2:4 for item"}}),
        ("for _ in range(a): break\n    else: pass", {0: {"2:4 for empty"}, 2: {"2:4 for item"}}),
        ("return 1 if a else 2", {0: {"2:11 ternary false"}, 1: {"2:11 ternary true"}}),
        ("return [b for b in range(2) if b < a]", {0: {"2:35 filter false"}, 5: {"2:35 filter true"}}),
        ("return a and -a", {0: set(), 1: {"2:17 and reached"}}),
        ("return a or -a", {0: {"2:16 or reached"}, 1: set()}),
        (
            "if a and a > 1: pass",
            {
                0: {"2:13 and skipped", "2:4 if false"},
                1: {"2:13 and reached", "2:4 if false"},
                2: {"2:13 and reached", "2:4 if true"},
            },
        ),
        ("if not (a or -a): pass", {0: {"2:17 or reached", "2:4 if true"}}),
        (
            "try: 1 / a\n    except ZeroDivisionError: pass\n    except TypeError: pass",
            {0: {"3:4 except"}, 1: set(), "": {"4:4 except"}},
        ),
        (
            "match a:\n        case 1: pass\n        case str() if len(a) > 1 and a: pass",
            {
                1: {"3:13 case"},
                2: {"2:4 match none"},
                "xy": {"4:13 case", "4:37 and reached"},
                "x": {"2:4 match none", "4:37 and skipped"},
            },
        ),
        ("match a:\n        case 1: pass\n        case _: pass", {2: {"4:13 case"}}),
        ("assert a or a == 0", {0: {"2:4 assert true", "2:16 or reached"}}),
        ("f = lambda: a\n    return f()", {0: {"2:8 enter"}}),
        ("def g(): return a\n    return g()", {0: {"2:4 enter"}}),
        ("class A:\n        def f(self): return a\n    return A().f()", {0: {"3:8 enter"}}),
    ],
)
def test_branches(body, expected):
    source = f"def f(a):\n    {body}\n"
    module, probes = probed(source)
    for argument, branches in expected.items():
        probes.clear()
        module.f(argument)
        assert probes.hits == {"1:0 enter", *branches}
        assert probes.hits <= probes.all
    assert probes.by_function == {"f": probes.all}


SEMANTICS = '''
import asyncio, functools


class Truth:
    def __init__(self, value):
        self.value, self.asked = value, 0

    def __bool__(self):
        self.asked += 1
        return self.value


def asked(a, b):
    if a and b or not a:
        pass
    [x for x in (1,) if a or b]
    c = a and b
    d = b if a else a
    assert a or b or True
    while b and a:
        break
    return a.asked, b.asked, c is (b if a.value else a), d is (b if a.value else a)


class Base:
    def who(self):
        """Doc."""
        return "base"


class Derived(Base):
    def __init__(self):
        self.__secret = 3

    def who(self):
        if self.__secret:
            return super().who() + __class__.__name__
        return ""


def closure():
    total = 0
    def add(n):
        nonlocal total
        for _ in range(n):
            total += 1
        return total
    return add


COUNT = 0
def count():
    """Counts."""
    global COUNT
    COUNT += 1
    return COUNT


def numbers(n):
    """Doc."""
    for i in range(n):
        got = yield i
        if got:
            return got


async def later(n):
    async def each():
        for i in range(n):
            yield i
    return [i async for i in each() if i % 2]


def seen(n):
    for i in range(n):
        pass
    return sorted(locals())


def fails(n):
    for i in range(n):
        if i == 2:
            raise ValueError(i)


@functools.lru_cache
def slow(n): return n if n < 2 else slow(n - 1) + slow(n - 2)
HELD = {"count": count}
'''


def behaviour(module):
    truths = [(module.Truth(a), module.Truth(b)) for a in (True, False) for b in (True, False)]
    add = module.closure()
    generator = module.numbers(3)
    try:
        module.fails(5)
    except ValueError as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)[1:]]
    return {
        "asked": [module.asked(*each) for each in truths],
        "who": [module.Derived().who(), module.Derived.who.__doc__, module.Base.who.__doc__],
        "closure": [add(2), add(3)],
        "count": [module.count(), module.HELD["count"](), module.COUNT, module.count.__doc__],
        "generator": [next(generator), generator.send(None), inspect.isgeneratorfunction(module.numbers)],
        "later": [asyncio.run(module.later(4)), inspect.iscoroutinefunction(module.later)],
        "seen": module.seen(2),
        "lines": lines,
        "slow": [module.slow(10), module.slow.cache_info().hits],
        "source": [one.__code__.co_firstlineno for one in (module.asked, module.closure, module.fails)],
        "names": sorted(vars(module)),
    }


def test_probed_functions_behave_as_before():
    module, probes = probed(SEMANTICS)
    expected = behaviour(loaded(SEMANTICS))
    assert behaviour(module) == expected
    assert len(probes.hits) > 30


def test_uninstall_gives_the_functions_their_own_code_back():
    module = loaded(SEMANTICS)
    code = module.asked.__code__
    probes = Probes.of(SEMANTICS, "subject.py")
    probes.install(module)
    assert module.asked.__code__ is not code
    probes.uninstall()
    assert module.asked.__code__ is code
    behaviour(module)
    assert probes.hits == set()


def test_reaches_functions_that_only_others_hold():
    source = (
        "def deco(f):\n    def inner(x):\n        if x: return f(x)\n    return inner\n"
        "@deco\ndef f(x):\n    return x if x > 1 else -x\n"
        "def g():\n    return 1\nkept = [g]\ndel g\n"
    )
    module, probes = probed(source)
    gc.freeze()  # as a process does that forks
    try:
        probes.uninstall()
        assert probes.install(module) == frozenset()
    finally:
        gc.unfreeze()
    module.f(2)
    module.kept[0]()
    assert {"2:4 enter", "3:8 if true", "6:0 enter", "7:11 ternary true", "8:0 enter"} <= probes.hits


def test_lambdas_in_one_line_are_not_confused():
    source = "def f():\n    return (lambda a: a + 1), (lambda a: a - 1)\n"
    module = loaded(source)
    more, less = module.f()
    probes = Probes.of(source, "subject.py")
    probes.install(module)
    assert (more(5), less(5)) == (6, 4)
    more, less = module.f()
    assert (more(5), less(5)) == (6, 4)
    assert probes.hits == {"1:0 enter", "2:12 enter", "2:31 enter"}


def test_only_the_functions_asked_for_and_who_is_missing():
    source = "def f(): pass\nclass A:\n    def g(self): pass\ndef h(): pass\ndel h\n"
    module = loaded(source)
    probes = Probes.of(source, "subject.py", ["A.g", "h"])
    assert probes.install(module) == {"h"}
    module.f()
    module.A().g()
    assert probes.hits == {"3:4 enter"}
    assert probes.by_function.keys() == {"A.g", "h"}


def test_entries_are_reported_with_arguments():
    source = "class A:\n    def f(self, a, *b, c=3, **d):\n        e = 1\n        return (lambda: e)()\n"
    entered = []
    module, probes = probed(source, on_enter=lambda name, values: entered.append((name, dict(values))))
    one = module.A()
    assert one.f(1, 2, x=4) == 1
    assert entered == [("A.f", {"self": one, "a": 1, "b": (2,), "c": 3, "d": {"x": 4}})]
    assert "2:4 enter" in probes.hits


def test_future_imports_and_decorated_lines():
    source = (
        "from __future__ import annotations\nimport functools\n\n@functools.cache\n\ndef f(a: X): return a\n"
    )
    module, probes = probed(source)
    assert module.f(1) == 1
    assert probes.hits == {"6:0 enter"}


@pytest.mark.parametrize(
    ("name", "tests"),
    [("textwrap", "test.test_textwrap"), ("fractions", "test.test_fractions"), ("shlex", "test.test_shlex")],
)
def test_modules_of_the_standard_library_pass_their_own_tests_with_probes(name, tests):
    try:
        tests = importlib.import_module(tests)
    except ImportError:
        pytest.skip("this Python comes without its own tests")
    module = importlib.import_module(name)
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    probes = Probes.of(inspect.getsource(module), module.__file__)
    probes.install(module)
    try:
        result = unittest.TextTestRunner(io.StringIO()).run(suite)
    finally:
        probes.uninstall()
    assert result.testsRun > 10
    assert result.wasSuccessful()
    assert len(probes.hits) > 0.6 * len(probes.all)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a syntax of Python 3.12")
def test_type_parameters():
    source = "class A[T]:\n    def f[U](self, a: U) -> T:\n        return (T, U) if a else None\n"
    module, probes = probed(source)
    assert len(module.A().f(1)) == 2
    assert "3:15 ternary true" in probes.hits
