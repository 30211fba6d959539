"""Where a project's modules and tests are, and under which names."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_moa.project import Project, TargetError


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("layout", "path", "name", "root"),
    [
        pytest.param({"mod.py": ""}, "mod.py", "mod", ".", id="flat"),
        pytest.param({"pkg/__init__.py": "", "pkg/mod.py": ""}, "pkg/mod.py", "pkg.mod", ".", id="package"),
        pytest.param(
            {"src/pkg/__init__.py": "", "src/pkg/mod.py": ""}, "src/pkg/mod.py", "pkg.mod", "src", id="src"
        ),
        pytest.param(
            {"src/pkg/__init__.py": ""}, "src/pkg/__init__.py", "pkg", "src", id="a package's own file"
        ),
        pytest.param(
            {
                "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['lib']",
                "lib/space/pkg/__init__.py": "",
                "lib/space/pkg/mod.py": "",
            },
            "lib/space/pkg/mod.py",
            "space.pkg.mod",
            "lib",
            id="namespace package below pythonpath",
        ),
        pytest.param(
            {
                "space/pkg/mod.py": "",
                "tests/test_mod.py": "from space.pkg.mod import thing\n",
            },
            "space/pkg/mod.py",
            "space.pkg.mod",
            ".",
            id="namespace package as the tests import it",
        ),
        pytest.param(
            {
                "src/__init__.py": "",
                "src/mod.py": "",
                "tests/test_mod.py": "import src.mod as mod\n",
            },
            "src/mod.py",
            "src.mod",
            ".",
            id="src that is a package",
        ),
    ],
)
def test_a_module_has_the_name_under_which_tests_import_it(
    tmp_path: Path, layout: Mapping[str, str], path: str, name: str, root: str
) -> None:
    write(tmp_path, {"pyproject.toml": "", **layout})
    module = Project.find(tmp_path / path).module(tmp_path / path)
    assert module.name == name
    assert module.import_root == (tmp_path / root).resolve()


def test_a_file_without_a_possible_name_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "", "my-script.py": ""})
    with pytest.raises(TargetError, match="cannot be imported under any name"):
        Project.find(tmp_path).module(tmp_path / "my-script.py")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.toml", "[pytest]\ntestpaths = ['checks']\npythonpath = 'lib other'\naddopts = ['-p', 'x']"),
        (
            "pyproject.toml",
            "[tool.pytest]\ntestpaths = ['checks']\npythonpath = ['lib', 'other']\naddopts = ['-p', 'x']",
        ),
        ("pytest.ini", "[pytest]\ntestpaths = checks\npythonpath = lib other\naddopts = -p x --cov"),
        ("tox.ini", "[tox]\n[pytest]\ntestpaths =\n  checks\npythonpath = lib\n  other\naddopts = -p x -n 4"),
        ("setup.cfg", "[tool:pytest]\ntestpaths = checks\npythonpath = lib other\naddopts = -v -p x"),
    ],
)
def test_settings_are_found_where_pytest_finds_them(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, {file: text, "checks/test_a.py": "", "lib/deep/mod.py": ""})
    project = Project.find(tmp_path / "lib" / "deep" / "mod.py")
    assert project.root == tmp_path
    assert project.ini == tmp_path / file
    assert project.test_paths == (tmp_path / "checks",)
    assert project.python_path == (tmp_path / "lib", tmp_path / "other")
    assert project.options == ("-p", "x")


def test_of_addopts_stays_what_decides_how_one_test_runs() -> None:
    from pytest_moa.running.pytest_ini import kept_options

    given = "-ra --cov=pkg --cov-fail-under=90 -n auto --import-mode=importlib --doctest-modules -x -W error"
    assert kept_options(given.split()) == ("--import-mode=importlib", "--doctest-modules", "-W", "error")


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "[tool.pytest\n", "mod.py": ""})
    with pytest.raises(Exception, match=r"pyproject\.toml cannot be read"):
        Project.find(tmp_path / "mod.py")


def test_the_tests_of_a_monorepo_are_the_nearest(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pytest.ini": "[pytest]",
            "tests/test_all.py": "",
            "packages/a/src/a/__init__.py": "",
            "packages/a/tests/test_a.py": "",
        },
    )
    project = Project.find(tmp_path / "packages/a/src/a/__init__.py")
    assert project.root == tmp_path
    assert project.test_paths == (tmp_path / "packages/a/tests",)


SOURCE = """
import sys

def plain(): ...

class Kind:
    @property
    def size(self):
        def inner(): ...
        return inner

    def grow(self): ...

if sys.version_info > (3,):
    async def later(): ...
"""


def test_a_target_is_a_file_a_function_a_class_or_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path,
        {"pyproject.toml": "", "pkg/mod.py": SOURCE, "pkg/other.py": "def other(): ...", "test_x.py": ""},
    )
    monkeypatch.chdir(tmp_path)
    project = Project.find(tmp_path)
    everything = ["plain", "Kind.size", "Kind.grow", "later"]

    def named(text: str) -> list[str]:
        return [target.qualname for target in project.targets(text)]

    assert named("pkg/mod.py") == everything
    assert named("pkg/mod.py::plain") == ["plain"]
    assert named("pkg/mod.py::Kind") == ["Kind.size", "Kind.grow"]
    assert named("pkg/mod.py::Kind.grow") == ["Kind.grow"]
    assert named("pkg") == [*everything, "other"]
    size = project.targets("pkg/mod.py::Kind.size")[0]
    assert (size.first_line, size.last_line) == (7, 10)
    assert size.name == "pkg/mod.py::Kind.size"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gone.py", "gone.py: no such file or folder"),
        ("mod.py::nothing", "mod.py: no function 'nothing'"),
        ("empty.py", "empty.py: no functions are in this file"),
        ("wrong.py", "wrong.py:2: syntax error"),
        (".::plain", "a folder has no functions"),
    ],
)
def test_what_is_no_target_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    write(
        tmp_path,
        {
            "mod.py": "def plain(): ...",
            "empty.py": "",
            "wrong.py": "def plain(): ...\nif\n",
            "pytest.ini": "",
        },
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match=message.replace("(", r"\(")):
        Project.find(tmp_path).targets(text)


def test_sources_leave_out_tests_and_what_is_installed(tmp_path: Path) -> None:
    files = ["pkg/a.py", "pkg/test_a.py", "pkg/conftest.py", "tests/lib.py", ".hidden/b.py", "build/c.py"]
    write(tmp_path, {"pytest.ini": "", "env/pyvenv.cfg": "", "env/d.py": "", **dict.fromkeys(files, "")})
    assert list(Project.find(tmp_path).sources(tmp_path)) == [tmp_path / "pkg/a.py"]


def test_a_folder_of_code_whose_doctests_are_run_is_no_folder_of_tests(tmp_path: Path) -> None:
    write(tmp_path, {"src/pkg/mod.py": "", "checks/test_mod.py": "", "tests/helpers.py": ""})
    folders = {name: tmp_path / name for name in ("src", "checks", "tests")}
    project = Project(tmp_path, test_paths=tuple(folders.values()))
    assert project.test_folders == {folders["checks"], folders["tests"]}
    assert list(project.sources(tmp_path)) == [tmp_path / "src/pkg/mod.py"]
