"""Which programs a hunt runs, with a lane that notes them."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_moa.proof.clock import Clock
from pytest_moa.proof.difference import Difference
from pytest_moa.proof.hunting import Hunt
from pytest_moa.proof.lane import Results
from pytest_moa.proof.replaying import Replayer, tree_of
from pytest_moa.proof.snippet import Snippet


class Noting:
    """Programs that do nothing, on either side."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, snippets: Sequence[Snippet], seconds: float, *, detail: bool = False) -> Results:
        self.ran += [one.source for one in snippets]
        same = [{"digest": "", "hits": [], "raised": "", "late": False, "refused": False} for _ in snippets]
        time.sleep(0.001)
        return same, same

    def test(self, snippet: Snippet, difference: Difference, base: Mapping[str, Any]) -> str:
        raise AssertionError


def test_what_there_was_no_time_for_is_run_the_next_time_and_nothing_twice(tmp_path: Path) -> None:
    tree, clock = tree_of(tmp_path), Clock(time.monotonic() + 60, threading.Event())
    snippets = [Snippet(f"f({one})", "m", "m:f", ("search",)) for one in range(100)]
    lane = Noting()
    with Replayer(tree, tree, confined=False, workers=1, clock=clock) as replayer:
        hunt = Hunt([], replayer, clock, lambda _: None, lambda _: None)
        hunt.consider(lane, snippets, patience=1e-6)
        assert 0 < len(lane.ran) < 100
        hunt.consider(lane, snippets)
    assert sorted(lane.ran) == sorted(one.source for one in snippets)
