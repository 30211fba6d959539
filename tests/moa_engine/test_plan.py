import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest
from pydantic import BaseModel

from moa_engine.ask import AskTask
from moa_engine.budget import worst_cost
from moa_engine.committee import Committee
from moa_engine.config import Price, Settings
from moa_engine.errors import Unpriced
from moa_engine.ledger import Answer, Ledger
from moa_engine.member import Member, Message, PromptVersion
from moa_engine.plan import check_prices, plan_run
from moa_engine.prices import cost
from moa_engine.task import Question, Synthesis, Task
from moa_engine.tokens import TokenEstimator

PRICE = Price(input=1, output=4)


@dataclass
class Somebody:
    """A member that can be planned with, and must not be asked."""

    name: str
    endpoint: str = "http://127.0.0.1:1"
    price: Price | None = None
    reads: Literal["messages", "subject"] = "messages"
    samples: int = 1
    concurrency: int = 8
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"max_tokens": 1000})
    kind: str = "chat"
    model: str = "m"
    family: str = "m"
    context_window: int | None = 8192
    timeout: float = 60
    secrets: tuple[str, ...] = ()

    async def open(self) -> None:
        raise AssertionError("a plan opens nobody")

    async def generate(self, request: Any) -> Any:
        raise AssertionError("a plan calls nobody")

    async def aclose(self) -> None:
        """Nothing to release."""


class Finding(BaseModel):
    text: str


class UnitsTask(Task[str]):
    """A task in two units of 350 and 700 characters, with typed answers of 100 tokens; tools read it once."""

    name: ClassVar[str] = "units"

    def questions(self, member: Member, layer: int, ledger: Ledger) -> Sequence[Question]:
        prompt = PromptVersion("p", "1")
        if member.reads == "subject":
            return (Question(prompt, expected_tokens=50),) if layer == 1 else ()
        return [
            Question(prompt, (Message("user", "x" * 350 * number),), f"u{number}", expected_tokens=100)
            for number in (1, 2)
        ]

    def answer_type(self, layer: int) -> type[BaseModel] | None:
        return Finding

    def synthesis_type(self) -> type[BaseModel] | None:
        return Finding

    def synthesis(self, aggregator: Member, ledger: Ledger) -> Sequence[Question]:
        return ()

    def dump(self) -> Mapping[str, Any]:
        return {}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> "UnitsTask":
        return cls()

    def conclude(self, ledger: Ledger, synthesis: Synthesis | None) -> str:
        return ""

    def dump_result(self, result: str) -> Any:
        return result

    def present(self, outcome: Any, format: str) -> str:
        return ""


def committee(*layers: list[Somebody], aggregators: Sequence[Somebody] = ()) -> Committee:
    members = {m.name: m for layer in [*layers, aggregators] for m in layer}
    names = tuple(tuple(m.name for m in layer) for layer in layers)
    return Committee("test", members, names, tuple(m.name for m in aggregators))  # type: ignore[arg-type]


def test_the_papers_committee_is_thirteen_calls() -> None:
    six = [Somebody(f"m{n}") for n in range(6)]
    plan = plan_run(AskTask("why?"), committee(six, six, aggregators=[Somebody("agg")]), Settings())
    assert plan.calls == 13
    assert [(row.layer, row.role) for row in plan.rows].count((2, "proposer")) == 6
    assert (plan.rows[-1].layer, plan.rows[-1].role, plan.rows[-1].calls) == (3, "aggregator", 1)


def test_samples_are_calls_of_their_own() -> None:
    plan = plan_run(AskTask("why?"), committee([Somebody("one", samples=5)]), Settings())
    assert plan.calls == 5


def test_the_tokens_of_layer_one_are_those_of_its_questions() -> None:
    row = plan_run(UnitsTask(), committee([Somebody("a")]), Settings(attempts=1)).rows[0]
    assert row.calls == 2
    assert row.tokens_in.expected == 100 + 200
    assert row.tokens_out.expected == 200
    assert row.tokens_in.low < row.tokens_in.expected < row.tokens_in.high
    assert row.tokens_out.high == 2 * 2 * 1000  # two units, each hedged, each as long as allowed


def test_later_layers_are_asked_with_the_answers_before_them() -> None:
    two = [Somebody("a"), Somebody("b")]
    tool = Somebody("tool", endpoint="", reads="subject")
    plan = plan_run(UnitsTask(), committee([*two, tool], two, aggregators=[Somebody("agg")]), Settings())
    first, second, last = plan.rows[0], plan.rows[3], plan.rows[5]
    assert (second.member, second.layer) == ("a", 2)
    assert second.tokens_in.expected == first.tokens_in.expected + 2 * 2 * 100
    assert (last.role, last.calls) == ("aggregator", 2)
    assert last.tokens_in.expected == second.tokens_in.expected


def test_the_estimate_of_a_later_layer_is_near_what_the_task_then_asks() -> None:
    six = [Somebody(f"m{n}") for n in range(6)]
    task = AskTask("Explain how a hash table grows, and what that costs. " * 20)
    row = plan_run(task, committee(six, six), Settings()).rows[-1]
    ledger = Ledger(answers=tuple(Answer(m.name, 1, 0, "", "word " * 280) for m in six))  # 400 tokens each
    real = task.questions(six[0], 2, ledger)[0]
    text = "\n".join(message.content for message in real.messages)
    assert row.tokens_in.expected == pytest.approx(TokenEstimator().estimate(text), rel=0.1)


def test_deterministic_members_cost_calls_and_nothing_else() -> None:
    tool = Somebody("ruff", endpoint="", reads="subject", concurrency=4)
    plan = plan_run(UnitsTask(), committee([tool]), Settings())
    assert (plan.calls, *plan.tokens_in, *plan.tokens_out) == (1, 0, 0, 0, 0, 0, 0)
    assert plan.cost.high == 0
    assert plan.unpriced == ()


def test_money_is_what_the_tokens_cost() -> None:
    member = Somebody("a", "https://api.unknown.invalid:443", PRICE)
    plan = plan_run(AskTask("why? " * 100), committee([member]), Settings())
    row = plan.rows[0]
    assert row.cost is not None
    assert row.cost.expected == cost(PRICE, row.tokens_in.expected, row.tokens_out.expected)
    assert row.cost.low < row.cost.expected < row.cost.high


@pytest.mark.parametrize("hedge", [True, False])
def test_the_worst_case_holds_every_attempt_and_hedge_and_a_repair(hedge: bool) -> None:
    settings = Settings.model_validate({"attempts": 3, "stragglers": {"hedge": hedge}})
    plan = plan_run(UnitsTask(), committee([Somebody("a", price=PRICE)]), settings)
    sends = 3 * (2 if hedge else 1)
    assert plan.most_calls == 2 * sends
    without_repair = sends * (worst_cost(PRICE, 100, 1000) + worst_cost(PRICE, 200, 1000))
    broken_answers = 2 * (sends // 3) * Decimal(1000) / 1_000_000
    assert (
        without_repair + broken_answers
        <= plan.cost.high
        <= (without_repair + broken_answers) * Decimal("1.2")
    )


def test_what_runs_in_this_process_is_not_hedged() -> None:
    plan = plan_run(AskTask("why?"), committee([Somebody("a", endpoint="")]), Settings(attempts=3))
    assert plan.most_calls == 3


def test_further_aggregators_count_in_the_worst_case_only() -> None:
    def plan_with(*names: str) -> Any:
        aggregators = [Somebody(name, price=PRICE) for name in names]
        return plan_run(AskTask("why?"), committee([Somebody("a")], aggregators=aggregators), Settings())

    one, two = plan_with("first"), plan_with("first", "second")
    assert two.calls == one.calls == 2
    assert (two.cost.low, two.cost.expected) == (one.cost.low, one.cost.expected)
    assert two.cost.high == 2 * one.cost.high
    assert two.seconds.high > one.seconds.high
    assert "if needed" in two.to_text()


def test_answers_in_the_record_cost_nothing() -> None:
    members = [Somebody("a", price=PRICE, samples=2), Somebody("b", price=PRICE)]
    plan = plan_run(
        AskTask("why?"),
        committee(members),
        Settings(),
        is_cached=lambda member, question, sample: member.name == "b" or sample == 1,
    )
    assert (plan.calls, plan.in_record, plan.most_calls) == (3, 2, 6)
    assert plan.rows[1].cost is not None
    assert plan.rows[1].cost.high == 0
    assert "3 calls, 2 of them in the record (worst case of the others 6)" in plan.to_text()
    assert "In the record, and free: 2 of these calls." in plan.to_text()


def test_a_hosted_member_without_a_price_stops_the_run_and_says_how_to_go_on() -> None:
    known = Somebody("known", "https://api.unknown.invalid:443", PRICE)
    unknown = Somebody("dear", "https://api.unknown.invalid:443")
    plan = plan_run(AskTask("why?"), committee([known, unknown]), Settings())
    assert plan.unpriced == ("dear",)
    with pytest.raises(Unpriced) as refusal:
        check_prices(plan, Settings())
    assert "dear" in refusal.value.message
    assert "price = {" in refusal.value.hint
    assert "--allow-unpriced" in refusal.value.hint
    check_prices(plan, Settings(allow_unpriced=True))

    assert plan.to_json()["cost_usd"] is None
    assert plan.to_json()["rows"][1]["cost_usd"] is None
    assert plan.cost_low > 0  # of those that are known
    text = plan.to_text()
    assert "unknown" in text
    assert "at least $" in text
    assert "No price is known for: dear." in text


def test_a_budget_does_not_claim_to_cover_members_without_a_price() -> None:
    unknown = Somebody("dear", "https://api.unknown.invalid:443")
    plan = plan_run(AskTask("why?"), committee([unknown]), Settings(budget=1, allow_unpriced=True))
    assert "The budget cannot hold for: dear." in plan.to_text()


def test_nothing_is_refused_when_all_prices_are_known() -> None:
    check_prices(plan_run(AskTask("why?"), committee([Somebody("a")]), Settings()), Settings())


def test_time_is_that_of_the_slowest_member_of_each_layer() -> None:
    recorded = {"fast": [1.0] * 10, "slow": [2.0, 3.0, 9.0], "agg": [4.0]}
    both = [Somebody("fast"), Somebody("slow")]
    plan = plan_run(
        AskTask("why?"),
        committee(both, both, aggregators=[Somebody("agg")]),
        Settings(),
        latencies=lambda member: recorded[member.name],
    )
    assert tuple(plan.seconds) == (2 + 2 + 4, 3 + 3 + 4, 9 + 9 + 4)
    assert plan.untimed == ()


def test_calls_beyond_a_members_concurrency_wait_and_deadlines_end_them() -> None:
    settings = Settings.model_validate({"stragglers": {"layer_deadline": 25, "run_deadline": 40}})
    member = Somebody("a", concurrency=2, samples=6)
    plan = plan_run(
        AskTask("?"), committee([member], [member], [member]), settings, latencies=lambda _: [5.0, 7.0, 30.0]
    )
    assert tuple(plan.rows[0].seconds) == (15, 21, 25)
    assert tuple(plan.seconds) == (40, 40, 40)


def test_unknown_speeds_are_guessed_and_said_to_be() -> None:
    here, there = Somebody("here"), Somebody("there", "https://api.unknown.invalid:443", PRICE)
    plan = plan_run(AskTask("why?"), committee([here, there]), Settings())
    assert plan.untimed == ("here", "there")
    assert plan.rows[0].seconds.expected > plan.rows[1].seconds.expected > 0
    assert "Times are guessed, the record has none of: here, there." in plan.to_text()


def test_text_fits_eighty_columns_and_json_has_every_row() -> None:
    long = [
        Somebody(f"a-member-with-a-very-long-name-{n}", price=Price(input=900, output=90_000))
        for n in range(9)
    ]
    plan = plan_run(AskTask("why? " * 90_000), committee(long, long, aggregators=long), Settings(budget=1))
    text = plan.to_text()
    assert max(len(line) for line in text.splitlines()) < 80
    assert text.isascii()
    data = json.loads(json.dumps(plan.to_json()))
    assert len(data["rows"]) == len(plan.rows) == 27
    assert data["calls"] == plan.calls == 19
    assert data["cost_usd"]["low"] < data["cost_usd"]["expected"] < data["cost_usd"]["high"]


@pytest.mark.parametrize(
    ("budget", "remark"),
    [
        (0.0001, "below even the low estimate"),
        (0.0012, "less than expected"),
        (0.01, "not the worst case"),
        (1, "covers the worst case"),
    ],
)
def test_the_plan_says_what_the_budget_covers(budget: float, remark: str) -> None:
    plan = plan_run(AskTask("why? " * 100), committee([Somebody("a", price=PRICE)]), Settings(budget=budget))
    assert remark in plan.to_text()
    assert plan.to_json()["budget_usd"] == budget


def test_nobody_to_ask_is_an_empty_plan() -> None:
    plan = plan_run(AskTask("why?"), committee([Somebody("tool", reads="subject")]), Settings())
    assert (plan.calls, plan.cost_low) == (0, 0)
    assert "nothing to ask" in plan.to_text()
