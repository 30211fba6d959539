"""What is published: the same bytes whoever builds it, each file of the packages, and no others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"moa_engine", "pytest_moa", "review_bot"}


def _files() -> list[str]:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("only a git checkout tells its files from what lies beside them")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _built(folder: Path, mode: int, **environment: str) -> Path:
    """A copy of the sources with its own times and permissions; no git: the version is what it would say."""
    source = folder / "source"
    for name in _files():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        target.chmod(mode)
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        folder / "dist",
        folder / "source",
    ]
    clean = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built(
        tmp_path_factory.mktemp("one"),
        0o644,
        SETUPTOOLS_SCM_PRETEND_VERSION="1.2.3",
        SOURCE_DATE_EPOCH="1700000000",
    )


def test_two_builds_are_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    again = _built(
        tmp_path,
        0o600,
        SETUPTOOLS_SCM_PRETEND_VERSION="1.2.3",
        SOURCE_DATE_EPOCH="1700000000",
        TZ="Asia/Tokyo",
        PYTHONHASHSEED="7",
    )
    names = sorted(file.name for file in dist.iterdir())
    assert names == ["pytest_moa-1.2.3-py3-none-any.whl", "pytest_moa-1.2.3.tar.gz"]
    for name in names:
        assert (dist / name).read_bytes() == (again / name).read_bytes(), name


def test_the_wheel_has_each_file_of_the_packages_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    metadata = {name for name in names if PurePosixPath(name).parts[0] == "pytest_moa-1.2.3.dist-info"}
    assert {PurePosixPath(name).name for name in metadata} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "LICENSE",
    }  # fmt: skip
    assert names - metadata == {name for name in _files() if PurePosixPath(name).parts[0] in PACKAGES}
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_the_sdist_has_what_its_tests_need(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == {*_files(), "PKG-INFO"}


def test_a_copy_of_the_files_without_git_can_be_installed_too(tmp_path: Path) -> None:
    """As the Action has them: its version is a development version, and pip does not mind."""
    names = sorted(file.name for file in _built(tmp_path, 0o644).iterdir())
    assert names == ["pytest_moa-0.1.0.dev0-py3-none-any.whl", "pytest_moa-0.1.0.dev0.tar.gz"]
