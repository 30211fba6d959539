"""The time of a proof: when the search must end, and when everything must."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


class TimeIsOver(Exception):
    """Nothing more may be run; what was not known by then stays unknown."""


@dataclass(slots=True)
class Clock:
    """`until` is the end of the present phase, by `time.monotonic`; it is moved when the next one begins."""

    until: float
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        """Whether the phase has ended, or somebody has stopped it."""
        return self.stop.is_set() or time.monotonic() >= self.until

    def left(self) -> float:
        """Seconds of the phase. Raises TimeIsOver when there are none."""
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TimeIsOver
        return seconds
