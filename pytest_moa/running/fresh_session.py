"""The slow path, which is always right: a child that imports the changed module and then collects.

Its warm process has imported pytest and what the project takes from elsewhere, and nothing of the
project itself.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import pytest
from _pytest.assertion import rewrite

from pytest_moa.running.candidate_module import Broken, Unsafe, collect
from pytest_moa.running.items import Watcher, fail_fast, followed, silence
from pytest_moa.running.nested import finish, forked
from pytest_moa.running.warm_session import Warm, arguments, quieten_hypothesis, uses_hypothesis


def uncollected(args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Import "imports" (names of modules), as far as that brings none of "modules", and serve.

    The asserts of the test files "rewrite" are rewritten.
    """
    for name in args["imports"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if found := sorted(args["modules"].keys() & sys.modules.keys()):
        raise RuntimeError(f"{', '.join(found)} is imported by a package that is installed")
    for name in _packages_of_plugins() & sys.modules.keys():
        # pytest rewrites the asserts of its plug-ins' packages, and warns where it comes too late.
        module = sys.modules[name]
        module.__doc__ = f"{module.__doc__ or ''}\nPYTEST_DONT_REWRITE"
    _rewrite(args["rewrite"])
    serve(dict(args), {})


def _rewrite(files: Sequence[str]) -> None:
    """Rewrite the asserts of test files, so that children need not, where nobody has cached them."""
    original = rewrite._rewrite_test
    known = {}
    for file in files:
        with contextlib.suppress(Exception):  # who imports it will see it again
            known[file] = original(Path(file), None)  # type: ignore[arg-type]

    def remembered(path: Path, config: pytest.Config) -> Any:
        return known.get(str(path)) or original(path, config)

    rewrite._rewrite_test = remembered  # type: ignore[assignment]


def _packages_of_plugins() -> set[str]:
    return {
        str(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for entry in entry_points(group="pytest11")
        for file in (entry.dist.files if entry.dist is not None else None) or ()
    }


def fresh(state: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """Job: collect with "module" (a name) at "path" having "source", and run until a test fails.

    `args` also has "files" to collect and "wanted" (node ids, in the order to run in; None: all), or
    "candidates" (each with its "folder") of which all are run; "limit" in seconds of CPU time; "stop"
    after the first that fails. Returns {"status", "killers", "message", "passed" (ids), "seconds"}.
    """
    fork = forked(lambda tell: _Session(state, args, tell).run(), args["limit"])
    told: dict[str, list[Any]] = {}
    for line in fork.told:
        for key, value in line.items():
            told.setdefault(key, []).append(value)
    killers = told.get("kills", [])
    message = next(iter(told.get("message", [])), "")
    status = "killed" if killers or "message" in told else "survived"
    if fork.status == "timed out":
        status, message = ("timed_out" if not killers else status), message or "did not end in time"
        killers = killers or told.get("runs", [""])[-1:]
    elif fork.status != "returned":
        status, message = "killed", message or f"the process {fork.status}"
        killers = killers or told.get("runs", [""])[-1:]
    return {
        "status": status,
        "killers": killers,
        "message": message,
        "passed": told.get("passes", []),
        "seconds": fork.seconds,
    }


class _Session:
    """pytest from its start, with one module changed."""

    def __init__(
        self, state: Mapping[str, Any], args: Mapping[str, Any], tell: Callable[[Any], None]
    ) -> None:
        self.state = state
        self.args = args
        self.tell = tell
        self.watcher = Watcher()
        self.failed: list[str] = []

    def run(self) -> None:
        finder = _Changed(self.args["module"], self.args["path"], self.args["source"])
        sys.meta_path.insert(0, finder)
        pytest.main(arguments(self.state, self.args["files"]), plugins=[self])
        self.tell({"message": "pytest cannot start with it", "kills": ""})

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self.watcher, "moa-watcher")
        if uses_hypothesis(self.args["files"]):
            quieten_hypothesis()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> NoReturn:
        if self.failed:
            self.tell({"message": f"{self.failed[0]} cannot be imported with it", "kills": self.failed[0]})
            finish(self.tell)
        importlib.import_module(self.args["module"])
        silence(session.config)
        if self.args["candidates"] is None:
            self._run_wanted(session)
        else:
            self._run_candidates(session)
        finish(self.tell)  # what pytest does at the end of a session can take longer than the tests

    def _run_wanted(self, session: pytest.Session) -> None:
        items = list(session.items)
        if (wanted := self.args["wanted"]) is not None:
            place = {nodeid: number for number, nodeid in enumerate(wanted)}
            items = [item for item in items if item.nodeid in place]
            items.sort(key=lambda item: place[item.nodeid])
        fail_fast(session.config, items)
        for item, following in followed(items):
            self.tell({"runs": item.nodeid})
            ran = self.watcher.run(item, following)
            if ran.outcome == "failed":
                self.tell({"kills": item.nodeid, "message": ran.message})
                if self.args["stop"]:
                    return
            else:
                self.tell({"passes": item.nodeid})

    def _run_candidates(self, session: pytest.Session) -> None:
        warm = Warm(session, self.watcher, [], {}, {})
        for each in self.args["candidates"]:
            name = each["candidate"]["id"]
            self.tell({"runs": name})
            try:
                items = collect(warm, each["candidate"], each["folder"])
            except (Broken, Unsafe):
                self.tell({"kills": name})
                continue
            fail_fast(session.config, items)
            if self._fails(items):
                self.tell({"kills": name})
            else:
                self.tell({"passes": name})

    def _fails(self, items: Sequence[pytest.Item]) -> bool:
        return any(self.watcher.run(item, None).outcome == "failed" for item in items)


class _Changed(importlib.abc.MetaPathFinder):
    """Finds one module where everybody finds it, and loads another source."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self.name = name
        self.path = path
        self.source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec with our loader."""
        del path, target
        if fullname != self.name:
            return None
        locations = [str(Path(self.path).parent)] if Path(self.path).name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname,
            self.path,
            loader=_Loader(fullname, self.path, self.source),
            submodule_search_locations=locations,
        )


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads the changed source under the name of the file, and never looks for compiled code."""

    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self.changed = source

    def get_code(self, fullname: str) -> CodeType:
        """The changed source, compiled."""
        del fullname
        code: CodeType = compile(self.changed, self.path, "exec", dont_inherit=True)
        return code
