"""A sandbox reads the project and the interpreter, and no credentials wherever they lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_moa.sandbox import landlock, readable
from pytest_moa.sandbox.credentials import credentials_in


def tree(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def hidden(folder: Path, home: Path | None = None) -> set[str]:
    return {str(path.relative_to(folder)) for path in credentials_in(folder, home)}


def may_read(path: Path, root: Path, more: list[Path], home: Path | None = None) -> bool:
    """Whether a rule covers the file: the one for it, or for a folder that it is in."""
    files = {rule for rule, rights in readable.rules(root, more, home) if rights & landlock.READ_FILE}
    return bool(files & {path, *path.parents})


def test_credentials_are_known_by_name(tmp_path: Path) -> None:
    tree(tmp_path, ".env", ".env.production", ".netrc", ".pypirc", ".git/config", "deep/in/side/.env.local")
    assert hidden(tmp_path) == {
        *(".env", ".env.production", ".netrc", ".pypirc", ".git", "deep/in/side/.env.local")
    }


@pytest.mark.parametrize(
    "name", [".env.example", "environment.py", "credentials/__init__.py", "tests/secrets/x.py", "secrets.py"]
)
def test_code_and_samples_are_no_credentials(tmp_path: Path, name: str) -> None:
    tree(tmp_path, name)
    assert hidden(tmp_path) == set()


def test_a_project_that_is_a_home_hides_what_homes_hide(tmp_path: Path) -> None:
    tree(tmp_path, ".config/tool/token", ".local/share/keyrings/login", "project/module.py")
    assert hidden(tmp_path, home=tmp_path) == {".config", ".local"}
    assert hidden(tmp_path) == set()


def test_environments_and_others_code_are_not_searched(tmp_path: Path) -> None:
    tree(tmp_path, ".venv/pyvenv.cfg", ".venv/lib/.env", "node_modules/left/.env")
    assert hidden(tmp_path) == set()


def test_all_of_the_project_but_them(tmp_path: Path) -> None:
    root = tmp_path / "project"
    tree(root, ".env", "module.py", "package/__init__.py", "package/sub/.env", "package/sub/code.py")
    (root / "link").symlink_to(tmp_path)
    for name in ("module.py", "package/__init__.py", "package/sub/code.py"):
        assert may_read(root / name, root, []), name
    for name in (".env", "package/sub/.env"):
        assert not may_read(root / name, root, []), name
    assert not may_read(tmp_path / "elsewhere", root, [])
    assert may_read(tmp_path / "elsewhere", root, [tmp_path / "elsewhere"])


def test_what_is_named_in_a_hidden_folder_is_meant(tmp_path: Path) -> None:
    tree(tmp_path, ".tools/package/module.py", ".tools/token")
    assert may_read(
        tmp_path / ".tools/package/module.py", tmp_path, [tmp_path / ".tools/package"], home=tmp_path
    )
    assert not may_read(tmp_path / ".tools/token", tmp_path, [tmp_path / ".tools/package"], home=tmp_path)


def test_a_root_that_is_everything_is_nothing() -> None:
    assert not may_read(Path("/etc/shadow"), Path("/"), [])


def test_the_interpreter_and_its_modules(tmp_path: Path) -> None:
    for module in ("json", "pytest"):
        file = Path(str(__import__(module).__file__)).resolve()
        assert may_read(file, tmp_path, []), module
    assert may_read(Path(sys.executable).resolve(), tmp_path, [])


def test_editable_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed, project = tmp_path / "installed", tmp_path / "my project"
    tree(project, "module.py", ".env")
    tree(installed, "theirs-1.dist-info/direct_url.json")
    (installed / "theirs-1.dist-info" / "direct_url.json").write_text(
        f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}'
    )
    monkeypatch.syspath_prepend(str(installed))
    assert may_read(project / "module.py", tmp_path / "root", [])
    assert not may_read(project / ".env", tmp_path / "root", [])
