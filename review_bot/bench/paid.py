"""What the answers of a run cost when they were made, whether that was in this run or in an earlier one.

A resumed run pays nothing for what the record knows; what a committee costs is another question, and this
answers that one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa_engine.attempt import Attempt
    from moa_engine.record import Record


@dataclass(frozen=True, slots=True)
class Paid:
    """Calls, money and time. `cost` is None where a price is not known."""

    calls: int = 0
    cost: Decimal | None = Decimal(0)
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: Paid) -> Paid:
        known = self.cost is not None and other.cost is not None
        return Paid(
            self.calls + other.calls,
            (self.cost or Decimal(0)) + (other.cost or Decimal(0)) if known else None,
            self.seconds + other.seconds,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
        )


#: By member, role and layer.
Bill = Mapping[tuple[str, str, int], Paid]


def bill_of(record: Record, run: str) -> Bill:
    """What each member's part in a recorded run cost."""
    return bill_of_attempts(record, record.run(run).attempts)


def bill_of_attempts(record: Record, attempts: Iterable[Attempt]) -> Bill:
    """What each member's part cost in these attempts; the record has those of which they are copies."""
    found: defaultdict[tuple[str, str, int], Paid] = defaultdict(Paid)
    for attempt in attempts:
        made = record.find(attempt.key) if attempt.purpose == "cached" else attempt
        found[attempt.member, attempt.role, attempt.layer] += _of(made or attempt)
    return dict(found)


def total(bills: Iterable[Bill], *, member: str = "", layer: int = 0) -> Paid:
    """The sum, of one member's part in one layer where they are given. Seconds are those of the slowest path.

    The members of a layer answer at the same time; layers, and cases, come one after the other.
    """
    result = Paid()
    for bill in bills:
        path: defaultdict[tuple[str, int], float] = defaultdict(float)
        for (name, role, number), paid in bill.items():
            if member not in ("", name) or layer not in (0, number):
                continue
            result += Paid(paid.calls, paid.cost, 0.0, paid.tokens_in, paid.tokens_out)
            path[role, number] = max(path[role, number], paid.seconds)
        result += Paid(seconds=sum(path.values()))
    return result


def _of(attempt: Attempt) -> Paid:
    return Paid(1, attempt.cost_usd, attempt.seconds, attempt.tokens_in or 0, attempt.tokens_out or 0)
