"""A small project in a git repository, and pytest sessions in it with the plug-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.review_bot.gitrepo import GitRepo

FILES = {
    "pyproject.toml": "[tool.pytest]\nstrict = true\npythonpath = ['src']\ntestpaths = ['tests']\n"
    "filterwarnings = ['error']\n",
    "src/shop/__init__.py": "",
    "src/shop/rates.py": "def price(weight):\n    if weight > 5:\n        return 9\n    return weight * 2\n",
    "tests/test_rates.py": "from shop.rates import price\n\n\ndef test_price():\n    assert price(1) == 2\n",
    ".gitignore": "request.json\n__pycache__\n.pytest_cache\n*.json\nrecord.sqlite*\n",
}
CHANGED = FILES["src/shop/rates.py"].replace("return 9", "return 11")


OTHER = "def other(x):\n    return x\n"


class Shop:
    """The project. `run` is a pytest session in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.repo = GitRepo(folder)
        self.folder = folder
        self.environ = os.environ | {
            "MOA_RECORD": str(folder / "record.sqlite"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "GIT_CEILING_DIRECTORIES": str(folder.parent),
        }
        for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
            self.environ.pop(name, None)

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


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = Shop(tmp_path_factory.mktemp("fresh") / "shop")
    shop.repo.commit(dict(FILES))
    return shop.folder


@pytest.fixture(scope="session")
def _suggested(tmp_path_factory: pytest.TempPathFactory, _fresh: Path) -> Path:
    folder = shutil.copytree(_fresh, tmp_path_factory.mktemp("suggested") / "shop")
    shop = Shop(folder)
    shop.change()
    shop.repo.write({"src/shop/other.py": OTHER})
    assert shop.run("--moa").returncode == 0
    return folder


@pytest.fixture
def shop(tmp_path: Path, _fresh: Path) -> Shop:
    """The project with everything committed."""
    return Shop(shutil.copytree(_fresh, tmp_path / "shop"))


@pytest.fixture
def suggested(tmp_path: Path, _suggested: Path) -> Shop:
    """After a run with two suggestions: the first for a new file, the second for one that exists."""
    return Shop(shutil.copytree(_suggested, tmp_path / "shop"))
