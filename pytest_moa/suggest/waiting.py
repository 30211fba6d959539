"""What the user sees while members are asked, and what the run does meanwhile.

A model can take minutes, and a line that stands still looks like a hang: it is told again every second,
with whom the run waits for. Once all are done that run no model, what they found is executed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace

from moa_engine.printable import one_line
from moa_engine.progress import Event, MemberFinished, MemberStarted, RunFinished, RunStarted
from pytest_moa.suggestions import Observer, Progress

#: Seconds after which what was told last is told again.
_BEAT = 1.0

#: Members that are named.
_NAMED = 2


class Telling:
    """Passes steps on, and can tell the last one again."""

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self._last = Progress("")
        self._found = 0
        self._at = 0.0

    def __call__(self, step: Progress) -> None:
        """A step."""
        if step.so_far is not None:
            self._found = step.found
        self._last, self._at = replace(step, found=self._found, so_far=None), time.monotonic()
        self._tell(replace(step, found=self._found))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was told lately."""
        return time.monotonic() - self._at >= _BEAT

    def again(self) -> None:
        """The last step once more."""
        self(self._last)


class Waiting:
    """Hears the engine's events. `searched` is called when only models have still to answer in layer 1."""

    def __init__(self, tell: Telling, models: Collection[str], searched: Callable[[], None]) -> None:
        self._tell = tell
        self._models = frozenset(models)
        self._searched = searched
        self._open: Counter[str] = Counter()
        self._done = 0
        self._beat: asyncio.TimerHandle | None = None

    def __call__(self, event: Event) -> None:
        """One event of the engine."""
        match event:
            case RunStarted():
                self._next_beat()
            case RunFinished():
                self._stop()
            case MemberStarted():
                self._open[event.member] += 1
                self._told()
            case MemberFinished():
                self._open -= Counter([event.member])
                self._done += 1
                self._told()
                if event.layer == 1:  # those that answer from the record do so before others are asked
                    asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        if self._open and self._open.keys() <= self._models:
            self._searched()

    def _told(self) -> None:
        says = "asking members"
        if self._open and self._open.keys() <= self._models:
            names = [one_line(name) for name in self._open]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            says = f"waiting for {', '.join(names[:_NAMED])}{more} (Ctrl-C goes on without),"
        self._tell(Progress(says, self._done, self._done + self._open.total()))

    def _next_beat(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(_BEAT, self._again)

    def _again(self) -> None:
        if self._tell.is_quiet:
            if self._open:
                self._told()
            else:
                self._tell.again()
        self._next_beat()

    def _stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
