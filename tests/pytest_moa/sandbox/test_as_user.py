"""Root's sandbox is tested by whoever is root; this is for ordinary users, when root runs the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

import pytest_moa
from tests.pytest_moa.sandbox.conftest import STRONGEST
from tests.pytest_moa.sandbox.test_escapes import ATTEMPTS

NOBODY = 65534


def interpreter() -> str | None:
    """One that anybody may run: ours may lie in root's home."""
    for program in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        with suppress(OSError):  # it may not run that
            told = subprocess.run(
                [program or "false", "-c", "import sys; print(sys.version_info >= (3, 11))"],
                check=False,
                capture_output=True,
                text=True,
                user=NOBODY,
            )
            if told.stdout.strip() == "True":
                return program
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test runs as an ordinary user already")
@pytest.mark.skipif(not STRONGEST.strong, reason=f"the sandbox here is {STRONGEST.name}")
def test_ordinary_users_sandbox_holds() -> None:
    program = interpreter()
    if program is None:
        pytest.skip("no interpreter here that an ordinary user may run")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # a place that it may reach
    os.chown(folder, NOBODY, NOBODY)
    try:
        done = subprocess.run(
            [program, "-m", "tests.pytest_moa.sandbox.as_user", str(folder), *ATTEMPTS],
            check=False,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(Path(pytest_moa.__file__).parents[1]),
            },
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"user": NOBODY, "mechanism": STRONGEST.name, "escaped": []}
