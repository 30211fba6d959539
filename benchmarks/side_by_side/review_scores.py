"""What the reviews of one system were worth and what they took, as rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.side_by_side.comparison import Cell, Spread, Table
from benchmarks.side_by_side.counting_proxy import Counts
from benchmarks.side_by_side.review_systems import Ended
from benchmarks.side_by_side.reviewed_cases import Change
from moa_engine.bench.intervals import ratio
from review_bot.bench.matching import accuses


@dataclass(frozen=True, slots=True)
class Scored:
    """One review of one change."""

    change: Change
    ended: Ended
    counts: Counts

    @property
    def is_placed(self) -> bool:
        """Whether it accuses the place of the defect."""
        return self.change.hits(self.ended.findings)[0]

    @property
    def is_claimed(self) -> bool:
        """Whether it accuses that place of such a defect."""
        return self.change.hits(self.ended.findings)[1]

    @property
    def is_shown(self) -> bool:
        """Whether it shows, by running both versions, that something differs in the changed function."""
        return bool(self.ended.shown)

    @property
    def is_accused(self) -> bool:
        """Whether it says that something is wrong, anywhere."""
        return any(accuses(finding) for finding in self.ended.findings)


#: Reviews by system, in the order of their rows.
Scores = Mapping[str, Sequence[Scored]]


def hits_table(title: str, scores: Scores, note: str) -> Table:
    """What was found, and what was accused although nothing is wrong."""
    columns = ("", "defects by place", "by place and claim", "shown by running", "clean changes accused")
    more = ("clean shown to differ", "findings a change")
    rows = []
    for system, reviews in scores.items():
        wrong = [one for one in reviews if not one.change.is_clean]
        clean = [one for one in reviews if one.change.is_clean]
        findings = sum(len(one.ended.findings) for one in reviews)
        row: tuple[Cell, ...] = (
            system,
            share([one.is_placed for one in wrong]),
            share([one.is_claimed for one in wrong]),
            share([one.is_shown for one in wrong]),
            share([one.is_accused for one in clean]),
            share([one.is_shown for one in clean]),
            f"{findings / len(reviews):.1f}" if reviews else None,
        )
        rows.append(row)
    return Table(title, (*columns, *more), tuple(rows), note)


def costs_table(title: str, scores: Scores, note: str) -> Table:
    """What a review took: medians, with the least and the most."""
    columns = ("", "reviews", "calls", "given up", "tokens in", "tokens out", "seconds", "exit codes")
    rows: list[tuple[Cell, ...]] = []
    for system, reviews in scores.items():
        if not reviews:
            rows.append((system, 0, *[None] * 6))
            continue
        exits = Counter("timed out" if one.ended.exit is None else str(one.ended.exit) for one in reviews)
        unread = sum(one.ended.exit is not None and not one.ended.is_read for one in reviews)
        said = ", ".join(f"{code} ({count})" for code, count in sorted(exits.items()))
        row: tuple[Cell, ...] = (
            system,
            len(reviews),
            spread([one.counts.calls for one in reviews]),
            sum(one.counts.uncounted for one in reviews),
            spread([one.counts.tokens_in for one in reviews]),
            spread([one.counts.tokens_out for one in reviews]),
            spread([one.ended.seconds for one in reviews]),
            f"{said}; no review to read: {unread}" if unread else said,
        )
        rows.append(row)
    return Table(title, columns, tuple(rows), note)


def share(hits: Sequence[bool]) -> str | None:
    """`2 of 8 (0.07 to 0.59)`: Wilson's 95 % interval, the changes being independent of each other."""
    found = ratio([(sum(hits), len(hits))])
    return f"{sum(hits)} of {len(hits)} ({found.low:.2f} to {found.high:.2f})" if found else None


def spread(values: Sequence[float]) -> str:
    """Median, least and most; one number where all are the same."""
    found = Spread.of(values)
    low, median, high = (
        f"{value:,.0f}" if value >= 20 else f"{value:.3g}" for value in (found.low, found.median, found.high)
    )
    return median if low == high else f"{median} ({low} to {high})"
