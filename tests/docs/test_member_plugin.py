"""The sample plug-in of the documentation installs, and its own tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "examples" / "member-plugin"


def test_the_sample_plug_in_installs_and_its_tests_pass(tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *pip, str(SAMPLE)], check=True
    )
    settings = {name: text for name, text in os.environ.items() if not name.startswith(("MOA_", "PYTEST_"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(SAMPLE),
            str(SAMPLE),
        ],
        cwd=tmp_path,
        env={**settings, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert "2 passed" in done.stdout, f"{done.stdout}\n{done.stderr}"
