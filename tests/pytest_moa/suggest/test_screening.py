"""What no honest test needs is not even executed."""

from __future__ import annotations

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.screening import refusal


def candidate(body: str, *imports: str, support: str = "") -> Candidate:
    return Candidate("shop:price", "test_it", f"def test_it():\n    {body}\n", imports, support)


@pytest.mark.parametrize(
    ("body", "imports", "why"),
    [
        ("assert price(1) == os._exit(0)", ("import os",), "uses os._exit"),
        ("assert eval('price(1)') == 1", (), "uses eval"),
        ("assert sys.modules['_pytest'] is price", ("import sys",), "uses sys.modules"),
        ("assert price.__code__ is price", (), "uses price.__code__"),
        ("assert price(1) == 1", ("import subprocess",), "imports subprocess"),
        ("assert price(1) == 1", ("from urllib.request import urlopen",), "imports urllib.request"),
        ("assert price(1) == 1", ("from os import _exit",), "imports os._exit"),
        ("assert price(1) == 1", ("import _pytest.runner",), "imports _pytest.runner"),
        ("pytest.skip('no')\n    assert price(1)", ("import pytest",), "uses pytest.skip"),
        ("assert price(1) == o._exit(0)", ("import os as o",), "uses os._exit"),
        ("run = exec\n    assert run('1') is price", (), "uses exec"),
        ("assert price('\u202e1') == 1", (), "holds invisible characters"),
        ("assert price(a=1, a=2) == 1", (), "is no Python"),
        ("price(1)", (), "asserts nothing"),
        ("assert True", (), "asserts nothing"),
    ],
)
def test_refused(body: str, imports: tuple[str, ...], why: str) -> None:
    assert refusal(candidate(body, *imports)) == why


@pytest.mark.parametrize(
    "support",
    [
        "def pytest_runtest_makereport(item):\n    pass",
        "pytest_plugins = ['evil']",
        "@pytest.fixture(autouse=True)\ndef always():\n    pass",
    ],
)
def test_support_that_changes_the_runner_is_refused(support: str) -> None:
    assert refusal(candidate("assert price(1) == 1", support=support))


@pytest.mark.parametrize(
    ("body", "imports"),
    [
        ("assert price(1) == 1", ()),
        ("input = 'x'\n    assert price(input) == 1", ()),
        ("with pytest.raises(ValueError, match='no'):\n        price(0)", ("import pytest",)),
        ("assert price(1) == Decimal('1')", ("from decimal import Decimal",)),
        (
            "handler = Mock()\n    price(handler)\n    handler.assert_called_once_with(1)",
            ("from unittest.mock import Mock",),
        ),
        ("assert price(os.path.join('a', 'b')) == 1", ("import os",)),
    ],
)
def test_honest_tests_pass(body: str, imports: tuple[str, ...]) -> None:
    assert refusal(candidate(body, *imports)) == ""
