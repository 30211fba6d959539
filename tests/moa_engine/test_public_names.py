"""The names that others import from `moa_engine`, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import moa_engine


def test_every_public_name_can_be_imported() -> None:
    for name in moa_engine.__all__:
        assert getattr(moa_engine, name) is not None


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'pydantic', 'httpx', 'asyncio', 'sqlite3'}"
    code = f"import sys, moa_engine; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
