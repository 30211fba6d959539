"""Findings' claims put to the test: each by two tests, on both versions, in fresh processes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from review_bot.proof.claims import Claim, Verdict, judge

if TYPE_CHECKING:
    from pytest_moa.proof.prove import Sides
    from review_bot.proof.modules import HeadModules


def put_to_test(
    claims: Iterable[Claim],
    sides: Sides,
    modules: HeadModules,
    *,
    confined: bool,
    until: float,
    stop: threading.Event,
) -> dict[Claim, Verdict]:
    """What came of each claim that was tried before `until` (by `time.monotonic`). Blocks."""
    from pytest_moa.proof.clock import Clock, TimeIsOver
    from pytest_moa.proof.replaying import Replayer, tree_of

    verdicts: dict[Claim, Verdict] = {}
    clock = Clock(until, stop)
    trees = tree_of(sides.base), tree_of(sides.head)
    with Replayer(*trees, confined=confined, clock=clock) as replayer, suppress(TimeIsOver):
        for claim in claims:
            if clock.over:
                break
            tests = claim.tests(modules.imports(claim.function.partition(":")[0]))
            if tests is None:  # its call can only show a difference, which the next search looks for
                continue
            holds, fails = tests
            verdicts[claim] = judge(claim, replayer.whole(holds), replayer.whole(fails), fails)
    return verdicts
