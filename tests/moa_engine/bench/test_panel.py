from __future__ import annotations

import pytest

from moa_engine.bench.differences import f1_difference, verdict_on
from moa_engine.bench.frontier import Offer, frontier
from moa_engine.bench.intervals import Estimate
from moa_engine.bench.judged import Judged
from moa_engine.bench.panel import Votes, by_votes, cheapest, leave_one_out
from moa_engine.bench.scores import score


def said(named: str, accused_clean: str = "", *, a_case: int = 2) -> list[Judged]:
    """A mark a hunk: planted ones named (1) or missed (0), then clean ones accused (1) or not."""
    marks = [("off-by-one", mark == "1") for mark in named] + [("", mark == "1") for mark in accused_clean]
    return [
        Judged(
            f"{number:03}", f"{number // a_case:03}", defect, hit and bool(defect), hit and bool(defect), hit
        )
        for number, (defect, hit) in enumerate(marks)
    ]


GOOD = said("11110" * 8, "00001" * 4)
OTHER = said("00001" * 8, "00000" * 4)
NOISE = said("00000" * 8, "11100" * 4)


def test_leaving_one_out_shows_what_it_adds() -> None:
    votes = Votes.of({"good": GOOD, "same": GOOD, "other": OTHER, "noise": NOISE})
    found = {one["member"]: one for one in leave_one_out(votes, 1)}
    assert found["good"]["adds"] == found["same"]["adds"] == {"value": 0, "low": 0, "high": 0}
    assert found["other"]["adds"]["low"] > 0
    assert found["other"]["named_alone"] == 8
    assert found["noise"]["adds"]["high"] < 0
    assert found["noise"]["accused_alone"] == 12
    assert found["good"]["named_alone"] == 0


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_counted_votes_are_a_panel_like_any_other(needed: int) -> None:
    everybody = {"good": GOOD, "same": GOOD, "other": OTHER, "noise": NOISE}
    f1 = score(by_votes(everybody, needed)).f1
    assert f1 is not None
    assert f1.value == pytest.approx(Votes.of(everybody).f1(range(4), needed))


def test_the_cheapest_part_leaves_out_who_adds_nothing() -> None:
    votes = Votes.of({"good": GOOD, "same": GOOD, "other": OTHER})
    found = cheapest(votes, 1, {"good": 3.0, "same": 1.0, "other": 1.0})
    assert found is not None
    assert found.members == ("same", "other")
    assert (found.cost, found.full_cost) == (2.0, 5.0)
    assert found.loses.value == 0
    assert found.held_out == 0


def test_no_part_is_chosen_where_nothing_can_be_judged() -> None:
    assert cheapest(Votes.of({"good": GOOD}), 1, {"good": 1}) is None
    nothing = said("", "0000")
    assert cheapest(Votes.of({"a": nothing, "b": nothing}), 1, {"a": 1, "b": 1}) is None


def test_a_paired_difference_is_better_known_than_the_scores() -> None:
    worse = said("11100" * 8, "00001" * 4)
    found = f1_difference(GOOD, worse)
    first, second = score(GOOD).f1, score(worse).f1
    assert found is not None
    assert first is not None
    assert second is not None
    assert found.value == pytest.approx(first.value - second.value)
    assert found.low > 0
    assert verdict_on(found) == "better"
    assert first.low < second.high  # the two intervals overlap all the same


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (None, "not enough"),
        (Estimate(0.1, 0.05, 0.15), "better"),
        (Estimate(-0.1, -0.15, -0.05), "worse"),
        (Estimate(0, -0.1, 0.1), "no difference seen"),
        (Estimate(0, -0.5, 0.5), "not enough"),
    ],
)
def test_a_verdict_needs_an_interval_on_one_side_or_a_narrow_one(
    difference: Estimate | None, verdict: str
) -> None:
    assert verdict_on(difference) == verdict


def test_only_hunks_that_both_have_judged_count() -> None:
    assert f1_difference(GOOD, []) is None
    same = f1_difference(GOOD, GOOD[:30])
    assert same is not None
    assert same.value == 0


def test_the_frontier_is_what_nothing_beats() -> None:
    offers = [Offer("dear", 0.9, 9), Offer("cheap", 0.5, 1), Offer("beaten", 0.5, 2), Offer("twin", 0.5, 1)]
    assert frontier(offers) == ["cheap", "twin", "dear"]
