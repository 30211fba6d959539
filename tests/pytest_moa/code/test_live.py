import gc

import pytest

from pytest_moa.code import definitions_of, live_function
from pytest_moa.code.live import caches_of
from tests.pytest_moa.code.loading import loaded

SOURCE = """
import functools
from contextlib import contextmanager

def wraps(f):
    @functools.wraps(f)
    def inner(*a): return f(*a)
    return inner

def closes(f):
    def inner(*a): return f(*a)
    return inner

class Keeps:
    def __init__(self, f): self.f = f
    def __getattr__(self, name): raise AssertionError("user code must not run")

@wraps
@closes
def twice(): return "twice"
@Keeps
def kept(): return "kept"
@functools.lru_cache
def cached(): return "cached"
@contextmanager
def context(): yield "context"
partial = functools.partial(lambda f: f, None)
@functools.singledispatch
def show(x): return "show"
@show.register
def _(x: int): return "show int"
if True:
    def either(): return 1
else:
    def either(): return 2

class A:
    @staticmethod
    def s(): return "s"
    @classmethod
    def c(cls): return "c"
    @property
    def p(self): return "get"
    @p.setter
    def p(self, value): return "set"
    @functools.cached_property
    def cp(self): return "cp"
    @functools.cache
    def m(self): return "m"
    def __hidden(self): return "hidden"
    class B:
        def f(self): return "f"

def gone(): return "gone"
REGISTRY = {"gone": gone}
del gone
"""


@pytest.mark.parametrize("frozen", [False, True])
def test_every_definition_has_its_function(frozen):
    module = loaded(SOURCE)
    if frozen:
        gc.freeze()
    try:
        found = {one: live_function(module, one) for one in definitions_of(SOURCE).functions}
    finally:
        gc.unfreeze()
    missing = [one.line for one, function in found.items() if function is None]
    assert missing == [35], "the branch that did not run"
    for definition, function in found.items():
        if function is not None:
            assert function.__code__.co_firstlineno == definition.first_line
            assert function.__code__.co_qualname == definition.qualname


def test_none_when_the_source_is_another():
    module = loaded(SOURCE)
    moved = definitions_of("\n" + SOURCE)
    assert live_function(module, moved.main("twice")) is None


def test_caches_of_functions_and_methods():
    module = loaded(SOURCE)
    assert caches_of(module) == [module.cached, module.A.m]
