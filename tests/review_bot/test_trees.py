"""Both sides of a change on disk."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from review_bot import trees
from review_bot.change import Trees
from review_bot.read_change import read_change
from review_bot.skipped import SkipRules
from review_bot.trees import materialise
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path / "repo")
    repo.commit(
        {
            "pkg/a.py": b"caf\xe9 = 1\r\n",
            "pkg/old.py": "x\n" * 9,
            "pyproject.toml": "[tool]\n",
            "data.csv": "1\n",
        }
    )
    return repo


def files(side: str | None) -> dict[str, bytes]:
    assert side is not None
    top = Path(side)
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if not path.is_dir()}


def test_python_files_of_both_commits(repo: GitRepo, tmp_path: Path) -> None:
    (repo.folder / "pkg/old.py").rename(repo.folder / "pkg/new.py")
    (repo.folder / "pkg/link.py").symlink_to("/etc/passwd")
    (repo.folder / "up").symlink_to("..")
    repo.commit({"pkg/py.typed": "", "pkg/stub.pyi": "x: int\n", "notes.md": "1\n"})
    repo.write({"pkg/a.py": "the checkout is not used\n"})
    found = materialise(repo.folder, read_change(repo.folder, range="HEAD~1"), tmp_path / "scratch")
    assert found.extra == {}
    assert files(found.base) == {
        "pkg/a.py": b"caf\xe9 = 1\r\n",
        "pkg/old.py": b"x\n" * 9,
        "pyproject.toml": b"[tool]\n",
    }
    assert sorted(files(found.head)) == [
        "pkg/a.py",
        "pkg/new.py",
        "pkg/py.typed",
        "pkg/stub.pyi",
        "pyproject.toml",
    ]
    assert (repo.folder / "pkg/a.py").read_text() == "the checkout is not used\n"


def test_attributes_cannot_hide_or_rewrite_files(repo: GitRepo, tmp_path: Path) -> None:
    repo.commit({".gitattributes": "* export-ignore export-subst filter=x\n", "b.py": "v = '$Format:%H$'\n"})
    found = materialise(repo.folder, read_change(repo.folder, range="HEAD~1"), tmp_path / "scratch")
    assert files(found.head)["b.py"] == b"v = '$Format:%H$'\n"


def test_the_index_and_the_working_tree(repo: GitRepo, tmp_path: Path) -> None:
    repo.write({"pkg/a.py": "staged\n", "vendor/v.py": "1\n", "made.py": "# @generated\n"})
    repo.git("add", "pkg/a.py")
    repo.write({"pkg/a.py": "working\n", "pkg/untracked.py": "new\n"})
    staged = materialise(repo.folder, read_change(repo.folder, staged=True), tmp_path / "staged")
    assert files(staged.head)["pkg/a.py"] == b"staged\n"
    rules = SkipRules(exclude=["vendor/"])
    change = read_change(repo.folder, working=True, rules=rules)
    assert {entry.path for entry in change.not_reviewed} == {"vendor/", "made.py"}
    working = files(materialise(repo.folder, change, tmp_path / "working").head)
    assert working["pkg/a.py"] == b"working\n"
    assert sorted(working) == ["made.py", "pkg/a.py", "pkg/old.py", "pkg/untracked.py", "pyproject.toml"]
    repo.write({"pkg/a.py": "edited meanwhile\n"})
    late = materialise(repo.folder, change, tmp_path / "late")
    assert late == Trees(None, None, {"why": "the files were changed while they were reviewed"})


def test_a_first_commit_has_an_empty_base(repo: GitRepo, tmp_path: Path) -> None:
    found = materialise(repo.folder, read_change(repo.folder, range="HEAD^!"), tmp_path / "scratch")
    assert files(found.base) == {}
    assert len(files(found.head)) == 3


def test_a_patch_that_fits_head(repo: GitRepo, tmp_path: Path) -> None:
    (repo.folder / "pkg/old.py").rename(repo.folder / "pkg/new.py")
    repo.write({"pkg/a.py": "a = 2\n", "added.py": "1\n", "notes.md": "1\n"})
    repo.git("add", ".")
    data = repo.git("diff", "--cached")
    repo.git("checkout", "--quiet", "--force", "HEAD")
    change = read_change(repo.folder, patch="-", stdin=io.BytesIO(data))
    found = materialise(repo.folder, change, tmp_path / "scratch")
    assert files(found.head) == {
        "pkg/a.py": b"a = 2\n",
        "pkg/new.py": b"x\n" * 9,
        "added.py": b"1\n",
        "pyproject.toml": b"[tool]\n",
    }
    assert "pkg/old.py" in files(found.base)


def test_a_bare_patch_has_no_trees(repo: GitRepo, tmp_path: Path) -> None:
    change = read_change(tmp_path, patch="-", stdin=io.BytesIO(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"))
    for folder in (None, repo.folder):
        found = materialise(folder, change, tmp_path / "scratch")
        assert found == Trees(None, None, {"why": "the patch does not belong to a known revision"})


def test_repositories_that_are_too_large(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = read_change(repo.folder, range="HEAD^!")
    monkeypatch.setattr(trees, "MOST_BYTES", 10)
    assert "MB of files" in materialise(repo.folder, change, tmp_path / "a").extra["why"]
    monkeypatch.setattr(trees, "MOST_FILES", 1)
    assert "more than 1 files" in materialise(repo.folder, change, tmp_path / "b").extra["why"]


def test_a_folder_that_cannot_be_written(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file\n")
    found = materialise(repo.folder, read_change(repo.folder, range="HEAD^!"), tmp_path / "taken")
    assert found.extra["why"].startswith("the files cannot be written")
