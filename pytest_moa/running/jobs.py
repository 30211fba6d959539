"""Jobs of a warm process that has collected: existing tests, mutants, candidates, and orders of both.

Each runs in a confined child. What has to start several times from the same state is forked again there.
"""

from __future__ import annotations

import contextlib
import gc
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pytest

from pytest_moa.mutation import Mutant, install
from pytest_moa.mutation.install import Ready, ready
from pytest_moa.running.candidate_module import Broken, Unsafe, collect
from pytest_moa.running.changes import Before
from pytest_moa.running.clock import Shifted
from pytest_moa.running.items import Ran, fail_fast, followed, short_messages
from pytest_moa.running.nested import Forked, forked
from pytest_moa.running.together import Task, judged_together
from pytest_moa.running.warm_session import Warm

#: CPU time that a candidate may take on average with its target's body replaced by a raise.
CONTROL_SECONDS: Final = 0.5

#: A candidate's id, its items, and the seconds that it may take.
_Row = tuple[str, list[pytest.Item], float]

#: How it shows that the sandbox, not the code, said no: not permitted, denied, read-only, no network.
_REFUSED: Final = re.compile(r"PermissionError|\[Errno (?:1|13|30|97|99|101)\]")


def existing(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run the items "indices" one after another; yield what each did and which branches it took."""
    items = [warm.items[index] for index in args["indices"]]
    for index, (item, following) in zip(args["indices"], followed(items), strict=True):
        for probes in warm.probes.values():
            probes.clear()
        ran = warm.watcher.run(item, following)
        yield {
            "index": index,
            "outcome": ran.outcome,
            "seconds": ran.seconds,
            "message": ran.message,
            "reached": {name: sorted(probes.hits) for name, probes in warm.probes.items() if probes.hits},
        }


def mutants(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Judge "mutants", each {"mutant", "indices", "limit", "together", "control"}: its tests in that order
    until one fails. Those that may be are judged `together` first, and alone where that is not certain.

    Yields {"id", "installed", "status", "killer" (index or None), "message", "seconds"}; status is
    "killed", "survived" or "timed_out".
    """
    found = [(each, _ready(warm, Mutant.from_json(each["mutant"]))) for each in args["mutants"]]
    gc.freeze()  # what a fork's garbage collector looks at has to be copied first
    certain = set()
    for verdict in judged_together(warm, [task for each, put in found for task in _tasks(each, put)]):
        certain.add(verdict["id"])
        yield verdict
    for each, put in found:
        name = each["mutant"]["id"]
        if put is None:
            yield {"id": name, "installed": False}
        elif name not in certain:
            run = partial(_alone, warm, put, each["indices"])
            yield {"id": name, **_judged(forked(run, each["limit"]))}


def _ready(warm: Warm, mutant: Mutant) -> Ready | None:
    return ready(mutant, warm.sources[mutant.module], sys.modules[mutant.module])


def _tasks(each: Mapping[str, Any], put: Ready | None) -> Iterator[Task]:
    if each["together"] and put is not None and put.swapped is not None:
        yield Task(each["mutant"]["id"], each["indices"], put.swapped, each["control"])


def _alone(warm: Warm, put: Ready, indices: Sequence[int], tell: Callable[[Any], None]) -> None:
    """Tell which test of these runs, and which is the first that fails with the mutant."""
    if not put.put():
        tell({"installed": False})
        return
    items = [warm.items[index] for index in indices]
    fail_fast(warm.session.config, items)
    for index, (item, following) in zip(indices, followed(items), strict=True):
        tell({"runs": index})
        ran = warm.watcher.run(item, following)
        if ran.outcome == "failed":
            tell({"killer": index, "message": ran.message})
            return


def _judged(fork: Forked) -> dict[str, Any]:
    """What the fork's words mean for the mutant; a fork that was ended has been killed by its last test."""
    last = fork.told[-1] if fork.told else {}
    judged = {"installed": True, "status": "survived", "killer": None, "message": "", "seconds": fork.seconds}
    if "installed" in last:
        return {**judged, "installed": False}
    if "killer" in last:
        return {**judged, "status": "killed", **last}
    if fork.status == "timed out":
        return {**judged, "status": "timed_out", "killer": last.get("runs"), "message": "did not end in time"}
    if fork.status != "returned":
        return {
            **judged,
            "status": "killed",
            "killer": last.get("runs"),
            "message": f"the process {fork.status}",
        }
    return judged


def candidate(warm: Warm, args: Mapping[str, Any]) -> dict[str, Any]:
    """Run one candidate alone.

    `args`: "candidate" ({"id", "name", "text"}), "folder", "module". Returns {"status": "passes",
    "fails", "broken", "unsafe" or "vacuous", "message", "branches", "seconds"}.
    """
    facts = {"status": "passes", "message": "", "branches": [], "seconds": 0.0}
    before = Before()
    plugins = set(warm.session.config.pluginmanager.get_plugins())
    try:
        items = collect(warm, args["candidate"], args["folder"])
    except Broken as error:
        return {**facts, "status": "broken", "message": str(error)}
    except Unsafe as error:
        return {**facts, "status": "unsafe", "message": str(error)}
    probes = warm.probes[args["module"]]
    probes.clear()
    short_messages(warm.session.config)
    ran = _all(warm, items)
    facts |= {"branches": sorted(probes.hits), "seconds": ran.seconds}
    if ran.outcome == "failed":
        status = "unsafe" if _REFUSED.search(ran.message) else "fails"
        return {**facts, "status": status, "message": ran.message}
    if ran.outcome == "skipped":
        return {**facts, "status": "vacuous", "message": "it skips itself, or expects to fail"}
    for change in (*before.changes(), *warm.held.changes()):
        return {**facts, "status": "unsafe", "message": f"it {change}"}
    if set(warm.session.config.pluginmanager.get_plugins()) != plugins:
        return {**facts, "status": "unsafe", "message": "it leaves pytest with other plug-ins"}
    return facts


def _all(warm: Warm, items: Sequence[pytest.Item]) -> Ran:
    """Run a candidate's items until one fails, and leave nothing set up."""
    seconds = 0.0
    passed = False
    for item in items:
        ran = warm.watcher.run(item, None)
        seconds += ran.seconds
        passed = passed or ran.outcome == "passed"
        if ran.outcome == "failed":
            return Ran("failed", seconds, ran.message)
    return Ran("passed" if passed else "skipped", seconds)


def in_order(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run "steps" in one process, one after another; yield {"step", "outcome", "message"} for each.

    A step is the index of an item, or {"candidate": ..., "folder": ...}. "shift" moves the clock by
    seconds; then {"clock": True} is in what is yielded for steps during which it was read. "controls",
    each {"mutants", "steps"}, come first: what those steps do under the mutants is yielded as
    {"step", "control": outcome}.
    """
    with Shifted(args["shift"]) if args["shift"] else contextlib.nullcontext() as clock:
        steps: list[tuple[int, pytest.Item]] = []
        for number, step in enumerate(args["steps"]):
            if isinstance(step, int):
                steps.append((number, warm.items[step]))
                continue
            try:
                steps += [(number, item) for item in collect(warm, step["candidate"], step["folder"])]
            except (Broken, Unsafe) as error:
                yield {"step": number, "outcome": "failed", "message": str(error)}
        for control in args["controls"]:
            yield from _controlled(warm, control, steps)
        short_messages(warm.session.config)
        for (number, _), (item, following) in zip(steps, followed([item for _, item in steps]), strict=True):
            read_before = clock.reads if clock else 0
            ran = warm.watcher.run(item, following)
            told = {"step": number, "outcome": ran.outcome, "message": ran.message}
            yield {**told, "clock": clock.reads > read_before} if clock else told


def _controlled(
    warm: Warm, control: Mapping[str, Any], steps: Sequence[tuple[int, pytest.Item]]
) -> Iterator[dict[str, Any]]:
    """What the control's steps do under its mutants. One that ends the process has not passed."""
    mutants = [Mutant.from_json(data) for data in control["mutants"]]
    left: list[int] = control["steps"]

    def run(tell: Callable[[Any], None]) -> None:
        for mutant in mutants:
            install(mutant, warm.sources[mutant.module], sys.modules[mutant.module])
        for number in left:
            items = [item for of, item in steps if of == number]
            fail_fast(warm.session.config, items)
            tell({"step": number, "control": _all(warm, items).outcome})

    while left:
        fork = forked(run, CONTROL_SECONDS * len(left))
        yield from fork.told
        if fork.status == "returned":
            return
        yield {"step": left[len(fork.told)], "control": "failed"}
        left = left[len(fork.told) + 1 :]


def column(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run all "candidates" under each of "mutants": a column of the kill matrix each.

    Candidates are {"candidate", "folder", "limit"}; mutants as JSON. Yields {"id", "installed",
    "killers": [candidate ids], "timed_out": [candidate ids], "seconds"}.
    """
    collected: list[_Row] = []
    for each in args["candidates"]:
        with contextlib.suppress(Broken, Unsafe):  # it was none when it was checked: nothing it kills counts
            items = collect(warm, each["candidate"], each["folder"])
            collected.append((each["candidate"]["id"], items, each["limit"]))
    for data in args["mutants"]:
        mutant = Mutant.from_json(data)
        started = time.perf_counter()
        killers: list[str] = []
        timed_out: list[str] = []
        installed, left = True, collected
        while left and installed:
            fork = forked(partial(_cells, warm, mutant, left), _limit(left))
            told = fork.told
            installed = not (told and "installed" in told[0])
            killers += [each["kills"] for each in told if "kills" in each]
            if fork.status == "returned":
                break
            running = [each["runs"] for each in told if "runs" in each]
            if not running:
                break  # it ends where it is put in: what slow path there is will say
            killers.append(running[-1])
            timed_out += running[-1:] if fork.status == "timed out" else []
            left = left[[name for name, _, _ in left].index(running[-1]) + 1 :]
        yield {
            "id": mutant.id,
            "installed": installed,
            "killers": killers,
            "timed_out": timed_out,
            "seconds": time.perf_counter() - started,
        }


def _limit(left: Sequence[_Row]) -> float:
    return max(limit for _, _, limit in left) + sum(limit for _, _, limit in left) / 10


def _cells(warm: Warm, mutant: Mutant, left: Sequence[_Row], tell: Callable[[Any], None]) -> None:
    if not install(mutant, warm.sources[mutant.module], sys.modules[mutant.module]):
        tell({"installed": False})
        return
    for name, items, _ in left:
        tell({"runs": name})
        fail_fast(warm.session.config, items)
        if _all(warm, items).outcome == "failed":
            tell({"kills": name})
