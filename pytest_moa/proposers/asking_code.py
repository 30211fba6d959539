"""Calls of a target made in a warm process, for the proposers that only differ in what they call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def run(search: Search, job: str, args: Mapping[str, Any]) -> None:
    """Run a job that yields {"candidate": ...} on the target's module.

    Raises:
        WarmFailed: the module cannot be imported.
    """
    target = search.subject.brief(search.target).target
    processes = search.subject.processes
    known = {
        "module": target.module,
        "path": str(processes.modules[target.module].path),
        "qualname": target.qualname,
        "seconds": search.seconds,
    }

    def each(event: Mapping[str, Any]) -> None:
        if "candidate" in event:
            search.found(Candidate.from_json({**event["candidate"], "target": search.target}))

    limits = Limits(wall=search.seconds + _MORE, cpu=search.seconds + _MORE, memory=_MEMORY)
    processes.call(target.module, job, {**known, **args}, limits=limits, each=each)
