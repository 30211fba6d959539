"""What a package hands on from its modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_moa.placing.imports import Import
from pytest_moa.placing.packages import Packages
from tests.pytest_moa.placing.trees import after, write

PRICE = Import("shop.post.rates", "price")


@pytest.mark.parametrize(
    ("shop", "post", "one", "same"),
    [
        ("from .post import price", "from .rates import price", Import("shop", "price"), True),
        ("from shop.post.rates import price", "", Import("shop", "price"), True),
        ("", "from shop.post.rates import price", Import("shop.post", "price"), True),
        ("from .post import price", "def price(): ...", Import("shop", "price"), False),
        ("from .post.other import price", "", Import("shop", "price"), False),
        ("from .post import price as cost", "from .rates import price", Import("shop", "cost"), False),
        ("from . import price", "", Import("shop", "price"), False),
        ("def broken(:", "", Import("shop", "price"), False),
        ("", "", Import("office", "price"), False),
        ("", "", PRICE, True),
    ],
)
def test_only_what_is_sure_counts(tmp_path: Path, shop: str, post: str, one: Import, same: bool) -> None:
    write(tmp_path, shop____init__=shop, shop__post____init__=post)
    assert Packages((tmp_path,)).same(one, PRICE) == same


def test_a_package_with_a_function_of_the_same_name_is_not_mistaken_for_it(tmp_path: Path) -> None:
    test = "from shop import price\n\n\ndef test_one():\n    assert price(1)\n"
    write(tmp_path, src__shop____init__="from .rates import price\n", test_rates=test)
    assert after(tmp_path, "test_rates.py").startswith(test)
    write(tmp_path, src__shop____init__="def price(): ...\n")
    text = after(tmp_path, "test_rates.py")
    assert "from shop.rates import price as rates_price\n" in text
    assert "assert rates_price(0) == 0" in text
