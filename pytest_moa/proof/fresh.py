"""One test file in a process that has imported nothing of the project: the proof of a witness."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_moa.running.items import Watcher
from pytest_moa.running.warm_session import BLOCKED, quieten_hypothesis


def ready(args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Import pytest, its plug-ins and what many tests use; nothing from below `args["root"]`."""
    for point in importlib.metadata.entry_points(group="pytest11"):
        if point.name not in BLOCKED:
            with contextlib.suppress(Exception):
                point.load()
    for name in ("asyncio", "datetime", "decimal", "json", "_pytest.assertion.rewrite", "unittest.mock"):
        importlib.import_module(name)
    root = Path(args["root"])
    own = [
        name
        for name, module in sys.modules.items()
        if (file := getattr(module, "__file__", None)) and Path(file).is_relative_to(root)
    ]
    for name in own:
        del sys.modules[name]
    serve({}, {})


def check(_: Any, args: Mapping[str, Any]) -> dict[str, Any]:
    """Run "test" (source of a module) with pytest under the settings of the tree "root", not its conftests.

    "ini" is its settings file or None, "options" are pytest's arguments. Returns {"passed", "message"}:
    whether there was a test and all of them passed.
    """
    file = Path(tempfile.mkdtemp()) / f"test_{args['name']}.py"
    file.write_text(args["test"], encoding="utf-8")
    sys.path.insert(0, args["root"])
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "COV_CORE_", "COVERAGE_"))]:
        del os.environ[name]
    watcher = _Counting()
    # The folders above must not be looked at: they are not readable, or somebody else's.
    own = ["--rootdir", str(file.parent), "--confcutdir", str(file.parent)]
    given = [
        *own,
        "-q",
        "--no-header",
        "--no-summary",
        "--assert=plain",
        "--capture=sys",
        "-o",
        "addopts=",
        "-p",
        "no:terminalprogress",
    ]
    given += ["-c", args["ini"]] if args["ini"] else ["-c", os.devnull]
    if pytest.version_tuple >= (9,):
        given += ["-o", "strict_markers=false", "-o", "strict_config=false"]
    for name in BLOCKED:
        given += ["-p", f"no:{name}"]
    if "hypothesis" in args["test"]:
        quieten_hypothesis()
    else:
        given += ["-p", "no:hypothesispytest"]
    pytest.main([*given, *args["options"], str(file)], plugins=[watcher])
    return {"passed": watcher.passed > 0 and not watcher.failed, "message": watcher.message}


class _Counting(Watcher):
    """Counts what passed and failed."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = self.failed = 0
        self.message = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        if report.failed:
            self.failed += 1
            self.message = self.message or str(report.longrepr)[-600:]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed += 1
            self.message = self.message or str(report.longrepr)[-600:]
