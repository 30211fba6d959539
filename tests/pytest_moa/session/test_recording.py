"""What is seen of the targets while tests run: branches by test, and calls as source."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_moa.project import Project
from pytest_moa.session.recording import Recorder, Recording

SHOP = """
import dataclasses


def price(weight, zone="inner", /, *extra, express=False, **more):
    if weight > 5:
        return 9
    return weight * (3 if express else 2)


def plain(weight, zone="inner", express=False):
    return weight


async def later(weight):
    return weight


def forever(weight):
    while weight:
        weight -= 1
        yield weight


class Till:
    rate = 2

    def __init__(self, name, *, open=True):
        self.name = name
        self.sold = []

    def sell(self, weight):
        self.sold.append(weight)
        return plain(weight)

    @property
    def total(self):
        return sum(self.sold)

    @classmethod
    def of(cls, name):
        return cls(name)

    @staticmethod
    def tax(amount):
        return amount // 5


@dataclasses.dataclass
class Parcel:
    weight: int

    def __eq__(self, other):
        return self.weight == other.weight

    def heavy(self):
        return self.weight > 5
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "shop_under_test.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("shop_under_test")
    del sys.modules["shop_under_test"]


def recorder(shop: ModuleType, *qualnames: str) -> Recorder:
    path = Path(str(shop.__file__))
    targets = Project.find(path).functions(path)
    found = Recorder(path.parent, [one for one in targets if not qualnames or one.qualname in qualnames])
    found.install()
    return found


def calls(recorder: Recorder) -> list[str]:
    return [call.source for call in recorder.result().calls]


def test_each_test_has_the_branches_that_it_took(shop: ModuleType) -> None:
    found = recorder(shop, "price", "plain")
    with found.test("t::a", "t.py", left_out=False):
        shop.price(1)
    with found.test("t::b", "t.py", left_out=True):
        shop.price(9)
    found.finished("t::b", failed=True, seconds=0.5)
    with found.test("t::c", "t.py", left_out=False):
        pass
    seen = found.result()
    assert set(seen.reached) == {"t::a", "t::b"}
    name = "shop_under_test.py::price"
    assert seen.reached["t::a"][name] ^ seen.reached["t::b"][name] >= {"6:4 if true", "6:4 if false"}
    assert seen.reached["t::a"][name] < seen.branches[name]
    assert seen.branches.keys() == {name, "shop_under_test.py::plain"}
    assert (seen.failed, seen.left_out, seen.seconds) == ({"t::b"}, {"t::b"}, {"t::b": 0.5})
    found.uninstall()
    assert "price" in shop.price.__qualname__
    shop.price(1)


def test_calls_are_recorded_as_they_would_be_written(shop: ModuleType) -> None:
    found = recorder(shop, "price", "plain", "later", "forever")
    with found.test("t::a", "t.py", left_out=False):
        shop.price(1)
        shop.price(1)
        shop.price(2, "outer", 3, 4, express=True, colour="red")
        shop.plain(1, express=True)
        shop.plain(weight=1, zone="outer")
        shop.later(1).close()
        list(shop.forever(2))
        shop.plain(object())
        shop.plain("x" * 500)
    assert calls(found) == [
        'price(1, "inner")',
        'price(2, "outer", *(3, 4), express=True, **{"colour": "red"})',
        "plain(1, express=True)",
        'plain(1, "outer")',
        "forever(2)",
    ]
    first = found.result().calls[0]
    assert first.imports == ("from shop_under_test import price",)
    assert first.arguments == (("weight", "1"), ("zone", '"inner"'))
    assert first.test == "t::a"


def test_methods_are_recorded_with_how_their_object_was_made(shop: ModuleType) -> None:
    found = recorder(shop)
    with found.test("t::a", "t.py", left_out=False):
        till = shop.Till("left", open=False)
        till.sell(3)
        assert till.total == 3
        shop.Till.of("right").tax(7)
        shop.Parcel(7).heavy()
    assert calls(found) == [
        'Till("left", open=False)',
        'Till("left", open=False).sell(3)',
        "plain(3)",
        'Till("left", open=False).total',
        'Till.of("right")',
        'Till("right")',
        "Till.tax(7)",
        "Parcel(weight=7).heavy()",
    ]
    for call in found.result().calls:
        space: dict[str, object] = {}
        exec("\n".join(call.imports), space)
        eval(call.source, space)


def test_looking_at_arguments_reaches_nothing(shop: ModuleType) -> None:
    found = recorder(shop)
    with found.test("t::a", "t.py", left_out=False):
        shop.plain(shop.Parcel(7))  # reading the source back compares two parcels
    assert set(found.result().reached["t::a"]) == {"shop_under_test.py::plain"}


def test_a_function_that_is_called_a_lot_keeps_a_few_calls(shop: ModuleType) -> None:
    found = recorder(shop, "plain")
    with found.test("t::a", "t.py", left_out=False):
        for number in range(5_000):
            shop.plain(number % 40)
    assert len(calls(found)) == 20


def test_a_module_that_is_imported_late_is_watched_from_the_next_test_on(shop: ModuleType) -> None:
    saved = sys.modules.pop("shop_under_test")
    found = recorder(shop, "plain")
    sys.modules["shop_under_test"] = saved
    with found.test("t::a", "t.py", left_out=False):
        shop.plain(1)
    assert "t::a" in found.result().reached


def test_what_workers_saw_is_merged(shop: ModuleType) -> None:
    def worker(test: str, weight: int) -> Recording:
        found = recorder(shop, "price")
        with found.test(test, "t.py", left_out=False):
            shop.price(weight)
            shop.price(3)
        found.finished(test, failed=False, seconds=0.1)
        found.uninstall()
        return Recording.loads(found.result().dumps())

    merged = worker("t::a", 1)
    merged.merge(worker("t::b", 9))
    assert set(merged.reached) == {"t::a", "t::b"}
    sources = [call.source for call in merged.calls]
    assert sources == [f'price({weight}, "inner")' for weight in (1, 3, 9)]
