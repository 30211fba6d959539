import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa_engine.ask import AskTask
from moa_engine.budget import LONGEST_ANSWER, Budget, Reservation, most_input, worst_cost
from moa_engine.committee import build_committee
from moa_engine.config import Price
from moa_engine.errors import BudgetExceeded
from moa_engine.prices import cost
from moa_engine.session import open_session, plan_for, run_task
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

PRICE = Price(input=3, output=15)


def test_a_call_that_could_exceed_the_limit_is_refused_before_it_is_sent() -> None:
    budget = Budget(Decimal("1.00"))
    budget.reserve(Decimal("0.50")).settle(Decimal("0.30"))
    under_way = budget.reserve(Decimal("0.40"))
    with pytest.raises(BudgetExceeded) as refusal:
        budget.reserve(Decimal("0.31"))
    for figure in ("$0.3100", "$1.00", "$0.3000 spent", "$0.4000 reserved"):
        assert figure in refusal.value.message
    assert (budget.spent, budget.reserved) == (Decimal("0.30"), Decimal("0.40"))
    under_way.release()
    assert budget.left == Decimal("0.70")
    budget.reserve(Decimal("0.70"))


def test_a_call_of_unknown_cost_spends_all_that_was_reserved() -> None:
    budget = Budget(Decimal(1))
    budget.reserve(Decimal("0.6")).settle(None)
    assert (budget.spent, budget.reserved) == (Decimal("0.6"), Decimal(0))


def test_only_the_first_ending_of_a_reservation_counts() -> None:
    budget = Budget(Decimal(1))
    reservation = budget.reserve(Decimal("0.6"))
    reservation.settle(Decimal("0.1"))
    reservation.release()
    reservation.settle(None)
    assert (budget.spent, budget.reserved) == (Decimal("0.1"), Decimal(0))


def test_without_a_limit_spending_is_only_counted() -> None:
    budget = Budget()
    budget.reserve(Decimal(10**6)).settle(Decimal(7))
    assert budget.spent == 7
    assert budget.left is None


def test_a_limit_of_nothing_lets_free_calls_through() -> None:
    budget = Budget(Decimal(0))
    budget.reserve(worst_cost(Price(input=0, output=0), 5000, 2048)).settle(Decimal(0))
    with pytest.raises(BudgetExceeded):
        budget.reserve(worst_cost(PRICE, 0, 1))


def test_what_is_reserved_may_reach_the_limit_but_not_pass_it() -> None:
    budget = Budget(Decimal("0.3"))
    for _ in range(3):
        budget.reserve(Decimal("0.1"))
    with pytest.raises(BudgetExceeded):
        budget.reserve(Decimal("0.0000001"))


def test_calls_at_once_share_one_limit() -> None:
    budget = Budget(Decimal("1.00"))

    async def call() -> bool:
        try:
            reservation = budget.reserve(Decimal("0.15"))
        except BudgetExceeded:
            return False
        await asyncio.sleep(0)
        reservation.settle(Decimal("0.15"))
        return True

    async def run() -> list[bool]:
        return await asyncio.gather(*(call() for _ in range(20)))

    assert sum(asyncio.run(run())) == 6
    assert budget.spent == Decimal("0.90")


money = st.decimals(min_value=0, max_value=2, places=6)


@given(
    limit=money,
    steps=st.lists(
        st.tuples(money, st.none() | st.floats(0, 1), st.sampled_from(["settle", "release", "later"])),
        max_size=40,
    ),
)
def test_spending_never_exceeds_the_limit_while_no_call_costs_more_than_its_worst_case(
    limit: Decimal, steps: list[tuple[Decimal, float | None, str]]
) -> None:
    budget = Budget(limit)
    under_way: list[tuple[Reservation, Decimal | None]] = []
    for worst, share, what in steps:
        actual = None if share is None else worst * Decimal(share)
        try:
            reservation = budget.reserve(worst)
        except BudgetExceeded:
            assert worst > limit - budget.spent - budget.reserved
            continue
        if what == "later":
            under_way.append((reservation, actual))
        elif what == "settle":
            reservation.settle(actual)
        else:
            reservation.release()
        assert budget.spent + budget.reserved <= limit
    for reservation, actual in under_way:
        reservation.settle(actual)
    assert budget.spent <= limit
    assert budget.reserved == 0


@given(
    estimate=st.integers(0, 200_000),
    dense=st.floats(0, 2.05),
    answer=st.integers(1, 8192),
    written=st.floats(0, 1),
    cached=st.floats(0, 1),
)
def test_the_worst_case_covers_prompts_twice_as_long_as_estimated(
    estimate: int, dense: float, answer: int, written: float, cached: float
) -> None:
    real = int(estimate * dense) + 800
    paid = cost(PRICE, real, int(answer * written), int(real * cached))
    assert real <= most_input(estimate)
    assert paid <= worst_cost(PRICE, estimate, answer)


def test_an_answer_without_a_limit_counts_as_the_longest_there_is() -> None:
    assert worst_cost(PRICE, 10, None) == worst_cost(PRICE, 10, LONGEST_ANSWER)


def test_a_run_with_failing_calls_stays_within_its_budget(tmp_path: Path) -> None:
    """Two layers of three members: the endpoint is paid for every call it gets, usable or not."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    answers = iter(["", "yes", "", "", "yes", "yes"] * 10)
    with ScriptedEndpoint(lambda request: Scripted(next(answers), usage=usage)) as endpoint:
        members = [
            f'[members.m{n}]\nmodel = "m{n}"\nmax_tokens = 1000\nprice = {{ input = 3, output = 15 }}'
            for n in range(3)
        ]
        settings = [
            'layers = [["m0", "m1", "m2"], ["m0", "m1", "m2"]]',
            f'record = "{tmp_path}/record.sqlite"',
            f'base_url = "{endpoint.base_url}"',
            "budget = 0.09",
        ]
        (tmp_path / "moa.toml").write_text("\n".join([*settings, *members]))
        with open_session(start=tmp_path, environ={}) as session:
            task = AskTask("Is it so?")
            committee = build_committee(session.settings, session.plugins)
            plan = plan_for(session, task, committee)
            outcome = run_task(session, task, committee, plan)
        paid = len(endpoint.requests) * cost(PRICE, 1000, 1000)
        assert 0 < paid <= Decimal("0.09")
        assert len(endpoint.requests) < plan.calls
    assert outcome.result == "yes"
    assert any("budget" in error for member in outcome.members for error in member.errors)
