from __future__ import annotations

import pytest

from moa_engine.bench.intervals import Estimate, linear, ratio, t_quantile


@pytest.mark.parametrize(
    ("degrees", "known"), [(4, 2.7764), (5, 2.5706), (9, 2.2622), (30, 2.0423), (399, 1.9659)]
)
def test_t_is_that_of_the_tables(degrees: int, known: float) -> None:
    assert t_quantile(degrees) == pytest.approx(known, rel=1e-3)


def test_a_share_of_single_hunks_has_wilsons_interval() -> None:
    # Newcombe 1998, table I: 15 of 148 by the score method is 0.0624 to 0.1605. With t for z a little wider.
    found = ratio([(1, 1)] * 15 + [(0, 1)] * 133)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.0624, 0.1605), abs=1e-3)
    nothing = ratio([(0, 1)] * 20)  # and 0 of 20 is 0 to 0.1611
    assert nothing is not None
    assert (nothing.value, nothing.low) == (0, 0)
    assert nothing.high == pytest.approx(0.1611, abs=1e-4)


def test_hunks_that_fail_together_count_as_one() -> None:
    apart = ratio([(1, 1), (0, 1)] * 50)
    together = ratio([(10, 10), (0, 10)] * 5)
    ten = ratio([(1, 1), (0, 1)] * 5)
    assert apart is not None
    assert together is not None
    assert ten is not None
    assert together.value == apart.value == 0.5
    assert together.high - together.low > 2 * (apart.high - apart.low)
    assert together.low == pytest.approx(ten.low, abs=0.02)


def test_nothing_to_share_is_no_share() -> None:
    assert ratio([]) is None
    assert ratio([(0, 0), (0, 0)]) is None


def test_one_case_has_an_interval_too() -> None:
    found = ratio([(2, 4)])
    assert found is not None
    assert 0 <= found.low < 0.5 < found.high <= 1


def test_a_difference_of_cases_is_held_by_student() -> None:
    # 1, 2, 3, 4, 5: mean 3, standard error 0.7071, t of four degrees 2.776
    found = linear(3, [(value - 3) / 5 for value in (1, 2, 3, 4, 5)])
    assert (found.low, found.high) == pytest.approx((1.037, 4.963), abs=2e-3)


def test_a_falling_scale_turns_the_interval_round() -> None:
    assert Estimate(2, 1, 4).through(lambda value: 1 / value) == Estimate(0.5, 0.25, 1)
