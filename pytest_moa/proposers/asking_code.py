"""Calls of a target made in a warm process, for the proposers that only differ in what they call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_moa.candidate import Candidate
from pytest_moa.proposers.proposer import Search
from pytest_moa.sandbox import Limits

#: Seconds on top of its share, and bytes of memory, that a job may take.
_MORE, _MEMORY = 5.0, 2 << 30


def observe(
    search: Search,
    *,
    calls: Sequence[str],
    values: Mapping[str, Sequence[str]] | None = None,
    vary: bool = False,
) -> None:
    """Have calls made (see `observing.observe`); each that makes a test is reported.

    Raises:
        WarmFailed: the module cannot be imported.
    """
    run(
        search,
        "pytest_moa.proposers.observing:observe",
        {"calls": list(calls), "values": dict(values or {}), "vary": vary},
    )


def run(
    search: Search,
    job: str,
    args: Mapping[str, Any],
    *,
    seconds: float | None = None,
    also: Collection[str] = (),
) -> None:
    """Run a job that yields {"candidate": ...} on the target's module.

    `seconds` is its share of the time if that is not the target's own, `also` are other targets whose
    tests are taken, too.

    Raises:
        WarmFailed: the module cannot be imported.
    """
    own_seconds = search.seconds()
    if own_seconds <= 0:
        return
    seconds = own_seconds if seconds is None else seconds
    target = search.subject.brief(search.target).target
    processes = search.subject.processes
    known = {
        "module": target.module,
        "path": str(processes.modules[target.module].path),
        "qualname": target.qualname,
        "seconds": seconds,
    }

    # A constructor is called by its class's name.
    others = {brief.id.removesuffix(".__init__") for brief in search.subject.briefs}
    own = search.target.removesuffix(".__init__")

    def each(event: Mapping[str, Any]) -> None:
        if "candidate" not in event:
            return
        candidate = Candidate.from_json(event["candidate"])
        about = candidate.target.removesuffix(".__init__")
        if "kills" in event:
            search.kills[candidate.id] = frozenset(event["kills"])
        if candidate.target in also:
            search.found(candidate)
        elif about == own or about not in others:  # a test of another one is for the search that is its own
            found = replace(candidate, target=search.target)
            search.kills[found.id] = search.kills.pop(candidate.id, frozenset())
            search.found(found)

    limits = Limits(wall=seconds + _MORE, cpu=seconds + _MORE, memory=_MEMORY)
    processes.call(target.module, job, {**known, **args}, limits=limits, each=each)
