"""Properties that Hypothesis' ghostwriter sees in a target: round trips, idempotence.

What it writes is made repeatable, and only what asserts something is taken: tests that call a function
and hope that nothing is raised have no place in a suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_moa.proposers.proposer import Search
from pytest_moa.proposers.relatives import leaders
from pytest_moa.sandbox import Limits
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.splitting import Wanted, split

_JOB = "pytest_moa.proposers.ghostwriting:ghostwritten"

#: Hypothesis takes seconds to import, and as much memory as the search.
_MORE, _MEMORY = 15.0, 2 << 30


def propose(search: Search) -> None:
    """Have the ghostwriter write tests for a target that no public one leads to; take properties."""
    if leaders(search.subject.briefs)[search.target] != search.target:
        return
    seconds = search.seconds()
    if seconds <= 0:
        return
    brief = search.subject.brief(search.target)
    target = brief.target
    home = Home(target.module, frozenset(brief.module_names))
    wanted = [Wanted(brief.id, target.qualname)]

    def each(event: Mapping[str, Any]) -> None:
        for candidate in split(str(event["source"]), wanted, home):
            search.found(candidate)

    limits = Limits(wall=seconds + _MORE, cpu=seconds + _MORE, memory=_MEMORY)
    args = {"module": target.module, "qualname": target.qualname}
    search.subject.processes.call(target.module, _JOB, args, limits=limits, each=each)
