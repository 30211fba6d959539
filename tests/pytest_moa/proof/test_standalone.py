from pathlib import Path

from pytest_moa.proof import test_files
from pytest_moa.proof.writing import Written

SOURCE = """\
import pytest
import shop


@pytest.fixture(name="cart")
def _cart():
    return shop._cart()


@pytest.fixture
def prices():
    return [1]


def test_total(cart, prices):
    assert shop.total(cart, prices) == 1
"""


def test_a_variable_with_the_name_of_a_fixture_brings_no_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(SOURCE)
    file = test_files.TestFile.read(tmp_path / "test_shop.py", tmp_path)
    found = file.find(["test_total"])
    assert found is not None
    written = Written(["cart = shop.Cart()", "assert shop.total(cart, prices) == 1"])
    module = test_files.Standalone(file, []).module(*found, written, ["prices"], "total")
    assert "def prices" in module
    assert "def test_total(prices):" in module
    assert "_cart" not in module


def test_what_a_mark_names_is_brought(tmp_path: Path) -> None:
    marked = SOURCE.replace("def test_total(cart, ", "@pytest.mark.usefixtures('cart')\ndef test_total(")
    (tmp_path / "test_shop.py").write_text(marked)
    file = test_files.TestFile.read(tmp_path / "test_shop.py", tmp_path)
    found = file.find(["test_total"])
    assert found is not None
    module = test_files.Standalone(file, []).module(*found, Written(["assert shop.total([])"]), [], "total")
    assert "@pytest.fixture(name='cart')\ndef _cart():" in module
    assert "@pytest.mark.usefixtures('cart')\ndef test_total():" in module
