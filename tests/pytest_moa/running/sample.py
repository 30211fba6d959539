"""Small projects for these tests, and executors for them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant, mutants_of
from pytest_moa.project import Project
from pytest_moa.running.executor import Executor
from pytest_moa.running.facts import Kills


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files, dedented, below `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def executor(root: Path, *modules: str, **options: Any) -> Executor:
    """An executor for these files of the project, not entered."""
    project = Project.find(root)
    options = {"workers": 1, **options}
    return Executor(project, [project.module(root / module) for module in modules], **options)


def mutants(executor: Executor, module: str) -> list[Mutant]:
    """All mutants of the module."""
    return mutants_of(executor.source(module), module)


def statuses(kills: Kills) -> dict[tuple[str, str], str]:
    """What became of each mutant, by the texts before and after it."""
    return {(each.mutant.before, each.mutant.after): each.status for each in kills.verdicts.values()}


def candidate(source: str, target: str, *imports: str, support: str = "") -> Candidate:
    """A candidate whose test is the function in `source`."""
    source = textwrap.dedent(source).lstrip("\n")
    name = source.partition("def ")[2].partition("(")[0]
    return Candidate(target, name, source, imports, textwrap.dedent(support))
