"""A small project with a bug, and a run of suggestions for it."""

from __future__ import annotations

from pathlib import Path

from pytest_moa.project import Project
from pytest_moa.suggestions import SuggestRequest

SOURCE = '''\
"""Prices of parcels."""

API_TOKEN = "sk-live-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"


def price(weight: int, express: bool = False, token: str = API_TOKEN) -> int:
    """Price in cents. Express costs half as much again.

    >>> price(100)
    300
    >>> price(6000)
    Traceback (most recent call last):
    ValueError: too heavy
    """
    if weight <= 0:
        raise ValueError("no weight")
    if weight < 500:
        cents = 300
    elif weight < 5000:  # five kilos and less, says the documentation
        cents = 600
    else:
        raise ValueError("too heavy")
    return cents * 3 // 2 if express else cents
'''

TESTS = """\
from prices import price


def test_a_letter_costs_three(letter):
    assert price(letter) == 300
"""

CONFTEST = """\
import pytest


@pytest.fixture
def letter():
    return 100
"""


def make_shop(root: Path, settings: str = "") -> Path:
    """The project's folder, with these settings in its `moa.toml`."""
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n', "utf-8"
    )
    (root / "moa.toml").write_text(settings, "utf-8")
    (root / "prices.py").write_text(SOURCE, "utf-8")
    (root / "tests" / "test_prices.py").write_text(TESTS, "utf-8")
    (root / "tests" / "conftest.py").write_text(CONFTEST, "utf-8")
    return root


def request_for(root: Path, **given: object) -> SuggestRequest:
    """A request for all functions of the shop."""
    project = Project.find(root)
    targets = tuple(project.targets(str(root / "prices.py")))
    return SuggestRequest(root, project, targets, **{"seconds": 120.0, "workers": 2, **given})  # type: ignore[arg-type]
