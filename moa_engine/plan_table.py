"""A plan's figures, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import Any, Generic, Literal, TypeVar

from moa_engine.prices import dollars

#: "beside": questions that may be asked beside the layers.
Role = Literal["proposer", "aggregator", "beside"]
Number = TypeVar("Number", int, float, Decimal)


@dataclass(frozen=True, slots=True)
class Range(Generic[Number]):
    """One figure: its low, expected and high value."""

    low: Number
    expected: Number
    high: Number

    def __iter__(self) -> Iterator[Number]:
        return iter((self.low, self.expected, self.high))

    def __add__(self, other: Range[Number]) -> Range[Number]:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def times(self, factor: int) -> Range[Number]:
        """Each value, `factor` times."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def longest(self, other: Range[Number]) -> Range[Number]:
        """The greater value of each."""
        return Range(max(self.low, other.low), max(self.expected, other.expected), max(self.high, other.high))

    def at_most(self, limit: Number) -> Range[Number]:
        """Each value, but not above `limit`."""
        return Range(min(self.low, limit), min(self.expected, limit), min(self.high, limit))

    def only_high(self) -> Range[Number]:
        """The high value, and nothing expected."""
        return Range(self.low * 0, self.expected * 0, self.high)

    def to_json(self) -> dict[str, float]:
        """The three values; decimals become numbers."""
        low, expected, high = (float(value) if isinstance(value, Decimal) else value for value in self)
        return {"low": low, "expected": expected, "high": high}


def total(ranges: Iterable[Range[Number]], nothing: Number) -> Range[Number]:
    """The sum; `nothing` is the zero of its kind of number."""
    return reduce(Range.__add__, ranges, Range(nothing, nothing, nothing))


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One member's part in one layer.

    `calls` are what is expected without retries; `in_record` of them need not be made, and the worst
    case `most_calls`, tokens, cost and seconds are those of the others. `cost` is None when the
    price is not known. A fallback aggregator, and what may be asked beside the layers, has no expected calls.
    """

    layer: int
    role: Role
    member: str
    model: str
    calls: int
    most_calls: int
    in_record: int
    tokens_in: Range[int]
    tokens_out: Range[int]
    cost: Range[Decimal] | None
    seconds: Range[float]

    def if_needed(self) -> PlanRow:
        """This row for calls that are made only where something before them asks for it."""
        return replace(
            self,
            calls=0,
            tokens_in=self.tokens_in.only_high(),
            tokens_out=self.tokens_out.only_high(),
            cost=None if self.cost is None else self.cost.only_high(),
            seconds=self.seconds.only_high(),
        )

    def to_json(self) -> dict[str, Any]:
        """This row as JSON."""
        return {
            "layer": self.layer,
            "role": self.role,
            "member": self.member,
            "model": self.model,
            "calls": self.calls,
            "most_calls": self.most_calls,
            "in_record": self.in_record,
            "tokens_in": self.tokens_in.to_json(),
            "tokens_out": self.tokens_out.to_json(),
            "cost_usd": None if self.cost is None else self.cost.to_json(),
            "seconds": self.seconds.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. USD as Decimal, times in seconds.

    `unpriced` are the hosted members without a price, which no sum of money includes; `untimed`
    those of whose speed the record knows nothing. `budget` and `deadline` are the settings' own.
    """

    committee: str
    rows: tuple[PlanRow, ...]
    unpriced: tuple[str, ...] = ()
    untimed: tuple[str, ...] = ()
    budget: Decimal | None = None
    deadline: float | None = None

    @property
    def calls(self) -> int:
        """Expected calls, those that are in the record included."""
        return sum(row.calls for row in self.rows)

    @property
    def most_calls(self) -> int:
        """Calls in the worst case, without those that are in the record."""
        return sum(row.most_calls for row in self.rows)

    @property
    def in_record(self) -> int:
        """Calls that need not be made, because the record has their answers."""
        return sum(row.in_record for row in self.rows)

    @property
    def tokens_in(self) -> Range[int]:
        """Input tokens of all calls."""
        return total((row.tokens_in for row in self.rows), 0)

    @property
    def tokens_out(self) -> Range[int]:
        """Output tokens of all calls."""
        return total((row.tokens_out for row in self.rows), 0)

    @property
    def cost(self) -> Range[Decimal]:
        """USD of all calls whose price is known."""
        return total((row.cost for row in self.rows if row.cost is not None), Decimal(0))

    @property
    def cost_low(self) -> Decimal:
        """The low estimate of `cost`."""
        return self.cost.low

    @property
    def seconds(self) -> Range[float]:
        """The critical path: in each layer the slowest member, then the aggregators one by one."""
        path = Range(0.0, 0.0, 0.0)
        waited_for = [row for row in self.rows if row.role != "beside"]
        for _, group in groupby(waited_for, key=lambda row: (row.layer, row.role)):
            rows = list(group)
            join = Range.__add__ if rows[0].role == "aggregator" else Range.longest
            path += reduce(join, (row.seconds for row in rows))
        return path if self.deadline is None else path.at_most(self.deadline)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON; `cost_usd` is null when any price is not known."""
        return {
            "committee": self.committee,
            "calls": self.calls,
            "most_calls": self.most_calls,
            "in_record": self.in_record,
            "tokens_in": self.tokens_in.to_json(),
            "tokens_out": self.tokens_out.to_json(),
            "cost_usd": None if self.unpriced else self.cost.to_json(),
            "seconds": self.seconds.to_json(),
            "budget_usd": None if self.budget is None else float(self.budget),
            "unpriced": list(self.unpriced),
            "untimed": list(self.untimed),
            "rows": [row.to_json() for row in self.rows],
        }

    def to_text(self) -> str:
        """The plan for people: plain text, at most 79 columns wide."""
        if not self.rows:
            return f"committee {self.committee}: nothing to ask, no calls\n"
        return "\n".join([*self._table(), "", *self._totals(), *self._remarks()]) + "\n"

    def _table(self) -> Iterator[str]:
        yield f"committee {self.committee}: {_count(self.calls, 'call')}{self._worst_case()}"
        yield ""
        yield _columns("layer", "member", "calls", "tokens in", "tokens out", "cost", "seconds")
        for row in self.rows:
            yield _columns(
                str(row.layer) if row.role == "proposer" else row.role,
                row.member,
                f"{row.calls:,}" if row.calls else "if needed",
                f"{row.tokens_in.expected:,}",
                f"{row.tokens_out.expected:,}",
                "unknown" if row.cost is None else dollars(row.cost.expected),
                f"{row.seconds.expected:,.1f}",
            )

    def _worst_case(self) -> str:
        if not self.in_record:
            return f" (worst case {self.most_calls:,})"
        if not self.most_calls:
            return ", none of which is made: the record has all answers"
        return f", {self.in_record:,} of them in the record (worst case of the others {self.most_calls:,})"

    def _totals(self) -> Iterator[str]:
        least = "at least " if self.unpriced else ""
        yield _figures("", ("low", "expected", "high"))
        yield _figures("tokens in", [f"{value:,}" for value in self.tokens_in])
        yield _figures("tokens out", [f"{value:,}" for value in self.tokens_out])
        yield _figures("cost", [least + dollars(value) for value in self.cost])
        yield _figures("seconds", [f"{value:,.1f}" for value in self.seconds])

    def _remarks(self) -> Iterator[str]:
        remarks = []
        if self.in_record:
            remarks.append(f"In the record, and free: {self.in_record} of these calls.")
        if self.untimed:
            remarks.append(f"Times are guessed, the record has none of: {', '.join(self.untimed)}.")
        if self.unpriced:
            remarks.append(f"No price is known for: {', '.join(self.unpriced)}.")
        if self.budget is not None and self.unpriced:
            remarks.append(f"The budget cannot hold for: {', '.join(self.unpriced)}.")
        elif self.budget is not None:
            remarks.append(self._about_budget(self.budget))
        if remarks:
            import textwrap

            yield ""
            for remark in remarks:
                yield from textwrap.wrap(remark, 79)

    def _about_budget(self, budget: Decimal) -> str:
        if self.cost.low > budget:
            return f"The budget of {dollars(budget)} is below even the low estimate; the run may end early."
        if self.cost.expected > budget:
            return f"The budget of {dollars(budget)} is less than expected; the run may end early."
        if self.cost.high > budget:
            return f"The budget of {dollars(budget)} covers what is expected, not the worst case."
        return f"The budget of {dollars(budget)} covers the worst case."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _columns(layer: str, member: str, *figures: str) -> str:
    """One line of the table: 10 + 1 + 17 columns and a space of names, then the figures; 79 in all."""
    name = member if len(member) <= 17 else member[:16] + "~"
    widths = (9, 11, 11, 10, 9)
    cells = "".join(f"{figure:>{width}}" for figure, width in zip(figures, widths, strict=True))
    return f"{layer:<10} {name:<18}{cells}".rstrip()


def _figures(name: str, values: Sequence[str]) -> str:
    return f"{name:<10}" + "".join(f"{value:>23}" for value in values)
