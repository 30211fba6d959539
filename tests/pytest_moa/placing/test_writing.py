"""Files are replaced as a whole or not at all, and never what has changed meanwhile."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pytest_moa.placing.source_file import NotPlaced
from pytest_moa.placing.writing import digest, read, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "test_a.py"
    found.write_bytes(b"old = 1\n")
    return found


def test_a_file_keeps_its_mode_and_leaves_nothing_else_behind(path: Path) -> None:
    path.chmod(0o755)
    write(path.parent, "test_a.py", b"new = 1\n", expected=digest(b"old = 1\n"))
    assert path.read_bytes() == b"new = 1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [one.name for one in path.parent.iterdir()] == ["test_a.py"]


def test_a_new_file_makes_its_folder(tmp_path: Path) -> None:
    write(tmp_path, "tests/test_a.py", b"new = 1\n", expected=digest(None))
    assert read(tmp_path, "tests/test_a.py") == b"new = 1\n"


def test_a_link_is_followed_and_stays(path: Path) -> None:
    (path.parent / "test_b.py").symlink_to("test_a.py")
    write(path.parent, "test_b.py", b"new = 1\n", expected=digest(b"old = 1\n"))
    assert (path.parent / "test_b.py").is_symlink()
    assert path.read_bytes() == b"new = 1\n"


def refused(root: Path, name: str = "test_a.py", expected: bytes | None = b"old = 1\n") -> str:
    with pytest.raises(NotPlaced) as caught:
        write(root, name, b"new = 1\n", expected=digest(expected))
    return str(caught.value)


def test_a_changed_file_is_left_alone(path: Path) -> None:
    assert "test_a.py has changed since" in refused(path.parent, expected=b"older = 1\n")
    assert "has changed since" in refused(path.parent, expected=None)
    assert path.read_bytes() == b"old = 1\n"


def test_read_only_files_and_folders_are_left_alone(path: Path) -> None:
    path.chmod(0o444)
    assert refused(path.parent) == "test_a.py is read-only"
    path.chmod(0o644)
    path.parent.chmod(0o555)
    try:
        assert "read-only" in refused(path.parent)
    finally:
        path.parent.chmod(0o755)


def test_unsaved_changes_in_an_editor_are_respected(path: Path) -> None:
    lock = path.parent / ".#test_a.py"
    lock.symlink_to("somebody@here.4711")
    assert "unsaved changes in Emacs" in refused(path.parent)
    lock.unlink()
    swap = path.parent / ".test_a.py.swp"
    swap.write_bytes(b"b0VIM 9.0".ljust(1007, b"\0") + b"U" + bytes(100))
    assert "unsaved changes in Vim" in refused(path.parent)
    swap.write_bytes(b"b0VIM 9.0".ljust(2000, b"\0"))
    write(path.parent, "test_a.py", b"new = 1\n", expected=digest(b"old = 1\n"))


@pytest.mark.parametrize(
    "name", ["../test_a.py", "/etc/test_a.py", ".git/test_a.py", "test_a.txt", "link/test_a.py"]
)
def test_nothing_outside_the_project_is_touched(tmp_path: Path, name: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(NotPlaced):
        write(root, name, b"", expected=digest(None))
    with pytest.raises(NotPlaced):
        read(root, name)
