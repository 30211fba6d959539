"""Tests are checked by the project's own linter, as they will stand in their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.placing.linting import Linted, Linter
from pytest_moa.placing.placing import Placing
from pytest_moa.placing.test_files import TestTree
from tests.pytest_moa.placing.trees import PRICE, candidate, target, write

IMPORT = "from shop.rates import price"
NAMED = candidate("def test_lambda():\n    inc = lambda x: x + 1\n    assert price(inc(1)) == 2", IMPORT)
LONG = candidate(f'def test_long():\n    assert price("{"a " * 50}") == 2', IMPORT)
UNUSED = candidate("def test_unused():\n    f = price(1)\n    assert price(2) == 2", IMPORT)
SPARE = candidate('def test_spare():\n    assert price(f"one") == 2', IMPORT)


def linted(root: Path, *candidates: Candidate) -> Linted:
    write(root, src__shop__rates="def price(weight): ...\n")
    return Linter(Placing(TestTree(root)), {"shop.rates:price": target()}, {}).linted(candidates)


def test_what_breaks_a_rule_is_named_with_the_rule_and_others_pass(tmp_path: Path) -> None:
    found = linted(tmp_path, PRICE, NAMED, UNUSED)
    assert set(found.complaints) == {NAMED.id, UNUSED.id}
    assert found.complaints[NAMED.id].startswith("E731 ")
    assert found.complaints[UNUSED.id].startswith("F841 ")


def test_safe_fixes_are_made_and_the_rest_stays(tmp_path: Path) -> None:
    found = linted(tmp_path, PRICE, SPARE)
    assert found.complaints == {}
    assert {name: one.source for name, one in found.fixed.items()} == {
        SPARE.id: 'def test_spare():\n    assert price("one") == 2'
    }


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ("", False),
        ('[tool.ruff.lint]\nselect = ["E"]\n', True),
        ('[tool.ruff]\nline-length = 150\nlint.select = ["E"]\n', False),
        ('[tool.ruff.lint]\nselect = ["E"]\nper-file-ignores = { "tests/*" = ["E501"] }\n', False),
        ('[tool.ruff]\nforce-exclude = true\nextend-exclude = ["tests"]\nlint.select = ["E"]\n', False),
        ('[tool.ruff.lint]\nselect = ["S101", "D103", "ANN201", "INP001", "PLR2004"]\n', False),
    ],
)
def test_the_projects_settings_decide(tmp_path: Path, settings: str, refused: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    assert (LONG.id in linted(tmp_path, LONG).complaints) == refused


def test_faults_of_the_file_itself_are_nobody_elses(tmp_path: Path) -> None:
    write(tmp_path, tests__test_rates="from shop.rates import price\n\nold = lambda: price\n")
    assert linted(tmp_path, PRICE).complaints == {}
