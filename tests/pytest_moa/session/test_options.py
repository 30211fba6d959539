"""Options that make no sense, and what named targets mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from pytest_moa.project import Project
from pytest_moa.session.options import Options
from pytest_moa.session.targets import Chosen, choose, dumped, loaded, ranked
from pytest_moa.target import Target


@pytest.fixture(autouse=True)
def _only_named_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def options(pytester: pytest.Pytester, *given: str) -> Options:
    return Options.of(pytester.parseconfig("-p", "pytest_moa.plugin", "--moa", *given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--moa-base", "HEAD", "--moa-all"], "--moa-base says what changed"),
        (["--moa-max", "0"], "--moa-max: 0 is less than one suggestion"),
        (["--moa-seconds", "nan"], "--moa-seconds: nan is no time"),
        (["--moa-budget", "-1"], "--moa-budget: -1 is no sum of money"),
        (["--moa-fail-under", "101"], "--moa-fail-under: 101 is no percentage"),
        (["--moa-accept", "--moa-review"], "give one of them"),
        (["--moa-report", "nowhere/report.json"], "--moa-report: nothing can be written into"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    pytester: pytest.Pytester, given: list[str], message: str
) -> None:
    with pytest.raises(pytest.UsageError, match=message):
        options(pytester, *given)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    for path, text in {
        "pyproject.toml": "",
        "src/shop/rates.py": "def price(x): ...\n\n\nclass Zone:\n    def name(self): ...\n",
        "src/shop/area.py": "def area(x): ...\n",
        "src/shop/broken.py": "def broken(:\n",
        "tests/test_rates.py": "def test_a(): ...\n",
        "tests/tool.py": "def tool(): ...\n",
    }.items():
        (pytester.path / path).parent.mkdir(parents=True, exist_ok=True)
        (pytester.path / path).write_text(text)
    return Project.find(pytester.path)


def chosen(pytester: pytest.Pytester, project: Project, *given: str) -> tuple[list[str], Chosen]:
    found = choose(project, options(pytester, *given))
    return [f"{Path(one.path).name}::{one.qualname}" for one in found.targets], found


def test_named_targets_come_once_and_in_order(pytester: pytest.Pytester, project: Project) -> None:
    named = ("--moa-target", "src/shop/rates.py::Zone", "--moa-target", "src/shop/rates.py")
    assert chosen(pytester, project, *named)[0] == ["rates.py::Zone.name", "rates.py::price"]


def test_everything_is_the_code_and_not_the_tests(pytester: pytest.Pytester, project: Project) -> None:
    names, found = chosen(pytester, project, "--moa-all")
    assert names == ["area.py::area", "rates.py::price", "rates.py::Zone.name"]
    assert [one.target for one in found.skipped] == ["src/shop/broken.py"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nowhere.py", "nowhere.py: no such file or folder"),
        ("src/shop/rates.py::cost", "no function 'cost'"),
        ("src/shop/broken.py", "src/shop/broken.py:1: syntax error"),
    ],
)
def test_a_target_that_is_not_there_is_an_error(
    pytester: pytest.Pytester, project: Project, named: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen(pytester, project, "--moa-target", named)


def test_targets_travel_to_workers_and_back() -> None:
    targets = [Target("a.py", "a", "f", 1, 2, "changed")]
    assert loaded(dumped(targets)) == targets


def test_without_a_repository_there_is_a_reason(
    pytester: pytest.Pytester, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(pytester.path.parent))
    names, found = chosen(pytester, project)
    assert names == []
    assert "is not in a git repository, so nobody knows what changed" in found.nothing


def test_targets_with_most_open_branches_come_first() -> None:
    names = ("small", "wide", "covered", "unknown")
    targets = [Target("a.py", "a", name, 1, 2) for name in names]
    branches = {"a.py::small": {"1"}, "a.py::wide": {"1", "2", "3"}, "a.py::covered": {"1", "2", "3", "4"}}
    reached = {"a.py::covered": {"1", "2", "3", "4"}, "a.py::wide": {"1"}}
    order = [target.qualname for target in ranked(targets, branches, reached)]
    assert order == ["unknown", "wide", "small", "covered"]
