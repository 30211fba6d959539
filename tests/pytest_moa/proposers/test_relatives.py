from __future__ import annotations

from pytest_moa.candidate import Candidate
from pytest_moa.proposers.proposer import best_first
from pytest_moa.proposers.relatives import leaders
from pytest_moa.suggest.brief import Brief
from pytest_moa.target import Target


def _brief(qualname: str, source: str, module: str = "shop", mutants: int = 1) -> Brief:
    target = Target(f"{module}.py", module, qualname, 1, source.count("\n") + 1)
    return Brief(target, source, (), mutants=tuple(map(str, range(mutants))))


def test_private_targets_are_led_to_by_public_ones() -> None:
    briefs = [
        _brief("price", "def price(x):\n    return _rounded(x)"),
        _brief("_rounded", "def _rounded(x):\n    return _cut(x)"),
        _brief("_cut", "def _cut(x):\n    return int(x)"),
        _brief("_alone", "def _alone():\n    pass"),
        _brief("Till.total", "    def total(self):\n        return self._sum()"),
        _brief("Till._sum", "    def _sum(self):\n        return 1"),
        _brief("_cut", "def _cut(x):\n    return x", module="other"),
    ]
    assert leaders(briefs) == {
        "shop:price": "shop:price",
        "shop:_rounded": "shop:price",
        "shop:_cut": "shop:price",
        "shop:_alone": "shop:_alone",
        "shop:Till.total": "shop:Till.total",
        "shop:Till._sum": "shop:Till.total",
        "other:_cut": "other:_cut",
    }


def test_of_several_callers_the_one_with_most_mutants_leads() -> None:
    briefs = [
        _brief("big", "def big():\n    return _inner()", mutants=5),
        _brief("small", "def small():\n    return _inner()", mutants=2),
        _brief("_inner", "def _inner():\n    return 1"),
    ]
    assert leaders(briefs)["shop:_inner"] == "shop:big"


def test_where_nothing_is_public_what_nothing_else_calls_leads() -> None:
    briefs = [
        _brief("_Box.__init__", "    def __init__(self):\n        self.items = []"),
        _brief("_made", "def _made():\n    return _Box()", mutants=2),
        _brief("_odd", "def _odd(n):\n    return _even(n - 1)"),
        _brief("_even", "def _even(n):\n    return _odd(n - 1)"),
    ]
    assert leaders(briefs) == {
        "shop:_Box.__init__": "shop:_made",
        "shop:_made": "shop:_made",
        "shop:_odd": "shop:_odd",
        "shop:_even": "shop:_even",
    }


def test_what_kills_most_comes_first_and_private_functions_late() -> None:
    private = Candidate("shop:_cut", "test_cut", "def test_cut():\n    assert _cut(1) == 1\n", ())
    small = Candidate("shop:price", "test_small", "def test_small():\n    assert price(1) == 1\n", ())
    large = Candidate("shop:price", "test_large", "def test_large():\n    assert price(2) == 2\n", ())
    same = Candidate("shop:price", "test_same", "def test_same():\n    assert price(3) == 3\n", ())
    kills = {
        private.id: frozenset("abcdef"),
        small.id: frozenset("a"),
        large.id: frozenset("bcd"),
        same.id: frozenset("bc"),
    }
    assert best_first([private, same, small, large], kills) == [large, small, private, same]
