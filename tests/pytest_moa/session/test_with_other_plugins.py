"""Beside pytest-xdist, pytest-cov, pytest-randomly, pytest-asyncio and Hypothesis."""

from __future__ import annotations

import pytest

from tests.pytest_moa.session.conftest import CHANGED, FILES, OTHER, Shop

PRICE = "src/shop/rates.py::price"
MORE = (
    FILES["tests/test_rates.py"]
    .replace("test_price", "test_heavy")
    .replace("price(1) == 2", "price(9) == 11")
)


def test_xdist_workers_record_and_the_controller_suggests_once(shop: Shop) -> None:
    pytest.importorskip("xdist")
    shop.change()
    shop.repo.write({"tests/test_more.py": MORE})
    ran = shop.run("--moa", "-n", "2", plugins=("xdist.plugin",))
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.count("moa: suggested tests") == 1
    assert ran.stdout.count("moa: committee") == 1
    asked = shop.asked()
    assert asked["existing"] == ["tests/test_more.py::test_heavy", "tests/test_rates.py::test_price"]
    assert asked["recorded"]["reached"][PRICE] == ["1:0 enter", "2:4 if false", "2:4 if true"]
    assert sorted(call["source"] for call in asked["recorded"]["calls"]) == ["price(1)", "price(9)"]
    assert asked["workers"] == 2


def test_a_crashed_worker_is_mentioned(shop: Shop) -> None:
    pytest.importorskip("xdist")
    shop.change()
    shop.repo.write({"tests/test_more.py": "import os\n\n\ndef test_crash():\n    os._exit(1)\n"})
    ran = shop.run("--moa", "-n", "1", plugins=("xdist.plugin",))
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "crashed: what its tests do is not known" in ran.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_pytest_cov_measured_is_read(shop: Shop, workers: str) -> None:
    pytest.importorskip("pytest_cov")
    shop.change()
    late = "def test_late():\n    from shop.other import other\n\n    assert other(2) == 2\n"
    shop.repo.write({"src/shop/other.py": OTHER, "tests/test_z.py": late})
    ran = shop.run(
        "--moa", "--cov", "src", "--cov-branch", "--cov-context", "test", "-n", workers,
        plugins=("pytest_cov.plugin", "xdist.plugin"),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert "src/shop/rates.py" in ran.stdout
    asked = shop.asked()
    assert asked["recorded"]["coverage"] == {PRICE: [3], "src/shop/other.py::other": []}
    assert asked["recorded"]["reached"] == {PRICE: ["1:0 enter", "2:4 if false"]}
    assert asked["existing"] == ["tests/test_rates.py::test_price", "tests/test_z.py::test_late"]


def test_randomly_asyncio_and_hypothesis(shop: Shop) -> None:
    pytest.importorskip("pytest_randomly")
    pytest.importorskip("pytest_asyncio")
    pytest.importorskip("hypothesis")
    shop.change()
    text = (
        "from hypothesis import given\nfrom hypothesis import strategies as st\nimport pytest\n\n"
        "from shop.rates import later, price\n\n\n"
        "@given(st.integers(0, 9))\ndef test_given(weight):\n    assert price(weight) >= 0\n\n\n"
        "@pytest.mark.asyncio\nasync def test_later():\n    assert await later(4) == 4\n"
    )
    later = "\n\nasync def later(weight):\n    return weight\n"
    shop.repo.write({"src/shop/rates.py": CHANGED + later, "tests/test_rates.py": text})
    ran = shop.run(
        "--moa", "--moa-target", PRICE, "--moa-target", "src/shop/rates.py::later",
        "-o", "asyncio_default_fixture_loop_scope=function",
        plugins=("pytest_randomly", "pytest_asyncio.plugin", "_hypothesis_pytestplugin"),
        STAND_IN_DOES="interrupt",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    asked = shop.asked()
    assert asked["existing"] == ["tests/test_rates.py::test_given", "tests/test_rates.py::test_later"]
    calls = [call["source"] for call in asked["recorded"]["calls"]]
    assert "later(4)" in calls
    assert len([call for call in calls if call.startswith("price(")]) > 2
