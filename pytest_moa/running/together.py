"""Many mutants in one fork, one after another: a fork costs more than the test that kills most of them.

What one mutant leaves behind could decide on the next. So only what is certain is said here: that a test
fails with a mutant, and passes without it straight afterwards, in the same process. All others, survivors
above all, have to be judged in a fork of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pytest_moa.running.items import fail_fast, followed
from pytest_moa.running.nested import forked
from pytest_moa.running.warm_session import Warm

#: CPU time of one mutant here. Whatever takes longer does not notice what a fork costs.
SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """A mutant that `swapped` puts in for a while, and the tests to run, as indices of items.

    A `control` is said to survive, too: what others have left behind could only make its tests fail.
    """

    id: str
    indices: Sequence[int]
    swapped: Callable[[], AbstractContextManager[object]]
    control: bool = False


def judged_together(warm: Warm, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
    """Yield verdicts (see `jobs.mutants`) on those mutants of which they are certain."""
    left = list(tasks)
    while left:
        told = forked(partial(_judge, warm, left), SECONDS, renewed=True).told
        yield from (each for each in told if "status" in each)
        begun = {each["id"] for each in told}
        if not begun:
            return
        left = [task for task in left if task.id not in begun]  # whichever ended the fork is judged alone


def _judge(warm: Warm, tasks: Sequence[Task], tell: Callable[[Any], None]) -> None:
    """Ends at the first mutant that leaves something behind that its test notices."""
    for task in tasks:
        tell({"id": task.id})
        started = time.perf_counter()
        verdict = {"id": task.id, "installed": True, "status": "survived", "killer": None, "message": ""}
        with task.swapped():
            failed = _first_failure(warm, task.indices)
        if failed is not None:
            if warm.watcher.run(warm.items[failed[0]], None).outcome != "passed":
                return
            verdict |= {"status": "killed", "killer": failed[0], "message": failed[1]}
        if failed is not None or task.control:
            tell({**verdict, "seconds": time.perf_counter() - started})


def _first_failure(warm: Warm, indices: Sequence[int]) -> tuple[int, str] | None:
    """Index and message of the first test that fails. Nothing stays set up."""
    items = [warm.items[index] for index in indices]
    fail_fast(warm.session.config, items)
    for index, (item, following) in zip(indices, followed(items), strict=True):
        ran = warm.watcher.run(item, following)
        if ran.outcome == "failed":
            warm.session._setupstate.teardown_exact(None)  # what the next one would have shared
            return index, ran.message
    return None
