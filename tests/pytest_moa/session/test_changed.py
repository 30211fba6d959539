"""Which functions count as changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from pytest_moa.project import Project
from pytest_moa.session.changed import changed_targets
from pytest_moa.session.repository import NoRepository, changes
from tests.review_bot.gitrepo import GitRepo

RATES = '''"""Rates."""

LIMIT = 5


def price(weight: int) -> int:
    """Cents."""
    return weight * 2  # a comment


def allowed(weight):
    return weight < LIMIT


class Zone:
    @property
    def name(self):
        return "inner"

    @name.setter
    def name(self, value):
        pass
'''


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path)
    repo.commit({"shop/rates.py": RATES, "tests/test_rates.py": "def test_a(): pass\n", "pyproject.toml": ""})
    return repo


def changed(repo: GitRepo, base: str | None = None, folder: str = ".") -> list[str]:
    root = repo.folder / folder
    found, _ = changed_targets(Project.find(root), changes(root, base))
    return [target.name for target in found]


def test_nothing_has_changed_in_a_clean_tree(repo: GitRepo) -> None:
    assert changed(repo) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("weight * 2", "weight * 3", ["price"]),
        ("weight < LIMIT", "weight <= LIMIT", ["allowed"]),
        ("LIMIT = 5", "LIMIT = 6", ["allowed"]),
        ('"inner"', '"outer"', ["Zone.name"]),
        ("        pass", "        self.x = value", ["Zone.name"]),
        ("    @property", "    @functools.cached_property", ["Zone.name"]),
        ("# a comment", "# another", []),
        ('"""Cents."""', '"""Price in cents."""', []),
        ("weight: int) -> int", "weight) -> 'int | None'", []),
        ("weight * 2", "(weight\n        * 2)", []),
        ("(weight: int)", "(weight: int = 1)", ["price"]),
    ],
)  # fmt: skip
def test_what_a_function_does_counts(repo: GitRepo, old: str, new: str, expected: list[str]) -> None:
    assert old in RATES
    repo.write({"shop/rates.py": RATES.replace(old, new)})
    assert changed(repo) == [f"shop/rates.py::{name}" for name in expected]


def test_staged_unstaged_untracked_and_committed_changes_count(repo: GitRepo) -> None:
    repo.git("switch", "--quiet", "--create", "topic")
    repo.commit({"shop/committed.py": "def committed(): pass\n"})
    repo.write({"shop/staged.py": "def staged(): pass\n"})
    repo.git("add", "shop/staged.py")
    repo.write({"shop/untracked.py": "def untracked(): pass\n", ".gitignore": "ignored.py\n"})
    repo.write({"shop/ignored.py": "def ignored(): pass\n", "tests/test_b.py": "def test_b(): pass\n"})
    repo.write({"shop/rates.py": RATES.replace("* 2", "* 3")})
    assert changed(repo) == [
        "shop/committed.py::committed",
        "shop/rates.py::price",
        "shop/staged.py::staged",
        "shop/untracked.py::untracked",
    ]
    assert changed(repo, "HEAD") == [
        "shop/rates.py::price",
        "shop/staged.py::staged",
        "shop/untracked.py::untracked",
    ]


def test_the_merge_base_counts_not_what_the_default_branch_did_since(repo: GitRepo) -> None:
    repo.git("branch", "topic")
    repo.commit({"shop/rates.py": RATES.replace("* 2", "* 4")})
    repo.git("switch", "--quiet", "topic")
    repo.commit({"shop/rates.py": RATES.replace("weight < LIMIT", "weight > LIMIT")})
    assert changed(repo) == ["shop/rates.py::allowed"]
    assert changed(repo, "main") == ["shop/rates.py::allowed"]


def test_code_that_only_moved_has_not_changed(repo: GitRepo) -> None:
    repo.git("mv", "shop/rates.py", "shop/prices.py")
    assert changed(repo) == []
    (repo.folder / "shop/prices.py").unlink()
    repo.write(
        {"shop/other.py": "import os\n\n\ndef price(weight):\n    return weight * 2\n\n\ndef new(): ...\n"}
    )
    assert changed(repo) == ["shop/other.py::new"]


def test_a_project_below_the_repository_sees_its_own_files_only(repo: GitRepo) -> None:
    repo.write(
        {
            "sub/pyproject.toml": "[tool.pytest.ini_options]\n",
            "sub/a.py": "def a(): ...\n",
            "b.py": "def b(): ...\n",
        }
    )
    assert changed(repo, folder="sub") == ["a.py::a"]


def test_a_repository_without_a_commit_has_new_files_only(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path)
    repo.write({"a.py": "def a(): ...\n", "ä b.py": "def c(): ...\n", "c.py": "def c(): ...\n"})
    repo.git("add", "c.py")
    assert changed(repo) == ["a.py::a", "c.py::c"]


def test_a_file_that_cannot_be_parsed_is_named(repo: GitRepo) -> None:
    repo.write({"shop/rates.py": "def broken(:\n"})
    found, skipped = changed_targets(Project.find(repo.folder), changes(repo.folder, None))
    assert found == []
    assert [(one.target, "syntax error" in one.why) for one in skipped] == [("shop/rates.py", True)]


@pytest.mark.parametrize("revision", ["nowhere", "--output=stolen", "", "HEAD\0"])
def test_an_unknown_base_is_an_error(repo: GitRepo, revision: str) -> None:
    with pytest.raises(ConfigError, match="no revision of this repository"):
        changes(repo.folder, revision)
    assert not (repo.folder / "stolen").exists()


def test_without_a_repository_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoRepository, match="not in a git repository"):
        changes(tmp_path, None)
