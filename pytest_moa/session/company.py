"""Whether new tests get along with the rest of their file: the whole of it is run before it is written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from moa_engine.errors import MoaError
from pytest_moa.placing.placing import Change
from pytest_moa.placing.source_file import SourceFile, parsed
from pytest_moa.project import Project
from pytest_moa.sandbox import Limits, probe
from pytest_moa.suggestions import Suggestions
from pytest_moa.warm import WarmFailed, WarmProcess

#: What one run of a file may use: the user's own tests are in it.
LIMITS = Limits(wall=120, cpu=120, memory=4 << 30, processes=256, file_bytes=1 << 30, output_bytes=64 << 20)

#: Variables that decide which plug-ins pytest loads: the user's choice stays.
_PLUGINS = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS")


class Unknown(MoaError):
    """A file cannot be run here, so nobody knows how its tests get along."""


class Company:
    """Runs test files as they would be, in the sandbox, without writing them; a context manager."""

    def __init__(self, config: pytest.Config, found: Suggestions) -> None:
        self._config = config
        self._targets = tuple({one.target.path for one in found.targets})
        self._processes: dict[int, WarmProcess] = {}
        self._known: dict[tuple[str, bytes, int], Mapping[str, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.close()

    def failures(self, path: str, content: bytes, *, hash_seed: int = 0) -> Mapping[str, str]:
        """How each test of a file fails that has this content, by its id within the file; "" is the import.

        Raises:
            Unknown: it cannot be run, or not to its end in time.
        """
        known = path, content, hash_seed
        if known not in self._known:
            self._known[known] = self._run(path, content, hash_seed)
        return self._known[known]

    def broken_by(self, change: Change, *, hash_seed: int = 0) -> Mapping[str, str]:
        """What fails in a file after a change and did not before, by its id within the file.

        Raises:
            Unknown: as `failures`.
        """
        after = self.failures(change.path, change.after, hash_seed=hash_seed)
        if not after or change.before is None:
            return after
        before = self.failures(change.path, change.before, hash_seed=hash_seed)
        return {name: message for name, message in after.items() if name not in before}

    def _run(self, path: str, content: bytes, hash_seed: int) -> Mapping[str, str]:
        args = {
            "path": str(self._config.rootpath / path),
            "text": SourceFile.of(path, content).text,
        }
        try:
            ended = self._process(hash_seed).call("pytest_moa.session.whole_file:run", args, limits=LIMITS)
        except WarmFailed as error:
            said = error.output.strip().splitlines()[-1:]
            raise Unknown(f"pytest cannot start in the sandbox: {' '.join(said) or error.message}") from error
        failed: dict[str, str] = {}
        running = ""
        for told in ended.value or ():
            if "runs" in told:
                running = told["runs"]
            elif told["message"]:
                failed[running] = told["message"]
        if ended.status == "timed_out":
            raise Unknown(
                f"{path} did not end within {LIMITS.wall:g} s, {running or 'its import'} was running"
            )
        if ended.status != "returned":
            failed[running] = (
                f"it ended the process: {(ended.error.strip().splitlines() or [ended.status])[-1]}"
            )
        return failed

    def _process(self, hash_seed: int) -> WarmProcess:
        if hash_seed in self._processes:
            return self._processes[hash_seed]
        confined = bool(probe().layers)
        if not confined and not self._config.getoption("--moa-unsafe"):
            raise Unknown(
                "nothing on this machine can confine tests", hint="--moa-unsafe runs them all the same."
            )
        project = Project.of_config(self._config)
        roots = dict.fromkeys([*project.python_path, *self._import_roots(project)])
        process = WarmProcess(
            root=project.root,
            preload="pytest_moa.session.whole_file:configured",
            preload_args={
                "root": str(project.root),
                "ini": str(project.ini) if project.ini else None,
                "options": list(project.options),
            },
            python_path=[str(path) for path in roots],
            readable=[*roots, *project.installed_path, *project.test_paths],
            limits=LIMITS,
            confined=confined,
            environ={name: os.environ[name] for name in _PLUGINS if name in os.environ},
            hash_seed=hash_seed,
        )
        process.start()
        self._processes[hash_seed] = process
        return process

    def _import_roots(self, project: Project) -> list[Path]:
        found: list[Path] = []
        for path in self._targets:
            try:
                found.append(project.module(project.root / path).import_root)
            except MoaError:
                continue  # it is gone: its tests will say so
        return found


def name_in(change: Change, id: str) -> str:
    """What a test that a change adds is called in the file."""
    return str(getattr(parsed(change.added[id]).body[-1], "name", ""))


def is_of(test: str, name: str) -> bool:
    """Whether an id within a file is of this function, or of this class's test."""
    return test.partition("[")[0].partition("::")[0] == name
