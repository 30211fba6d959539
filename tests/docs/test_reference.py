"""The reference is what the code says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    """The pages, made in a process of its own: the script leaves foreign plug-ins out for all of it."""
    script = "import json, runpy; print(json.dumps(runpy.run_path('generate_reference.py')['pages']()))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=DOCS, capture_output=True, text=True, check=True
    )
    pages: dict[str, str] = json.loads(done.stdout)
    return pages


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="argparse breaks the lines of usages elsewhere")
def test_every_page_is_current(generated: dict[str, str]) -> None:
    for path, text in generated.items():
        assert (DOCS / path).read_text(encoding="utf-8") == text, "run: python docs/generate_reference.py"


def test_it_has_options_codes_fields_and_hooks(generated: dict[str, str]) -> None:
    commands = generated["reference/commands.md"]
    assert "| `--budget USD` | spend no more than this |" in commands
    assert "| `--moa-fail-under MUTATION_SCORE` | fail when" in commands
    assert "## `moa mutate`" in commands  # brought by a plug-in
    assert "| `3` | --strict, and the review is partial |" in generated["reference/exit-codes.md"]
    assert "| `raised_by` | list of string | Members who found it. |" in generated["reference/json.md"]
    assert "def moa_member_kinds() -> Sequence[MemberKind]" in generated["reference/hooks.md"]
