"""A small project in a git repository, and pytest sessions in it with the plug-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.review_bot.gitrepo import GitRepo

pytest_plugins = ["pytester"]

FILES = {
    "pyproject.toml": "[tool.pytest]\nstrict = true\npythonpath = ['src']\ntestpaths = ['tests']\n",
    "src/shop/__init__.py": "",
    "src/shop/rates.py": "def price(weight):\n    if weight > 5:\n        return 9\n    return weight * 2\n",
    "tests/test_rates.py": "from shop.rates import price\n\n\ndef test_price():\n    assert price(1) == 2\n",
    ".gitignore": "request.json\n__pycache__\n.pytest_cache\n*.json\nrecord.sqlite*\n",
}
CHANGED = FILES["src/shop/rates.py"].replace("return 9", "return 11")


class Shop:
    """The project. `run` is a pytest session in a process of its own."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.repo = GitRepo(folder)
        self.repo.commit(dict(FILES))
        self.folder = folder
        self.environ = environ

    def change(self) -> None:
        self.repo.write({"src/shop/rates.py": CHANGED})

    def run(
        self, *options: str, stdin: str = "", plugins: tuple[str, ...] = (), **environ: str
    ) -> subprocess.CompletedProcess[str]:
        loaded = ("pytest_moa.plugin", "tests.pytest_moa.session.stand_in", *plugins)
        command = [
            sys.executable,
            "-m",
            "pytest",
            *(part for one in loaded for part in ("-p", one)),
            *options,
        ]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ | environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> dict[str, Any]:
        """What the stand-in was asked; empty if it was not."""
        path = self.folder / "request.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    root = Path(__file__).parents[3]
    environ = os.environ | {
        "MOA_RECORD": str(tmp_path / "record.sqlite"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path.parent),
    }
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        environ.pop(name, None)
    return Shop(tmp_path / "shop", environ)
