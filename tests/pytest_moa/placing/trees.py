"""Small projects with tests, and suggestions for them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pytest_moa.candidate import Candidate
from pytest_moa.placing.placing import Change, Placing
from pytest_moa.placing.test_files import TestTree
from pytest_moa.target import Target


def write(root: Path, **files: str) -> Path:
    """Write files, given as `folder__name="text"`, and return the root."""
    for name, text in files.items():
        path = root / f"{_slashes(name)}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def _slashes(name: str) -> str:
    return name.replace("____init__", "/__init__").replace("__", "/").replace("//init/", "/__init__")


def candidate(source: str, *imports: str, target: str = "shop.rates:price", **more: str) -> Candidate:
    """A candidate; its name is read from its source."""
    text = textwrap.dedent(source).strip("\n")
    name = text[text.index("def ") + 4 :].split("(")[0]
    more["support"] = textwrap.dedent(more.get("support", "")).strip("\n")
    return Candidate(target, name, text, imports, **more)


PRICE = candidate(
    """
    def test_price_of_nothing():
        assert price(0) == 0
    """,
    "from shop.rates import price",
    says="nothing costs nothing",
)


def target(path: str = "src/shop/rates.py", module: str = "shop.rates", qualname: str = "price") -> Target:
    return Target(path, module, qualname, 1, 2)


def change(root: Path, path: str, *candidates: Candidate) -> Change:
    """What these candidates do to a file; the old text must be there, but for the import lines."""
    return Placing(TestTree(root)).change(path, candidates or (PRICE,))


def after(root: Path, path: str, *candidates: Candidate) -> str:
    return change(root, path, *candidates).after.decode()
