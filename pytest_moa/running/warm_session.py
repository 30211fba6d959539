"""The preload of a warm process that has configured pytest, imported the targets and collected the tests.

It runs nothing: whatever ran here once would be in every child, and parametrised values that a test
changes would be changed for all. What a child then runs is an item *object* of this session, never a
node id that is parsed again: ids such as `test[[-1, 'x']--1]` do not survive a command line.
"""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from pytest_moa.code.probes import Probes
from pytest_moa.mutation.install import prepare
from pytest_moa.running.at_import import Recorder
from pytest_moa.running.changes import Held
from pytest_moa.running.items import Watcher, silence

#: Plug-ins that would change, repeat, reorder or end tests without being asked to, by entry point.
BLOCKED: Final = (
    "cacheprovider",
    "faulthandler",
    "flaky",
    "gremlins",
    "memray",
    "moa",
    "randomly",
    "rerunfailures",
    "sugar",
    "testmon",
    "timeout",
)

#: Said by tests that use Hypothesis; it is imported in the parent only then, for its settings.
_HYPOTHESIS: Final = re.compile(rb"^\s*(?:from|import)\s+hypothesis\b", re.MULTILINE)


@dataclass
class Warm:
    """What a child finds: the session with all that was collected, and the modules under test."""

    session: pytest.Session
    watcher: Watcher
    items: list[pytest.Item]
    sources: dict[str, str]  #: by module name, as they were when it was imported
    probes: dict[str, Probes]  #: by module name; not installed
    folders: dict[Path, pytest.Collector] = field(default_factory=dict)
    held: Held = field(default_factory=lambda: Held({}))

    def folder(self, path: Path) -> pytest.Collector:
        """The node of a test folder with its conftests loaded, or of the nearest one that there is."""
        root = self.session.config.rootpath
        while not path.is_dir() and path != root and path.parent != path:
            path = path.parent
        if path not in self.folders:
            above = path == root or not path.is_relative_to(root)
            parent = self.session if above else self.folder(path.parent)
            node = parent.ihook.pytest_collect_directory(path=path, parent=parent)
            node.ihook.pytest_make_collect_report(collector=node)  # what loads its conftest
            self.folders[path] = node
        return self.folders[path]


def collected(args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Configure pytest as the project does, collect, import the modules, and serve.

    `args`: "root", "ini" (or None), "tests" (paths), "folders" (where candidates will be), "options"
    (arguments for pytest), "modules" ({name: path}), "mutants" (False: none will be put into
    them). Reports {"items": [{"nodeid", "file"}],
    "errors": [{"path", "message"}], "modules": {name: {"name": under which it is imported, "error",
    "branches": {qualname: ids}, "missing": qualnames without probes, "ran": those that ran before any test,
    None if not known}}, "imported": names of modules, "threads": names of those that were started}.

    Raises:
        RuntimeError: pytest ended before it had collected; its output says why.
    """
    plugin = _Serving(args, serve)
    if args.get("record"):
        plugin.recorder.start_with(args["modules"].keys())
    code = pytest.main(arguments(args, args["tests"]), plugins=[plugin])
    if not plugin.served:
        raise RuntimeError(f"pytest ended with exit code {int(code)} before it ran tests")


def arguments(args: Mapping[str, Any], tests: Iterable[str]) -> list[str]:
    """pytest's arguments: the project's settings without its `addopts`, and nothing that repeats or hides."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "COV_CORE_", "COVERAGE_"))]:
        if name not in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"):
            del os.environ[name]
    tempfile.tempdir = None  # looked up before this process had a folder of its own
    given = ["--rootdir", args["root"], "--capture=sys", "--continue-on-collection-errors"]
    given += ["-c", args["ini"]] if args["ini"] else []
    given += ["-o", "addopts=", "-p", "no:terminalprogress"]
    if pytest.version_tuple >= (9,):  # a blocked plug-in's markers and settings are nobody's now
        given += ["-o", "strict_markers=false", "-o", "strict_config=false"]
    for name in BLOCKED:
        given += ["-p", f"no:{name}"]
    return [*given, *args["options"], *tests]


class _Serving:
    """The plug-in that collects without running, and serves where pytest would run."""

    def __init__(self, args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
        self.args = args
        self.serve = serve
        self.served = False
        self.watcher = Watcher()
        self.recorder = Recorder()
        self.folders: dict[Path, pytest.Collector] = {}
        self.errors: list[dict[str, str]] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self.watcher, "moa-watcher")
        if uses_hypothesis(self.args["tests"]):
            quieten_hypothesis()

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        # What is lost while importing (a file that nobody closed) would be reported by the next test
        # to run, which is the first of every child.
        hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
        try:
            result = yield
            gc.collect()
        finally:
            sys.unraisablehook = hook
        return result

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        if isinstance(collector, pytest.Directory):
            self.folders[collector.path] = collector

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append({"path": report.nodeid, "message": str(report.longrepr)})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.served = True
        silence(session.config)
        modules: dict[str, dict[str, Any]] = {}
        imported: dict[str, ModuleType] = {}
        sources, probes = {}, {}
        for wanted, path in self.args["modules"].items():
            name = imported_as(wanted, path)
            modules[wanted] = {"name": name, "error": "", "branches": {}, "missing": [], "ran": None}
            try:
                module = importlib.import_module(name)
                if elsewhere := _elsewhere(module, path):
                    modules[wanted]["error"] = f"the tests import {elsewhere} under that name"
                else:
                    imported[wanted] = module
            except BaseException as error:  # whatever the module does while it is imported
                modules[wanted]["error"] = f"{type(error).__name__}: {error}"
        self.recorder.stop()
        for wanted, module in imported.items():
            told, path = modules[wanted], self.args["modules"][wanted]
            name = told["name"]
            try:
                source = sources[name] = Path(path).read_text(encoding="utf-8")
                probes[name] = Probes.of(source, path)
                if self.args.get("mutants", True):
                    ran = self.recorder.ran(source, path)
                    told["ran"] = None if ran is None else sorted(ran)
                    prepare(source, module, ran)
                told["missing"] = sorted(probes[name].install(module))
                told["branches"] = {
                    qualname: sorted(branches) for qualname, branches in probes[name].by_function.items()
                }
            except BaseException as error:  # what it has put in the place of its own names, too
                told["error"] = f"{type(error).__name__}: {error}"
        warm = Warm(session, self.watcher, list(session.items), sources, probes, self.folders)
        warm.held = Held(sources)
        for folder in self.args["folders"]:
            warm.folder(Path(folder))
        gc.collect()
        gc.freeze()
        root = session.config.rootpath
        items = [{"nodeid": item.nodeid, "file": str(item.path)} for item in warm.items]
        report = {"items": items, "errors": self.errors, "modules": modules, "imported": foreign(root)}
        self.serve(warm, {**report, "threads": [thread.name for thread in threading.enumerate()[1:]]})
        return True


def _elsewhere(module: ModuleType, path: str) -> str:
    """The file that was imported instead of `path`, "" if it is the same."""
    file = module.__file__ or ""
    return "" if file and os.path.realpath(file) == os.path.realpath(path) else file or "no file"


def foreign(root: Path) -> list[str]:
    """Names of the modules that are imported and not the project's own."""
    return [
        name
        for name, module in sys.modules.items()
        if name != "__main__"
        and isinstance(file := getattr(module, "__file__", None), str)
        and ("site-packages" in file or not Path(file).is_relative_to(root))
    ]


def imported_as(name: str, path: str) -> str:
    """The name under which the file is imported already, `name` if under that or not at all."""
    names = [known for known, module in sys.modules.items() if getattr(module, "__file__", None) == path]
    return name if name in names or not names else names[0]


def uses_hypothesis(tests: Iterable[str]) -> bool:
    """Whether a test file imports it."""
    for test in map(Path, tests):
        files = test.rglob("*.py") if test.is_dir() else [test]
        if any(_HYPOTHESIS.search(file.read_bytes()) for file in files if file.is_file()):
            return True
    return False


def quieten_hypothesis() -> None:
    """Make its tests do the same in every child, in little time, and write nothing."""
    hypothesis = importlib.import_module("hypothesis")
    hypothesis.settings.register_profile(
        "moa",
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=25,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("moa")
