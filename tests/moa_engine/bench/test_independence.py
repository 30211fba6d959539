from __future__ import annotations

import json
import math

import pytest

from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.independence import effective_votes, independence
from moa_engine.bench.simulated import (
    SimulatedMember,
    alike,
    simulate,
    true_effective_votes,
    true_mean_phi,
    true_phi,
)


def table(*rows: str, hunks_a_case: int = 1, kinds: str = "") -> ErrorTable:
    """Rows of 1 (wrong), 0 (right) and - (no verdict)."""
    wrong = {
        f"m{number}": {str(at): mark == "1" for at, mark in enumerate(row) if mark != "-"}
        for number, row in enumerate(rows)
    }
    case_of = {str(at): str(at // hunks_a_case) for at in range(len(rows[0]))}
    return ErrorTable.of(wrong, case_of, dict(zip(case_of, kinds, strict=False)))


def test_phi_kappa_and_lift_are_those_of_the_table() -> None:
    # both wrong 20, first only 5, second only 10, neither 15
    found = independence(table("1" * 25 + "0" * 25, "1" * 20 + "0" * 5 + "1" * 10 + "0" * 15))
    pair = found.pairs[0][1]
    assert pair is not None
    assert pair.phi is not None
    assert pair.kappa is not None
    assert pair.together is not None
    assert pair.phi.value == pytest.approx((20 * 15 - 5 * 10) / math.sqrt(25 * 25 * 30 * 20))
    assert pair.kappa.value == pytest.approx((0.7 - 0.5) / (1 - 0.5))  # Wikipedia's example of kappa: 0.4
    assert pair.together.observed == 0.4
    assert pair.together.chance == pytest.approx(0.3)
    assert pair.together.lift is not None
    assert pair.together.lift.value == pytest.approx(4 / 3)
    assert pair.together.lift.low < 4 / 3 < pair.together.lift.high


def test_a_correlations_interval_is_that_of_the_agreement_where_margins_are_even() -> None:
    # Then phi is 2 a - 1 for an agreement a, whose standard error is sqrt(a (1 - a) / n): on the scale of
    # Fisher's z, 2 sqrt(a (1 - a) / n) / (1 - phi^2) = 1 / sqrt(n (1 - phi^2)).
    found = independence(table("1" * 500 + "0" * 500, "1" * 400 + "0" * 100 + "1" * 100 + "0" * 400))
    phi = found.phi(0, 1)
    assert phi is not None
    reach = 1.96 / math.sqrt(1000 * (1 - 0.36))
    assert phi.low == pytest.approx(math.tanh(math.atanh(0.6) - reach), abs=2e-3)
    assert phi.high == pytest.approx(math.tanh(math.atanh(0.6) + reach), abs=2e-3)


def test_hunks_of_one_case_do_not_count_as_many() -> None:
    rows = "1" * 100 + "0" * 100, "1" * 80 + "0" * 20 + "1" * 20 + "0" * 80
    apart, together = independence(table(*rows)), independence(table(*rows, hunks_a_case=10))
    assert apart.mean_phi is not None
    assert together.mean_phi is not None
    assert apart.mean_phi.value == together.mean_phi.value
    assert together.mean_phi.high - together.mean_phi.low > 1.5 * (apart.mean_phi.high - apart.mean_phi.low)


def test_bias_is_not_alikeness_within_kinds() -> None:
    # Both accuse nearly everything: wrong on the clean half; their few errors beyond it are unrelated.
    one = "0000100001" * 5 + "1111011110" * 5
    two = "0010000100" * 5 + "1101111011" * 5
    found = independence(table(one, two, kinds="p" * 50 + "c" * 50))
    pair = found.pairs[0][1]
    assert pair is not None
    assert pair.phi is not None
    assert pair.within is not None
    assert pair.phi.value == pytest.approx(0.2)
    assert pair.within.value == pytest.approx(-0.25)


def test_effective_votes_have_their_ends() -> None:
    assert effective_votes(9, 0) == 9
    assert effective_votes(9, 1) == 1
    assert effective_votes(9, 0.4375) == 2  # "nine judges, two effective votes"
    assert effective_votes(5, -0.1) > 5
    assert effective_votes(5, -0.25) == math.inf


def test_members_that_never_differ_are_one_vote_within_an_interval() -> None:
    row = "10010" * 20
    found = independence(table(row, row, row))
    assert found.effective_votes is not None
    assert found.effective_votes.value == 1
    assert found.effective_votes.low == 1
    assert 1 < found.effective_votes.high < 1.2
    assert found.enough


def test_errors_that_make_up_for_each_other_are_more_votes_than_members() -> None:
    found = independence(table("100" * 40, "010" * 40))
    assert found.mean_phi is not None
    assert found.mean_phi.high < 0
    assert found.effective_votes is not None
    assert found.effective_votes.low > 2
    cancelled = independence(table("10" * 40, "01" * 40))
    assert cancelled.effective_votes is None
    assert "cancel" in cancelled.why


def test_a_failed_call_is_no_error() -> None:
    whole = independence(table("1100" * 25, "1010" * 25))
    holes = independence(table("1100" * 25 + "-" * 10, "1010" * 25 + "1" * 10))
    assert whole.mean_phi is not None
    assert holes.mean_phi is not None
    assert whole.mean_phi.value == holes.mean_phi.value
    assert whole.mean_phi.low == pytest.approx(holes.mean_phi.low)


FAIR, OTHER = "110100" * 20, "101010" * 20


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((FAIR,), "one member"),
        ((FAIR, OTHER, "0" * 120), "m2 was never wrong"),
        ((FAIR, OTHER, "1" * 120), "m2 was always wrong"),
        ((FAIR, OTHER, "-" * 120), "m2 has no verdict"),
        ((FAIR, OTHER, "1" * 4 + "0" * 116), "m2 was wrong on 4 hunks only"),
        ((FAIR, "1" * 118 + "0" * 2), "m1 was right on 2 hunks only"),
        (("011", "101", "100"), "3 cases: at least 10 are needed"),
        (("", ""), "0 cases"),
        (("1" * 12, "0" * 12), "m0 was always wrong"),
        (("110011001100", "101001100110"), "the interval is too wide"),
    ],
)
def test_too_little_says_why_and_has_no_nan(rows: tuple[str, ...], why: str) -> None:
    found = independence(table(*rows))
    assert not found.enough
    assert why in found.why
    json.dumps(found.plain(), allow_nan=False)


def test_the_others_are_still_compared_beside_one_that_is_never_wrong() -> None:
    with_saint, without = independence(table(FAIR, OTHER, "0" * 120)), independence(table(FAIR, OTHER))
    assert with_saint.effective_votes == without.effective_votes
    assert with_saint.phi(0, 2) is None


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6, 0.9])
def test_simulated_members_have_the_correlation_asked_for(phi: float) -> None:
    members = [alike(phi, 0.3)] * 5
    assert true_mean_phi(members) == pytest.approx(phi, abs=1e-6)
    assert true_effective_votes(members) == pytest.approx(5 / (1 + 4 * phi), rel=1e-5)


def test_the_truth_is_the_known_integral() -> None:
    # For thresholds at the median, P(both) = 1/4 + asin(r) / 2 pi (Sheppard), so phi = 2 asin(r) / pi.
    one, other = SimulatedMember(0.5, 0.6), SimulatedMember(0.5, 0.9)
    assert true_phi(one, other) == pytest.approx(2 / math.pi * math.asin(0.54), abs=1e-9)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize(("cases", "hunks"), [(400, 1), (60, 5)])
def test_intervals_hold_the_truth(phi: float, cases: int, hunks: int) -> None:
    # Deterministic: of 40 studies at least 35. The
    # full measurement is benchmarks/independence.py.
    members = [alike(phi, 0.3)] * 3
    held = 0
    for seed in range(40):
        drawn = simulate(members, cases=cases, hunks_a_case=hunks, shared_in_case=0.5, seed=seed)
        found = independence(drawn).mean_phi
        assert found is not None
        held += found.low <= phi <= found.high
    assert held >= 35


def test_members_of_different_skill_have_different_correlations() -> None:
    members = [SimulatedMember(0.2, 0.9), SimulatedMember(0.4, 0.9), SimulatedMember(0.3, 0.1)]
    found = independence(simulate(members, cases=2000, seed=6))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        phi, truth = found.phi(one, other), true_phi(members[one], members[other])
        assert phi is not None
        assert phi.low <= truth <= phi.high
    assert simulate(members, cases=10, seed=5) == simulate(members, cases=10, seed=5)
