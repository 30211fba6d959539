from __future__ import annotations

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
