"""The whole search, in a real warm process, on a real module; what it finds runs under real pytest."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant, mutants_of, mutated_source
from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmProcess

from .hunting import SAMPLE

SECONDS = 6.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    (root / "till.py").write_text(SAMPLE.read_text())
    return root


@pytest.fixture(scope="module")
def events(project: Path) -> Iterator[list[dict[str, Any]]]:
    path = str(project / "till.py")
    with WarmProcess(
        root=project,
        preload="pytest_moa.search.preload:imported",
        preload_args={"module": "till"},
        python_path=[str(project)],
        limits=Limits(wall=60, cpu=60),
    ) as warm:
        report = warm.start()
        assert report["module"] == "till"
        args = {
            "module": "till",
            "path": path,
            "seconds": SECONDS,
            "seed": 1,
            "seeds": ["label('recorded', 3)"],
        }
        streamed: list[dict[str, Any]] = []
        ended = warm.call("pytest_moa.search.job:search", args, each=streamed.append)
        assert ended.status == "returned", ended.error
        assert ended.value == streamed
        yield streamed


@pytest.fixture(scope="module")
def candidates(events: list[dict[str, Any]]) -> list[Candidate]:
    return [Candidate.from_json(event["candidate"]) for event in events if "candidate" in event]


def _module(candidates: list[Candidate]) -> str:
    imports = sorted({one for candidate in candidates for one in candidate.imports})
    return "\n".join(imports) + "\n\n\n" + "\n\n".join(candidate.source for candidate in candidates)


def _pytest(folder: Path, tests: str, source: str) -> int:
    (folder / "till.py").write_text(source)
    (folder / "test_till.py").write_text(tests)
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-qx",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode


def _killed(events: list[dict[str, Any]]) -> set[str]:
    return {name for event in events for name in event.get("kills", ())}


def test_most_mutants_are_killed(events: list[dict[str, Any]]) -> None:
    mutants = mutants_of(SAMPLE.read_text(), "till")
    assert len(_killed(events)) > 0.7 * len(mutants)


def test_found_tests_pass_under_pytest(candidates: list[Candidate], tmp_path: Path) -> None:
    assert _pytest(tmp_path, _module(candidates), SAMPLE.read_text()) == 0


def test_claimed_kills_are_real(
    events: list[dict[str, Any]], candidates: list[Candidate], tmp_path: Path
) -> None:
    source = SAMPLE.read_text()
    killed = _killed(events)
    known = [one for one in mutants_of(source, "till") if one.id in killed]
    # One of each kind that takes another way: the body of a function, a method, a constant.
    chosen: list[Mutant] = []
    for wanted in (
        ("label", "function"),
        ("Till.sell", "function"),
        ("", "definition"),
    ):
        chosen += [one for one in known if (one.qualname, one.scope) == wanted][:1]
    assert len(chosen) == 3
    for mutant in chosen:
        tests = [
            candidate
            for candidate, event in zip(candidates, (one for one in events if "kills" in one), strict=True)
            if mutant.id in event["kills"]
        ]
        assert _pytest(tmp_path, _module(tests[:1]), mutated_source(source, mutant)) == 1


def test_names_and_sources_are_readable(candidates: list[Candidate]) -> None:
    mutants = {one.id for one in mutants_of(SAMPLE.read_text(), "till")}
    names = [candidate.name for candidate in candidates]
    assert len(set(names)) == len(names)
    for candidate in candidates:
        assert re.fullmatch(r"test_[a-z][a-z0-9_]*", candidate.name)
        assert not re.search(r"var_\d|mutant|0x[0-9a-f]{4}", candidate.source)
        assert not any(name in candidate.source for name in mutants)
        assert re.search(r"\bassert\b|pytest\.raises", candidate.source)
        ast.parse(candidate.module_source())


def test_time_and_chance_are_held_or_left_alone(candidates: list[Candidate]) -> None:
    for candidate in candidates:
        if "opened_at()" in candidate.source:
            assert "monkeypatch.setattr" in candidate.source
        if "lottery()" in candidate.source:
            assert "random.seed(" in candidate.source


def test_state_output_and_changed_arguments_are_asserted(candidates: list[Candidate]) -> None:
    text = "\n".join(candidate.source for candidate in candidates)
    assert "capsys.readouterr().out ==" in text
    assert re.search(r"extend\((\w+), .*\)\n    assert \1 == \[", text)
    assert "till.sell(" in text
    assert re.search(r"pytest.raises\(TillError, match=\"\^nothing is for free\$\"\)", text)


def test_cases_say_what_their_source_says(candidates: list[Candidate]) -> None:
    cases = [candidate for candidate in candidates if candidate.case is not None]
    assert cases
    for candidate in cases:
        assert candidate.case is not None
        assert candidate.case.call in candidate.source
        assert candidate.case.expected in candidate.source
