"""What an installation brings with itself stays small, and is told: docs/dependencies.md, THIRD_PARTY.md."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "dependencies.py"))


def test_the_core_is_small() -> None:
    core = SCRIPT["needed"]().values()
    assert len(core) <= 50
    assert sum(map(SCRIPT["megabytes"], core)) <= 60


def test_each_package_has_its_notice() -> None:
    rows = [
        line for line in (ROOT / "THIRD_PARTY.md").read_text("utf-8").splitlines() if line.startswith("| ")
    ]
    told = {row.split(" | ")[0].removeprefix("| ") for row in rows}
    assert set(SCRIPT["needed"]("all")) <= told, "run: make notices"


def test_each_extra_has_its_weight() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    assert all(f"| `{extra}` | + " in text for extra in SCRIPT["extras"]()), "run: make weights"
