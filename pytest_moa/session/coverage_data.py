"""What a pytest-cov run of the same session measured: read, not repeated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.target import Target


class Measured:
    """The coverage data of a session that ran with pytest-cov."""

    def __init__(self, coverage: Any) -> None:
        self._coverage = coverage

    @classmethod
    def of(cls, config: pytest.Config) -> Measured | None:
        """What pytest-cov measured in this session; None if it did not."""
        plugin: Any = config.pluginmanager.getplugin("_cov")
        coverage = getattr(getattr(plugin, "cov_controller", None), "cov", None)
        return None if coverage is None else cls(coverage)

    def missed_lines(self, root: Path, targets: Iterable[Target]) -> dict[str, tuple[int, ...]]:
        """The lines that no test ran, by `Target.name`; without files that were not measured."""
        measured = set(self._coverage.get_data().measured_files())
        found: dict[str, tuple[int, ...]] = {}
        for target in targets:
            path = str((root / target.path).resolve())
            if path in measured:
                missing = self._coverage.analysis2(path)[3]
                found[target.name] = tuple(
                    line for line in missing if target.first_line <= line <= target.last_line
                )
        return found

    def reaching(self, root: Path, targets: Iterable[Target]) -> dict[str, set[str]]:
        """The tests that ran a line of each target's body, where contexts were measured (--cov-context)."""
        data = self._coverage.get_data()
        found: defaultdict[str, set[str]] = defaultdict(set)
        for target in targets:
            contexts = data.contexts_by_lineno(str((root / target.path).resolve()))
            for line in range(target.first_line + 1, target.last_line + 1):
                found[target.name] |= {
                    context.rpartition("|")[0] for context in contexts.get(line, ()) if "|" in context
                }
        return {name: tests for name, tests in found.items() if tests}
