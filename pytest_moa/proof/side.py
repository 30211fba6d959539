"""One version, live in a warm process: what it imports before it serves, and the jobs that run programs.

State: {"modules": names under which the changed modules were imported, "sources", "probes", "surfaces"}.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_moa.code import Probes
from pytest_moa.proof import running
from pytest_moa.proof.conforming import violations
from pytest_moa.proof.observing import Observer
from pytest_moa.proof.telling import told
from pytest_moa.proof.texts import hide
from pytest_moa.search.surface import surface_of

#: Results that are sent together: what a crash of the child loses.
CHUNK = 100

#: After so many programs that did not end, the others of the batch get a fifth of the time.
MOST_LATE = 3


def imported(args: Mapping[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Import `args["modules"]`, {name: path}, of the tree `args["root"]`, and serve.

    Reports {"errors": {name: why}, "branches": {name: {qualname: ids}}}.
    """
    state: dict[str, Any] = {"probes": {}, "surfaces": {}}
    hide(args["root"])
    errors: dict[str, str] = {}
    branches: dict[str, dict[str, list[str]]] = {}
    for name, path in args["modules"].items():
        try:
            module = importlib.import_module(name)
        except BaseException as error:  # whatever a module does while it is imported
            errors[name] = f"{type(error).__name__}: {error}"
            continue
        file = getattr(module, "__file__", None)
        if file is None or Path(file).resolve() != Path(path).resolve():
            errors[name] = f"{name} is imported from {file}, not from this tree"
            continue
        prepare(state, name, path)
        branches[name] = {
            qualname: sorted(ids) for qualname, ids in state["probes"][name].by_function.items()
        }
    for name in ("asyncio", "pytest_moa.proof.generating", "pytest_moa.proof.telling"):
        importlib.import_module(name)
    serve(state, {"errors": errors, "branches": branches})


def prepare(state: dict[str, Any], name: str, path: str) -> None:
    """Put probes into an imported module and look at its surface."""
    with tokenize.open(path) as file:
        source = file.read()
    module = sys.modules[name]
    with _at_home(module, source):
        state["surfaces"][name] = surface_of(module, source)
    probes = Probes.of(source, path)
    probes.install(module)
    state["probes"][name] = probes


@contextlib.contextmanager
def _at_home(module: ModuleType, source: str) -> Iterator[None]:
    """Let classes say that they are of the module that defines them, where a package has renamed it."""
    defined = {node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    moved = [
        (value, value.__module__)
        for name, value in vars(module).items()
        if name in defined and isinstance(value, type) and value.__module__ != module.__name__
    ]
    try:
        for value, _ in moved:
            value.__module__ = module.__name__
        yield
    finally:
        for value, was in moved:
            value.__module__ = was


def run(state: Mapping[str, Any], args: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Run "programs", each {"code", "imports", "module"}, for at most "seconds" each; "detail": tell all.

    Yields lists of what each did, in their order: {"digest", "late", "refused", "raised", "hits"} and
    with "detail" all of `told`.
    """
    seen: set[str] = set()
    chunk: list[dict[str, Any]] = []
    late = 0
    for program in args["programs"]:
        seconds = args["seconds"] if late < MOST_LATE else args["seconds"] / 5
        chunk.append(_one(state, program, seconds, seen, args.get("detail", False)))
        late += chunk[-1]["late"]
        if len(chunk) >= args.get("chunk", CHUNK):
            yield chunk
            chunk = []
    yield chunk


def _one(
    state: Mapping[str, Any], program: Mapping[str, Any], seconds: float, seen: set[str], detail: bool
) -> dict[str, Any]:
    for probes in state["probes"].values():
        probes.clear()
    module = sys.modules.get(program["module"])
    observer = running.run(program["code"], module, program["imports"], seconds, keep_values=detail)
    found = {**result(observer, detail), "hits": fresh(state, seen)}
    if detail:
        names = running.names_for(module, ()) if module is not None else {}
        found["violates"] = violations(program["source"], names)
    return found


def result(observer: Observer, detail: bool) -> dict[str, Any]:
    """What a run did, as JSON."""
    raised = observer.raised
    short = {
        "digest": observer.digest(),
        "late": observer.timed_out,
        "refused": raised is not None and raised.refused,
        "raised": raised.kind if raised is not None else "",
    }
    return {**short, **told(observer)} if detail else short


def fresh(state: Mapping[str, Any], seen: set[str]) -> Sequence[str]:
    """Branches that no program before has taken, with their module's names."""
    found = [
        f"{name} {branch}"
        for name, probes in state["probes"].items()
        for branch in probes.hits
        if f"{name} {branch}" not in seen
    ]
    seen.update(found)
    return found
