"""Facts choose: greedy set cover on mutants, then branches, then readability."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pytest_moa.suggest.selection import Offer, Tables, arranged, chosen, needless


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


def killed(keys: Iterable[str], some: list[Offer]) -> int:
    wanted = set(keys)
    return len(frozenset().union(*(one.kills for one in some if one.key in wanted)))


@given(
    st.lists(st.tuples(sets, st.frozensets(st.sampled_from("xyz")), st.integers(0, 4)), max_size=14),
    st.sampled_from([1, 3, 5]),
)
def test_tables_never_kill_less_than_the_best_single_tests(
    facts: list[tuple[frozenset[str], frozenset[str], int]], most: int
) -> None:
    some = [Offer(str(number), kills, branches) for number, (kills, branches, _) in enumerate(facts)]
    families = {str(number): family for number, (_, _, family) in enumerate(facts)}
    # family 4 makes no tables, and some rows of the others do not get on with each other
    tables = Tables(
        lambda key: key if families[key] == 4 else families[key],
        lambda group, key: len(group) < 3 and all((int(one) + int(key)) % 5 for one in group),
    )
    tests = arranged(some, tables, most)
    assert len(tests) <= most
    assert killed((key for test in tests for key in test), some) >= killed(
        (pick.key for pick in chosen(some, most)), some
    )
    for test in tests:
        assert len({tables.family(key) for key in test}) == 1
        assert all(tables.joins(test[:number], key) for number, key in enumerate(test))


def test_rows_of_a_table_are_free() -> None:
    some = [offer("a", "123"), offer("b", "4"), offer("c", "5"), offer("d", "67")]
    together = Tables(lambda key: key == "a" or key == "d" or "bc", lambda group, _: len(group) < 15)
    assert arranged(some, together, 1) == [("a", "d")]
    assert arranged(some, together, 2) == [("a", "d"), ("b", "c")]
