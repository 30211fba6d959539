"""What the user's own tests do with the targets: which tests reach which branches, with which arguments."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_moa.code import Probes
from pytest_moa.session.calls import Calls, constructors
from pytest_moa.suggestions import RecordedCall
from pytest_moa.target import Target


@dataclass(slots=True)
class Recording:
    """What one process saw. Targets by `Target.name`, tests by node id."""

    branches: dict[str, set[str]] = field(default_factory=dict)  #: all that a target has
    reached: dict[str, dict[str, set[str]]] = field(default_factory=dict)  #: test -> target -> branches
    failed: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  #: of each test
    left_out: set[str] = field(default_factory=set)  #: tests marked `moa(skip=True)`
    calls: list[RecordedCall] = field(default_factory=list)

    def merge(self, other: Recording) -> None:
        """Add what another process saw."""
        for target, ids in other.branches.items():
            self.branches.setdefault(target, set()).update(ids)
        for test, targets in other.reached.items():
            mine = self.reached.setdefault(test, {})
            for target, ids in targets.items():
                mine.setdefault(target, set()).update(ids)
        self.failed |= other.failed
        self.seconds |= other.seconds
        self.files |= other.files
        self.left_out |= other.left_out
        known = {(call.target, call.source) for call in self.calls}
        self.calls += [call for call in other.calls if (call.target, call.source) not in known]

    def dumps(self) -> str:
        """As text, for the way from a worker to the controller."""
        return json.dumps(asdict(self), default=sorted)

    @classmethod
    def loads(cls, text: str) -> Recording:
        """What `dumps` wrote in a worker of this session."""
        data = json.loads(text)
        return cls(
            branches={target: set(ids) for target, ids in data["branches"].items()},
            reached={
                test: {target: set(ids) for target, ids in targets.items()}
                for test, targets in data["reached"].items()
            },
            failed=set(data["failed"]),
            seconds=data["seconds"],
            files=data["files"],
            left_out=set(data["left_out"]),
            calls=[
                RecordedCall(
                    **{
                        **call,
                        "arguments": tuple((name, source) for name, source in call["arguments"]),
                        "imports": tuple(call["imports"]),
                    }
                )
                for call in data["calls"]
            ],
        )


@dataclass(slots=True)
class _Module:
    """A module with targets: its probes once it was imported, None before."""

    name: str
    path: Path
    targets: dict[str, str]  #: qualname -> `Target.name`
    owners: dict[str, str] = field(default_factory=dict)  #: branch -> `Target.name`
    probes: Probes | None = None


class Recorder:
    """Watches the targets from when collection has finished to the end of the session."""

    def __init__(self, root: Path, targets: Sequence[Target]) -> None:
        self.recording = Recording()
        self._calls = Calls()
        modules: dict[str, _Module] = {}
        for target in targets:
            module = modules.setdefault(target.module, _Module(target.module, root / target.path, {}))
            module.targets[target.qualname] = target.name
        self._waiting = list(modules.values())
        self._watched: list[_Module] = []

    def install(self) -> None:
        """Put probes into the modules that are imported by now; the others wait for the next call."""
        for module in list(self._waiting):
            loaded = sys.modules.get(module.name)
            if loaded is not None and _is(loaded, module.path):
                self._waiting.remove(module)
                self._watch(module, loaded)

    def uninstall(self) -> None:
        """Take all probes out again."""
        for module in self._watched:
            if module.probes is not None:
                module.probes.uninstall()

    @contextmanager
    def test(self, nodeid: str, file: str, *, left_out: bool) -> Iterator[None]:
        """Attribute what happens to one test."""
        self.install()
        for module in self._watched:
            if module.probes is not None:
                module.probes.clear()
        self._calls.test = nodeid
        try:
            yield
        finally:
            reached: defaultdict[str, set[str]] = defaultdict(set)
            for module in self._watched:
                for branch in module.probes.hits if module.probes is not None else ():
                    if branch in module.owners:
                        reached[module.owners[branch]].add(branch)
            if reached:
                mine = self.recording.reached.setdefault(nodeid, {})
                for target, ids in reached.items():
                    mine.setdefault(target, set()).update(ids)
                self.recording.files[nodeid] = file
                if left_out:
                    self.recording.left_out.add(nodeid)

    def finished(self, nodeid: str, *, failed: bool, seconds: float) -> None:
        """Note the outcome of one phase of a test."""
        if failed:
            self.recording.failed.add(nodeid)
        if nodeid in self.recording.reached:
            self.recording.seconds[nodeid] = self.recording.seconds.get(nodeid, 0.0) + seconds

    def result(self) -> Recording:
        """All that was seen so far."""
        self.recording.calls = self._calls.recorded()
        return self.recording

    def _watch(self, module: _Module, loaded: ModuleType) -> None:
        try:
            source = importlib.util.decode_source(module.path.read_bytes())
            wanted = {*module.targets, *constructors(module.targets)}
            on_enter = self._calls.observer(loaded, source, module.targets)
            probes = Probes.of(source, str(loaded.__file__), wanted, on_enter=on_enter)
        except (OSError, SyntaxError, UnicodeDecodeError):
            return  # it changed after it was imported; the run itself will say what is wrong with it
        self._calls.hits[module.name] = probes.hits
        probes.install(loaded)
        for qualname, name in module.targets.items():
            ids = probes.by_function.get(qualname, frozenset())
            self.recording.branches[name] = set(ids)
            module.owners.update(dict.fromkeys(ids, name))
        module.probes = probes
        self._watched.append(module)


def _is(module: ModuleType, path: Path) -> bool:
    file: Any = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).resolve() == path.resolve()
