"""The pictures of the documentation: shown, described, small, and their script fits the example."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.pictures import __main__ as pictures
from scripts.pictures import committee

ROOT = Path(__file__).parents[2]
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+\.png)\)")


def test_each_picture_is_shown_described_and_small() -> None:
    shown: dict[Path, str] = {}
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for words, target in IMAGE.findall(page.read_text(encoding="utf-8")):
            shown[(page.parent / target).resolve()] = words
    sizes = {file: file.stat().st_size for file in (ROOT / "docs" / "pictures").iterdir()}
    assert shown.keys() == sizes.keys()
    assert min(map(len, shown.values())) > 60
    assert max(sizes.values()) < 150_000
    assert sum(sizes.values()) < 900_000


def test_what_the_scripted_members_quote_is_in_the_example() -> None:
    assert {made.__name__ for made in pictures.PICTURES} > {"review_offline"}
    change = (ROOT / "examples" / "express.patch").read_text(encoding="utf-8")
    added = "\n".join(line[1:] for line in change.splitlines() if line.startswith("+"))
    for findings in committee.FOUND.values():
        for one in findings:
            assert one["quote"] in added
