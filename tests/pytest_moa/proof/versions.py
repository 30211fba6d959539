"""Two versions of a small project, as folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from pytest_moa.proof.prove import Sides


def two_versions(
    folder: Path, base: Mapping[str, str], head: Mapping[str, str], both: Mapping[str, str] | None = None
) -> Sides:
    """Write the files of both; `both` are the same on each side."""
    for name, files in (("base", base), ("head", head)):
        for path, text in {**(both or {}), **files}.items():
            file = folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
    return Sides(folder / "base", folder / "head")
