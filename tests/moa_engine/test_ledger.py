"""Nothing that a member said can vanish from the ledger, whatever an aggregator answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from moa_engine.ledger import Answer, Decision, Item, Ledger, item_id, settle


class Claim(BaseModel):
    title: str


def items(*ids: str) -> list[Item]:
    return [Item(name, "ann", 1, Claim(title=name)) for name in ids]


def test_items_that_no_decision_mentions_come_back_as_they_are() -> None:
    settlement = settle(items("a", "b"), [Decision(ids=["a"], verdict="rejected", reason="wrong")], "judge")
    assert [(group.ids, group.verdict, group.by) for group in settlement.groups] == [
        (("a",), "rejected", "judge"),
        (("b",), "kept", ""),
    ]


def test_unknown_ids_are_refused_and_said_so() -> None:
    settlement = settle(items("a"), [Decision(ids=["zz"], verdict="kept")], "judge")
    assert [group.ids for group in settlement.groups] == [("a",)]
    assert settlement.objections == ("zz is not the id of any item",)


def test_the_first_decision_on_an_item_stands() -> None:
    decisions = [
        Decision(ids=["a", "b"], verdict="merged"),
        Decision(ids=["b"], verdict="rejected", reason="changed my mind"),
    ]
    settlement = settle(items("a", "b"), decisions, "judge")
    assert [(group.ids, group.verdict) for group in settlement.groups] == [(("a", "b"), "merged")]
    assert "twice" in settlement.objections[0]


def test_a_rejection_without_a_reason_does_not_count() -> None:
    settlement = settle(items("a"), [Decision(ids=["a"], verdict="rejected", reason="  ")], "judge")
    assert settlement.groups[0].verdict == "kept"
    assert "without a reason" in settlement.objections[0]


ids = st.sampled_from(["a", "b", "c", "d", " a ", "", "x", "y"])
decisions = st.builds(
    Decision,
    ids=st.lists(ids, max_size=5),
    verdict=st.sampled_from(["kept", "merged", "disputed", "rejected"]),
    reason=st.sampled_from(["", "because"]),
)


@given(st.lists(decisions, max_size=8))
def test_every_item_is_in_exactly_one_group(given_decisions: list[Decision]) -> None:
    settlement = settle(items("a", "b", "c", "d"), given_decisions, "judge")
    found = sorted(name for group in settlement.groups for name in group.ids)
    assert found == ["a", "b", "c", "d"]
    assert all(group.reason for group in settlement.groups if group.verdict == "rejected")


def test_ids_do_not_depend_on_anything_but_what_was_said_and_by_whom() -> None:
    said = Claim(title="division by zero")
    assert item_id("ann", 1, 0, "", 0, said) == item_id("ann", 1, 0, "", 0, Claim(title="division by zero"))
    assert item_id("ann", 1, 0, "", 0, said) != item_id("bob", 1, 0, "", 0, said)
    assert item_id("ann", 1, 0, "", 0, said) != item_id("ann", 1, 0, "", 1, said)


def test_the_shuffled_order_comes_from_the_seed_alone() -> None:
    answers = [Answer(name, 1, 0, "", name) for name in "abcdefgh"]
    one = Ledger(seed=1).shuffled(answers, lambda answer: answer.member)
    same = Ledger(seed=1).shuffled(answers[::-1], lambda answer: answer.member)
    other = Ledger(seed=2).shuffled(answers, lambda answer: answer.member)
    assert one == same
    assert one != other
