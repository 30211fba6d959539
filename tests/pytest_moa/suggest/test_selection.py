"""Facts choose: greedy set cover on mutants, then branches, then readability."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pytest_moa.suggest.selection import Offer, chosen, needless


def offer(key: str, kills: str, branches: str = "", burden: float = 0) -> Offer:
    return Offer(key, frozenset(kills), frozenset(branches), (burden,))


def test_what_adds_most_mutants_comes_first_and_what_adds_nothing_never() -> None:
    picks = chosen([offer("a", "12"), offer("b", "123"), offer("c", "4"), offer("d", "23")])
    assert [pick.key for pick in picks] == ["b", "c"]
    assert picks[1].kills == {"4"}


def test_branches_count_after_mutants_and_readability_after_both() -> None:
    offers = [
        offer("long", "1", "x", burden=9),
        offer("short", "1", "x", burden=1),
        offer("more", "1", "xy", 99),
    ]
    assert [pick.key for pick in chosen(offers)] == ["more"]
    assert [pick.key for pick in chosen(offers[:2])] == ["short"]


def test_at_most_so_many() -> None:
    assert [pick.key for pick in chosen([offer("a", "12"), offer("b", "3"), offer("c", "4")], 2)] == [
        "a",
        "b",
    ]


def test_what_others_bring_is_needless() -> None:
    assert needless([offer("a", "12"), offer("b", "23"), offer("c", "13")]) == {"c"}
    assert needless([offer("a", "1"), offer("b", "2")]) == set()


sets = st.frozensets(st.sampled_from("123456789"), max_size=5)
offers = st.lists(st.tuples(sets, st.frozensets(st.sampled_from("xyz"))), max_size=12).map(
    lambda facts: [Offer(str(number), kills, branches) for number, (kills, branches) in enumerate(facts)]
)


@given(offers)
def test_all_facts_are_kept_and_the_order_of_offers_does_not_matter(some: list[Offer]) -> None:
    picks = chosen(some)
    assert frozenset().union(*(pick.kills for pick in picks)) == frozenset().union(
        *(one.kills for one in some)
    )
    shuffled = random.Random(1).sample(some, len(some))
    assert chosen(shuffled) == picks
    kept = [one for one in some if one.key not in needless(some)]
    assert frozenset().union(*(one.branches for one in kept)) == frozenset().union(
        *(one.branches for one in some)
    )
