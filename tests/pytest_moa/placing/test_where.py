"""Which file a test goes into."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_moa.placing.test_files import TestTree
from pytest_moa.placing.where import Place, place_of
from tests.pytest_moa.placing.trees import PRICE, candidate, target, write

ONE = "def test_one():\n    price(1)\n"


def where(root: Path, path: str = "src/shop/rates.py", qualname: str = "price", **more: object) -> Place:
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    return place_of(TestTree(root, **more), target(path, module, qualname), PRICE, {})  # type: ignore[arg-type]


def test_the_file_that_imports_the_target(tmp_path: Path) -> None:
    write(
        tmp_path,
        tests__test_all=f"from shop.rates import price\n{ONE}",
        tests__test_other=f"import os\n{ONE}",
    )
    assert where(tmp_path) == Place("tests/test_all.py", False)


def test_of_several_the_one_named_after_the_module(tmp_path: Path) -> None:
    write(
        tmp_path,
        tests__test_all=f"from shop.rates import price\n{ONE}",
        tests__test_rates=f"from shop.rates import price\n{ONE}",
        tests__test_rates_express=f"from shop.rates import price\n{ONE}",
    )
    assert where(tmp_path) == Place("tests/test_rates.py", False)


def test_a_package_that_hands_the_function_on_counts(tmp_path: Path) -> None:
    write(
        tmp_path, tests__test_shop="import shop\n\n\ndef test_it():\n    shop.price(1)\n", tests__test_x=ONE
    )
    assert where(tmp_path).path == "tests/test_shop.py"


def test_a_module_of_the_same_name_elsewhere_is_another_one(tmp_path: Path) -> None:
    write(tmp_path, tests__test_utils=f"from b.utils import price\n{ONE}")
    assert where(tmp_path, "a/utils.py") == Place("tests/test_a_utils.py", True)


def test_in_a_monorepo_the_nearest(tmp_path: Path) -> None:
    write(
        tmp_path,
        packages__a__tests__test_utils="from utils import f\n",
        packages__b__tests__test_utils="from utils import f\n",
    )
    place = place_of(TestTree(tmp_path), target("packages/b/src/utils.py", "utils", "f"), PRICE, {})
    assert place == Place("packages/b/tests/test_utils.py", False)


def test_a_file_in_another_mirrored_folder_only_uses_the_target(tmp_path: Path) -> None:
    write(
        tmp_path,
        tests__shop__test_zones=ONE,
        tests__office__test_orders=f"from shop.rates import price\n{ONE}",
    )
    assert where(tmp_path) == Place("tests/shop/test_rates.py", True)


def test_a_deeper_package_may_be_tested_in_the_folder_of_the_one_above(tmp_path: Path) -> None:
    write(tmp_path, tests__shop__test_zones=ONE, tests__test_a=ONE)
    assert where(tmp_path, "src/shop/post/parcels.py") == Place("tests/shop/test_parcels.py", True)


def test_a_fixture_that_only_one_file_has_decides(tmp_path: Path) -> None:
    write(
        tmp_path,
        tests__test_rates=f"from shop.rates import price\n{ONE}",
        tests__test_orders="import pytest\n\n\n@pytest.fixture\ndef order():\n    return 1\n",
    )
    needs = candidate(
        "def test_order(order, tmp_path):\n    assert price(order)", "from shop.rates import price"
    )
    assert place_of(TestTree(tmp_path), target(), needs, {}).path == "tests/test_orders.py"


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        ([], "src/shop/rates.py", "tests/test_rates.py"),
        (["tests/test_zones.py"], "src/shop/rates.py", "tests/test_rates.py"),
        (["tests/shop/test_zones.py", "tests/test_a.py"], "src/shop/rates.py", "tests/shop/test_rates.py"),
        (["tests/deep/test_zones.py", "tests/test_a.py"], "src/shop/rates.py", "tests/test_rates.py"),
        (["tests/zones_test.py", "tests/area_test.py"], "src/shop/rates.py", "tests/rates_test.py"),
        (["shop/test_zones.py"], "shop/rates.py", "shop/test_rates.py"),
        (["test/conftest.py"], "shop/rates.py", "test/test_rates.py"),
        (["tests/test_zones.py"], "src/shop/__init__.py", "tests/test_shop.py"),
        (["packages/b/setup.py"], "packages/b/shop/rates.py", "packages/b/tests/test_rates.py"),
        ([".venv/lib/test_rates.py"], "shop/rates.py", "tests/test_rates.py"),
    ],
)
def test_a_new_file_follows_the_layout(tmp_path: Path, files: list[str], path: str, expected: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    assert where(tmp_path, path.replace("/__init__", "")) == Place(expected, True) or (
        place_of(TestTree(tmp_path), target(path, "shop", "price"), PRICE, {}) == Place(expected, True)
    )


def test_pytests_own_settings_are_followed(tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    assert where(tmp_path, patterns=("check_*.py",), folders=("checks",)).path == "checks/check_rates.py"


def test_no_test_file_is_made_beside_the_code_whose_doctests_are_run(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "tests").mkdir()
    assert where(tmp_path, folders=("src", "tests")).path == "tests/test_rates.py"
