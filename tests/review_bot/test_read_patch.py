"""Reviewing a patch file: anywhere, and with texts inside of the repository that it was made for."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.change import Change, NotReviewed
from review_bot.read_change import read_change
from review_bot.skipped import SkipRules
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """Two commits; the second one is what patches are made of."""
    repo = GitRepo(tmp_path / "repo")
    repo.commit({"a.py": "a = 1\nb = 1\n", "café.py": b"caf\xe9\n", "old.py": "x\n" * 9, "uv.lock": "1\n"})
    (repo.folder / "old.py").rename(repo.folder / "new.py")
    repo.commit(
        {"a.py": "a = 1\nb = 2\n", "café.py": b"caf\xe8\n", "added.py": "new\n", "uv.lock": "2\n"},
        "Set b to two\n\nBecause one was wrong.\n",
    )
    return repo


def read(folder: Path, data: bytes, **more: object) -> Change:
    return read_change(folder, patch="-", stdin=io.BytesIO(data), **more)  # type: ignore[arg-type]


def test_outside_of_a_repository_there_are_hunks_but_no_texts(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "c.patch").write_bytes(repo.git("diff", "HEAD~1", "HEAD"))
    change = read_change(tmp_path, patch=str(tmp_path / "c.patch"))
    assert (change.base, change.head, change.source) == ("", "", "patch")
    assert [file.path for file in change.files] == ["a.py", "added.py", "café.py", "new.py"]
    assert [file.base_text for file in change.files] == [None] * 4
    assert change.files[0].added_lines() == {2}
    assert change.files[1].head_text == "new\n"
    assert change.files[2].hunks[0].body == "-café\n+cafè\n"
    assert (change.files[3].status, change.files[3].old_path) == ("renamed", "old.py")
    assert change.not_reviewed[0].why == "lock file (uv.lock)"
    assert change.notes[0].startswith("of 2 files only the lines in the patch are known")


@pytest.mark.parametrize("options", [["--full-index"], [], ["--no-prefix"]])
def test_where_it_fits_head_the_texts_are_known(repo: GitRepo, options: list[str]) -> None:
    data = repo.git("diff", *options, "HEAD~1", "HEAD")
    expected = read_change(repo.folder, range="HEAD~1")
    repo.git("checkout", "--quiet", "HEAD~1")
    change = read(repo.folder, data)
    assert (change.base, change.base_tree, change.notes) == (expected.base, expected.base_tree, ())
    assert change.files == tuple(
        # a rename without a change says nothing of modes
        file
        if file.hunks
        else type(file)(file.path, "renamed", (), "old.py", None, None, "x\n" * 9, "x\n" * 9)
        for file in expected.files
    )


def test_plain_diffs_without_ids_fit_too(repo: GitRepo) -> None:
    data = b"--- a.py.orig\t2024-01-01\n+++ a.py\t2024-01-02\n@@ -2 +2 @@\n-b = 2\n+b = 3\n"
    [file] = read(repo.folder, data).files
    assert (file.base_text, file.head_text) == ("a = 1\nb = 2\n", "a = 1\nb = 3\n")


def test_blobs_that_the_patch_names_are_used_where_head_has_moved_on(repo: GitRepo) -> None:
    data = repo.git("diff", "HEAD~1", "HEAD", "--", "a.py")
    repo.commit({"a.py": "rewritten\n"})
    change = read(repo.folder, data)
    assert (change.files[0].base_text, change.files[0].head_text) == ("a = 1\nb = 1\n", "a = 1\nb = 2\n")
    assert (change.base, change.base_tree) == ("", "")


def test_a_patch_of_another_project_has_no_texts(repo: GitRepo) -> None:
    change = read(repo.folder, b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-other\n+text\n")
    assert (change.files[0].base_text, change.files[0].head_text, change.base) == (None, None, "")


def test_a_mail_brings_title_and_description(repo: GitRepo, tmp_path: Path) -> None:
    change = read(tmp_path, repo.git("format-patch", "-1", "--stdout", "HEAD"))
    assert (change.title, change.description) == ("Set b to two", "Because one was wrong.")
    assert [file.path for file in change.files] == ["a.py", "added.py", "café.py", "new.py"]
    encoded = b"From: a\nSubject: =?UTF-8?q?=5BPATCH_v2=5D_Caf=C3=A9?=\n\nText\n---\n a | 1 +\n\n"
    change = read(tmp_path, encoded + repo.git("diff", "HEAD~1", "--", "a.py"))
    assert (change.title, change.description) == ("Café", "Text")


def test_attributes_guidelines_and_rules_apply(repo: GitRepo) -> None:
    repo.commit({".gitattributes": "a.py linguist-generated\n", "AGENTS.md": "Be kind.\n"})
    data = b"".join(
        b"--- a/%s\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n" % (name, name) for name in (b"a.py", b"skip.py", b"z.py")
    )
    change = read(repo.folder, data, rules=SkipRules(exclude=["skip.*"]))
    assert [file.path for file in change.files] == ["z.py"]
    assert [entry.why for entry in change.not_reviewed] == [
        "generated file (.gitattributes)",
        "excluded by skip.* (settings)",
    ]
    assert [one.text for one in change.guidelines] == ["Be kind."]


def test_what_is_no_text(repo: GitRepo, tmp_path: Path) -> None:
    repo.write(
        {"bin": b"\0", "big": "x\n" * 2000, "lfs": "version https://git-lfs.github.com/spec/v1\noid 1\n"}
    )
    (repo.folder / "link").symlink_to("a.py")
    repo.git("add", ".")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},sub")
    change = read(tmp_path, repo.git("diff", "--cached", "--binary"), rules=SkipRules(max_file_bytes=1000))
    assert [(file.path, file.new_mode, file.head_text) for file in change.files] == [("link", "120000", None)]
    assert {entry.path: entry.why for entry in change.not_reviewed} == {
        "bin": "binary file",
        "big": "too large: 4,000 bytes, the limit is 1,000",
        "lfs": "kept in Git LFS",
        "sub": "submodule",
    }


@pytest.mark.parametrize("format", ["short", "log", "diff"])
def test_a_submodule_is_listed_and_does_not_hide_the_rest(repo: GitRepo, tmp_path: Path, format: str) -> None:
    GitRepo(tmp_path / "library").commit({"a": "1\n"})
    add = ("submodule", "--quiet", "add", str(tmp_path / "library"), "sub")
    repo.git("-c", "protocol.file.allow=always", *add)
    base = repo.commit()
    GitRepo(repo.folder / "sub").commit({"a": "2\n"})
    repo.write({"a.py": "b = 3\n"})
    change = read(repo.folder, repo.git("diff", f"--submodule={format}"))
    assert [entry for entry in change.not_reviewed if entry.path == "sub"] == [
        NotReviewed("sub", "submodule")
    ]
    assert change.file("a.py")
    assert format == "diff" or change.base == base
    only = read(repo.folder, repo.git("diff", f"--submodule={format}", "--", "sub"))
    assert NotReviewed("sub", "submodule") in only.not_reviewed


def test_a_change_of_type_is_one_file(repo: GitRepo, tmp_path: Path) -> None:
    (repo.folder / "a.py").unlink()
    (repo.folder / "a.py").symlink_to("b.py")
    repo.git("add", "a.py")
    [file] = read(tmp_path, repo.git("diff", "--cached")).files
    assert (file.status, file.old_mode, file.new_mode, len(file.hunks)) == ("modified", "100644", "120000", 2)


def test_errors(repo: GitRepo, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere cannot be read: No such file"):
        read_change(tmp_path, patch=str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_change(tmp_path, patch=str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be read at line 1"):
        read(tmp_path, b"nonsense")
    repo.commit({"a.py": "again\n"})
    with pytest.raises(ConfigError, match=r"changes a\.py more than once"):
        read(tmp_path, repo.git("format-patch", "-2", "--stdout"))
    assert read(tmp_path, b"").files == ()


def test_outside_of_a_repository_gitpython_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
    code = (
        "import sys; from pathlib import Path; from review_bot.read_change import read_change\n"
        "read_change(Path('.'), patch='p'); print('git' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"
