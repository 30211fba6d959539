"""What a change that was read says of each file: hunks, texts, names, modes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from review_bot.change import Change
from review_bot.patch import apply_hunks
from review_bot.read_change import read_change
from review_bot.skipped import SkipRules
from tests.review_bot.gitrepo import GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo(tmp_path / "repo")


def why(change: Change) -> dict[str, str]:
    return {entry.path: entry.why for entry in change.not_reviewed}


def test_renames_modes_links_submodules_and_binaries(repo: GitRepo, tmp_path: Path) -> None:
    inner = GitRepo(tmp_path / "inner")
    inner.commit({"f": "1\n"})
    text = "".join(f"line {number}\n" for number in range(20))
    repo.write({"old.txt": text, "run.sh": "echo\n", "data.bin": b"\0\1\2", "becomes a link": "1\n"})
    (repo.folder / "link").symlink_to("old.txt")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.folder), "sub")
    repo.commit()
    (repo.folder / "old.txt").rename(repo.folder / "new name.txt")
    repo.write({"new name.txt": text + "more\n", "data.bin": b"\0\1\3", "empty": ""})
    (repo.folder / "run.sh").chmod(0o755)
    (repo.folder / "becomes a link").unlink()
    (repo.folder / "becomes a link").symlink_to("/etc/passwd")
    (repo.folder / "link").unlink()
    (repo.folder / "link").symlink_to("new name.txt")
    GitRepo(repo.folder / "sub").commit({"f": "2\n"})
    repo.commit()
    change = read_change(repo.folder, range="HEAD~1")
    found = {file.path: file for file in change.files}
    assert sorted(found) == ["becomes a link", "empty", "link", "new name.txt", "run.sh"]
    renamed = found["new name.txt"]
    assert (renamed.status, renamed.old_path, renamed.added_lines()) == ("renamed", "old.txt", {21})
    assert (found["run.sh"].status, found["run.sh"].old_mode, found["run.sh"].new_mode) == (
        "mode",
        "100644",
        "100755",
    )
    assert (found["empty"].status, found["empty"].hunks, found["empty"].head_text) == ("added", (), "")
    link = found["link"]
    assert (link.new_mode, link.base_text, link.head_text) == ("120000", None, None)
    assert [line.text for line in link.hunks[0].lines()] == ["old.txt", "new name.txt"]
    changed_type = found["becomes a link"]
    assert (changed_type.old_mode, changed_type.new_mode) == ("100644", "120000")
    assert (changed_type.base_text, changed_type.head_text) == ("1\n", None)
    assert [line.text for hunk in changed_type.hunks for line in hunk.lines()] == ["1", "/etc/passwd"]
    assert why(change)["data.bin"] == "binary file"
    assert why(change)["sub"].startswith("submodule (")


@pytest.mark.parametrize(
    "name",
    [
        "with space.py",
        "ünï→.py",
        'qu"ote.py',
        "tab\tin.py",
        "back\\slash.py",
        "new\nline.py",
        "a b/b c.py",
        "-x.py",
    ],
)
def test_names_survive(repo: GitRepo, name: str) -> None:
    repo.commit({name: "x = 1\n"})
    repo.commit({name: "x = 2\n"})
    [file] = read_change(repo.folder, range="HEAD~1").files
    assert (file.path, file.head_text, file.added_lines()) == (name, "x = 2\n", {1})


def test_names_that_are_not_utf8(repo: GitRepo) -> None:
    (repo.folder / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    repo.commit()
    assert [file.path for file in read_change(repo.folder).files] == ["café.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\r\ntwo\r\n", b"one\r\nTWO\r\n"),
        (b"one\ntwo", b"one\nTWO"),
        (b"one\ntwo\n", b"one\ntwo"),
        (b"caf\xe9\none\n", b"caf\xe9\ntwo\n"),
        (b"caf\xe9\none\n", "café\none\n".encode()),
        ("\ufeffone\n".encode(), "\ufefftwo\n".encode()),
        ("a\u2028b\x0c\x0b\x85\nx\n".encode(), "a\u2028b\x0c\x0b\x85\ny\n".encode()),
        (b"a\rb\nc\n", b"a\rb\nd\n"),
        (b"-- x\n++ y\n", b"-- z\n+++ y\n@@ -1 +1 @@\ndiff --git a/x b/x\n"),
        (b"", b"\n\n"),
        (b"x" * 50_000 + b"\n", b"y" * 50_000 + b"\n"),
    ],
)
def test_hunks_turn_base_into_head(repo: GitRepo, before: bytes, after: bytes) -> None:
    repo.commit({"f.py": before})
    repo.commit({"f.py": after})
    [file] = read_change(repo.folder, range="HEAD~1", rules=SkipRules(include=["*.py"])).files
    assert file.base_text is not None
    assert file.head_text is not None
    assert file.head_text.count("\n") == after.count(b"\n")
    assert apply_hunks(file.base_text, file.hunks) == file.head_text
    new = file.head_text.split("\n")
    assert all(new[line.new - 1] == line.text for hunk in file.hunks for line in hunk.lines() if line.new)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["", " ", "def f():", "    pass", "-- a", "++ b", "\\ No newline at end of file", "\r"]
        ),
        st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=8),
    ),
    max_size=30,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, after=LINES, ends=st.tuples(st.booleans(), st.booleans()))
def test_hunks_turn_any_base_into_any_head(
    repo: GitRepo, before: list[str], after: list[str], ends: tuple[bool, bool]
) -> None:
    texts = ["\n".join(lines) + "\n" * end for lines, end in zip((before, after), ends, strict=True)]
    repo.commit({"f.txt": texts[0]})
    repo.commit({"f.txt": texts[1]})
    for file in read_change(repo.folder, range="HEAD~1").files:
        assert file.base_text == texts[0]
        assert apply_hunks(texts[0], file.hunks) == file.head_text == texts[1]


def test_fifty_thousand_lines(repo: GitRepo) -> None:
    module = "".join(f"def f{n}(a, b):\n    return a + b * {n}\n\n\n" for n in range(2_500))
    repo.commit({f"m{n}.py": module for n in range(5)})
    repo.commit({f"m{n}.py": module.replace("a + b", "a - b").replace("\n\n\n", "\n\n") for n in range(5)})
    change = read_change(repo.folder, range="HEAD~1")
    assert len(change.files) == 5
    for file in change.files:
        assert file.base_text == module
        assert apply_hunks(module, file.hunks) == file.head_text
    assert sum(hunk.body.count("\n") for file in change.files for hunk in file.hunks) >= 50_000


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_fifty_thousand_lines_take_little_memory(repo: GitRepo) -> None:
    repo.commit({"a": "1\n"})
    repo.commit({f"m{n}.py": "".join(f"x{n} = {n} * {line}\n" for line in range(10_000)) for n in range(5)})
    code = (
        "from pathlib import Path; from review_bot.read_change import read_change\n"
        "change = read_change(Path('.'), range='HEAD~1')\n"
        "print(sum(hunk.body.count('\\n') for file in change.files for hunk in file.hunks))\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repo.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    lines, peak = map(int, done.stdout.split())
    assert lines == 50_000
    assert peak < 200_000  # KiB; half of what a whole review may take
