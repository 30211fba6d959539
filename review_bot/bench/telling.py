"""What `moa bench` says on standard error while it works: for a terminal and for a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from moa_engine.plan import Plan


class Told:
    """Says how far a run is, one line a case (or what else is counted)."""

    def __init__(self, cases: int, *, quiet: bool, what: str = "case") -> None:
        self._cases, self._quiet, self._what = cases, quiet, what
        self._done = 0
        self._waited = 0.0  #: seconds of cases of which something was not in the record
        self._asked = 0  #: how many those are
        self._since = time.monotonic()

    def plan(self, plan: Plan) -> None:
        """What is to come."""
        if self._quiet:
            return
        low, expected, high = (shown_seconds(value) for value in plan.seconds)
        cost = "" if plan.unpriced else f", about ${plan.cost.expected:.2f} (at most ${plan.cost.high:.2f})"
        say(
            f"{self._cases} {self._what}s, {plan.calls} calls, {plan.in_record} of them in the record; "
            f"about {expected} ({low} to {high}){cost}"
        )

    def __call__(self, outcome: Outcome[Any]) -> None:
        """A case is done."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        self._done += 1
        if outcome.calls:
            self._asked += 1
            self._waited += seconds
        if self._quiet:
            return
        parts = [f"{outcome.calls} calls", f"{outcome.cached} from the record", shown_seconds(seconds)]
        if self._asked and self._done < self._cases:
            left = self._waited / self._asked * (self._cases - self._done)
            parts.append(f"about {shown_seconds(left)} left")
        say(f"{self._what} {self._done} of {self._cases}: {', '.join(parts)}")
        for answer in outcome.ledger.answers:
            if answer.value is None:
                say(f"  no answer from {answer.member}: {_why(answer.error, answer.error_code)}")


def _why(error: str, code: str) -> str:
    if code == "cancelled":
        return "too late: the layer's deadline passed ([stragglers] layer_deadline)"
    return error


def shown_seconds(seconds: float) -> str:
    """A time, as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def say(message: str) -> None:
    """A message on standard error."""
    from moa_engine.printable import printable

    print(printable(f"moa bench: {message}"), file=sys.stderr)
