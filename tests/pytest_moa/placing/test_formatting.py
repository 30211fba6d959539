"""What is added looks like the rest of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_moa.placing.formatting import style_of
from pytest_moa.placing.source_file import SourceFile
from tests.pytest_moa.placing.trees import candidate, change

WIDE = candidate(
    """
    def test_wide():
        assert price(1000, "a long name of a zone") == price(2000, "another name of it")
    """,
    "from shop.rates import price",
)
ONE_LINE = '    assert price(1000, "a long name of a zone") == price(2000, "another name of it")\n'


def added(root: Path, old: str = "", path: str = "tests/test_rates.py") -> str:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(old)
    return change(root, path, WIDE).after.decode().removeprefix(old)


@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ("", True),
        ("[tool.ruff]\nline-length = 70\n", False),
        ("[tool.black]\nline-length = 70\n", False),
        ("[tool.black]\nline-length = 70\n[tool.ruff.format]\n", True),
        ("[tool.black]\nline-length = 'wide'\n", True),
        ("this is no TOML", True),
    ],
)
def test_the_projects_line_length(tmp_path: Path, settings: str, fits: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    assert (ONE_LINE in added(tmp_path)) == fits


def test_settings_next_to_the_file_come_first(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 70\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/ruff.toml").write_text("line-length = 100\n")
    assert ONE_LINE in added(tmp_path)


def test_without_settings_it_looks_like_the_file(tmp_path: Path) -> None:
    old = "from shop.rates import price\n\n\ndef test_a():\n\tassert price('a', 'b', 'c')\n"
    text = added(tmp_path, old)
    assert "\n\tassert price(1000, 'a long name of a zone') == " in text
    style = style_of(tmp_path, SourceFile.of("a.py", b"def f():\n  pass\n"))
    assert style.formatted("def g():\n    pass\n") == ("def g():\n  pass\n", "")


def test_a_formatter_that_fails_is_mentioned_and_the_test_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text("required-version = '0.0.1'\n")
    done = change(tmp_path, "test_rates.py", WIDE)
    assert ONE_LINE in done.after.decode()
    assert len(done.notes) == 1
    assert done.notes[0].startswith("ruff format left the new tests in test_rates.py as they are: ")
