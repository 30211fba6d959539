"""Precision, recall and F1 over hunks, with intervals that count cases.

Of the hunks that a panel accuses, precision is the share in which it names the defect: a finding about
something else in a hunk with a defect is as wrong as one about a clean hunk, and one about no hunk at all is
wrong too. Recall is the share of the
defects that it names. Both are shares, so theirs is Wilson's interval for the effective sample size
(`intervals.ratio`); so is J = named / (named + wrongly accused + missed), and F1 = 2 J / (1 + J) rises with
it, so its interval is that of J on F1's scale. A bootstrap of cases was compared: see
docs/design/what-a-committee-is-worth.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.intervals import Estimate, ratio
from moa_engine.bench.judged import Judged

#: Cases below which, and width of the F1's interval from which, there is no verdict.
MIN_CASES = 10
TOO_WIDE = 0.4

#: Whether a defect is found by a verdict.
Found = Callable[[Judged], bool]


@dataclass(frozen=True, slots=True)
class Scores:
    """How often it is right; None where there is nothing to be right about."""

    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None

    def plain(self) -> dict[str, dict[str, float] | None]:
        """As it stands in a result file."""
        named = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {name: one.plain() if one else None for name, one in named.items()}


def score(verdicts: Sequence[Judged], found: Found = lambda one: one.named) -> Scores:
    """All verdicts of one panel."""
    return Scores(
        _share(verdicts, lambda one: _hit(one, found), lambda one: one.accused),
        _share(verdicts, lambda one: _hit(one, found), lambda one: bool(one.defect)),
        _f1(verdicts, found),
    )


def scores(verdicts: Sequence[Judged]) -> dict[str, Any]:
    """One panel as it stands in a result file: by place and claim, by place, by defect, clean hunks."""
    by_claim, by_place = score(verdicts), score(verdicts, lambda one: one.by_place)
    accusations = len(verdicts)
    verdicts = [one for one in verdicts if not one.about_no_hunk]
    clean = [one for one in verdicts if not one.defect]
    defects = sorted({one.defect for one in verdicts if one.defect})
    false_alarms = _share(clean, lambda one: one.accused, lambda _: True)
    return {
        **by_claim.plain(),
        "by_place": by_place.plain(),
        "by_defect": {name: _recall([one for one in verdicts if one.defect == name]) for name in defects},
        "false_alarms": false_alarms.plain() if false_alarms else None,
        "about_no_hunk": accusations - len(verdicts),
        "findings_a_hunk": round(sum(one.findings for one in verdicts) / len(verdicts), 6)
        if verdicts
        else None,
        "n": {
            "cases": len({one.case for one in verdicts}),
            "hunks": len(verdicts),
            "planted": len(verdicts) - len(clean),
            "clean": len(clean),
        },
        "enough": not (why := _why_not(verdicts, by_claim)),
        "why": why,
    }


def f1_parts(verdicts: Sequence[Judged], found: Found = lambda one: one.named) -> list[tuple[int, int]]:
    """By case, in the order of their names: hits, and hits + wrongly accused + missed."""
    parts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in verdicts:
        hit = _hit(one, found)
        parts[one.case][0] += hit
        parts[one.case][1] += 1 if hit else one.accused + bool(one.defect)
    return [(parts[case][0], parts[case][1]) for case in sorted(parts)]


def _f1(verdicts: Sequence[Judged], found: Found) -> Estimate | None:
    jaccard = ratio(f1_parts(verdicts, found))
    return jaccard.through(lambda share: 2 * share / (1 + share)) if jaccard else None


def _hit(one: Judged, found: Found) -> bool:
    return bool(one.defect) and found(one)


def _recall(verdicts: Sequence[Judged]) -> dict[str, Any]:
    recall = _share(verdicts, lambda one: one.named, lambda _: True)
    return {"recall": recall.plain() if recall else None, "n": len(verdicts)}


def _share(
    verdicts: Sequence[Judged], part: Callable[[Judged], bool], whole: Callable[[Judged], bool]
) -> Estimate | None:
    parts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in verdicts:
        if whole(one):
            parts[one.case][0] += part(one)
            parts[one.case][1] += 1
    return ratio([(hits, of) for hits, of in parts.values()])


def _why_not(verdicts: Sequence[Judged], found: Scores) -> str:
    cases = len({one.case for one in verdicts})
    if cases < MIN_CASES:
        return f"{cases} cases: at least {MIN_CASES} are needed"
    if found.f1 is None or found.recall is None:
        return "no hunk has a defect"
    if found.f1.high - found.f1.low > TOO_WIDE:
        return f"the interval of F1 is too wide: {found.f1.low:.2f} to {found.f1.high:.2f}"
    return ""
