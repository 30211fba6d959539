"""Progress on a terminal: who is thinking, for how long, and what it has cost so far.

A few lines on stderr that are redrawn in place and gone at the end. Where stderr is no terminal
nothing is printed, as git does it: logs keep the warnings and the result, and no noise.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from moa_engine.printable import one_line
from moa_engine.progress import (
    Beside,
    Event,
    LayerStarted,
    MemberFinished,
    MemberStarted,
    Observer,
    RunStarted,
)

if TYPE_CHECKING:
    from rich.text import Text

#: Redraws per second: enough for seconds to tick, and hardly any CPU.
REDRAWS = 4


@contextmanager
def progress(
    *, quiet: bool = False, colour: bool | None = None, stream: TextIO | None = None
) -> Iterator[Observer]:
    """An observer that shows a run on `stream` (default: stderr) until the context ends.

    `colour` None leaves it to the terminal and to NO_COLOR. Without colours nothing is bold or dim either.
    """
    stream = sys.stderr if stream is None else stream
    if quiet or not stream.isatty():
        yield _unwatched
        return
    from rich.console import Console
    from rich.live import Live

    board = Board()
    painted = not os.environ.get("NO_COLOR") if colour is None else colour
    console = Console(
        file=stream, color_system="auto" if painted else None, no_color=not painted, highlight=False
    )
    with Live(
        get_renderable=lambda: board.drawn(time.monotonic(), console.width),
        console=console,
        refresh_per_second=REDRAWS,
        transient=True,
        redirect_stdout=False,
    ):
        yield board.observe


def _unwatched(event: Event) -> None:
    """Nobody looks."""


@dataclass(slots=True)
class _Seat:
    """A member in the current layer: its questions on the way, and those that ended."""

    since: float  #: when it was asked first, by the monotonic clock
    thinking: int = 0
    answered: int = 0
    cached: int = 0
    seconds: float = 0.0
    error: str = ""

    def words(self, now: float) -> tuple[str, str]:
        """What it is doing, and the style of that."""
        if self.thinking:
            done = self.answered + self.cached
            parts = f", {done} of {done + self.thinking} done" if done else ""
            return f"thinking {now - self.since:.0f} s{parts}", "cyan"
        if self.error:
            return f"failed: {self.error}", "red"
        if not self.answered:
            return "from the record", "dim"
        return f"answered in {self.seconds:.1f} s", "green"


class Board:
    """What is known of a run from its events. The layer at work has a line for each member."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.layer, self.layers = 0, 0
        self.planned = 0
        self.ended = 0
        self.cost: float | None = 0.0  #: None as soon as one cost is not known
        self.seats: dict[str, _Seat] = {}
        self.beside = ""  #: what goes on beside the layers

    def observe(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case RunStarted():
                self.planned = event.calls
            case LayerStarted():
                self.layer, self.layers = event.layer, event.layers
                self.seats = {}
            case MemberStarted() if event.layer == self.layer:
                seat = self.seats.setdefault(event.member, _Seat(time.monotonic()))
                seat.thinking += 1
            case MemberFinished():
                self._ended(event)
            case Beside():
                self.beside = one_line(event.says)

    def drawn(self, now: float, columns: int) -> Text:
        """The board as lines, cut where the terminal ends; names take half of it at most."""
        from rich.text import Text

        cost = "cost unknown" if self.cost is None else f"${self.cost:.4f}"
        head = f"layer {self.layer} of {self.layers}, " if self.layer else ""
        head += f"{self.ended} of {max(self.planned, self.ended)} answers, {now - self.started:.0f} s, {cost}"
        text = Text(head, style="bold", no_wrap=True, overflow="ellipsis")
        seats = list(self.seats.items())
        width = min(max((len(name) for name, _ in seats), default=0), max(columns // 2 - len("    "), 1))
        for name, seat in seats:
            words, style = seat.words(now)
            short = name if len(name) <= width else f"{name[: width - 1]}…"
            text.append(f"\n  {short:{width}}  ", style="not bold")
            text.append(words, style=f"not bold {style}")
        if self.beside:
            text.append(f"\n  {self.beside}", style="not bold cyan")
        return text

    def _ended(self, event: MemberFinished) -> None:
        self.ended += 1
        if event.cost_usd is None or self.cost is None:
            self.cost = None
        else:
            self.cost += event.cost_usd
        seat = self.seats.get(event.member)
        if seat is None or event.layer != self.layer:
            return  # a late answer of a layer that has closed
        seat.thinking = max(seat.thinking - 1, 0)
        seat.seconds = max(seat.seconds, event.seconds)
        if event.error:
            seat.error = one_line(event.error)
        elif event.cached:
            seat.cached += 1
        else:
            seat.answered += 1
