"""A change as data: lines, JSON, digest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from review_bot.change import Change, change_from_json, change_to_json, digest
from review_bot.read_change import read_change
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def change(tmp_path: Path) -> Change:
    repo = GitRepo(tmp_path / "repo")
    repo.commit({"a.py": b"caf\xe9\r\n", "AGENTS.md": "Be kind.\n", "old": "x\n" * 9})
    (repo.folder / "old").rename(repo.folder / "new")
    repo.commit({"a.py": "café\u2028\n", "uv.lock": "1\n"}, "Subject\n\nBody")
    return read_change(repo.folder)


def test_json_keeps_everything(change: Change) -> None:
    assert change.guidelines
    assert change.not_reviewed
    assert change.notes
    assert change_from_json(json.loads(json.dumps(change_to_json(change)))) == change


def test_the_digest_covers_what_reviewers_see(change: Change) -> None:
    first = digest(change)
    assert digest(replace(change, base="1" * 40, head="2" * 40, notes=("x",))) == first
    file = replace(change.files[0], head_text="other")
    others = [
        replace(change, files=(file, *change.files[1:])),
        replace(change, guidelines=()),
        replace(change, title="x"),
        replace(change, head_tree="3" * 40),
        replace(change, not_reviewed=()),
    ]
    assert len({first, *map(digest, others)}) == 6
    bare = replace(change, base_tree="", head_tree="")
    assert digest(bare) != digest(replace(bare, head="2" * 40))
