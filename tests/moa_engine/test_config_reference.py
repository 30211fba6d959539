"""The reference in the documentation is what the models say."""

from __future__ import annotations

from pathlib import Path

from moa_engine.config_reference import BEGIN, END, updated
from moa_engine.plugins import load_plugins
from tests.moa_engine.sample_kinds import sample_plugins

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_reference_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    command = "python -m moa_engine.config_reference docs/configuration.md"
    assert text == updated(text, load_plugins({"MOA_NO_PLUGINS": "1"})), f"run: {command}"


def test_only_the_generated_part_changes_and_only_once() -> None:
    text = updated(f"before\n{BEGIN}\nwhat was\n{END}\nafter\n", sample_plugins())
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "what was" not in text
    assert updated(text, sample_plugins()) == text


def test_the_reference_has_defaults_values_and_required_keys() -> None:
    rows = updated(f"{BEGIN}{END}", sample_plugins()).splitlines()
    assert "| `voice` | text | *required* | How it sounds. |" in rows
    assert '| `mode` | `"quick"` or `"thorough"` | `"quick"` |  |' in rows
    attempts = next(row for row in rows if row.startswith("| `attempts` |"))
    assert attempts.startswith("| `attempts` | whole number from 1 to 10 | `3` | How often")
    assert any(row.startswith("| `stragglers.hedge` | true or false | `true` |") for row in rows)
    assert any(row.startswith("| `MOA_NO_PLUGINS` | 1 leaves out") for row in rows)
