from __future__ import annotations

import json
import math
import random

import pytest

from moa_engine.bench.pairs import (
    Judgement,
    alpaca_outputs,
    both_orders,
    length_controlled,
    pairs,
    position_bias,
)
from moa_engine.bench.two_turns import Grade, grade_in, two_turns


def judged(prompt: str, shown_first: float, shown_second: float, juror: str = "judge") -> list[Judgement]:
    return [Judgement(prompt, juror, True, shown_first), Judgement(prompt, juror, False, shown_second)]


def test_a_juror_who_always_takes_the_first_one_shown_decides_nothing() -> None:
    judgements = [one for number in range(40) for one in judged(str(number), 1, 0)]
    found = pairs(judgements, {str(number): (100, 100) for number in range(40)})
    assert found["win_rate"]["value"] == 0.5
    assert found["both_orders"] == {"wins": 0, "ties": 40, "losses": 0}
    assert found["position_bias"]["judge"] == {"prefers_first": 1, "changes_its_mind": 1, "n": 40}
    assert found["length_controlled"]["value"] == pytest.approx(0.5)
    assert found["enough"]


def test_a_win_is_one_in_both_orders() -> None:
    judgements = judged("a", 1, 1) + judged("b", 0, 0) + judged("c", 1, 0.5) + judged("d", 1, 0)
    assert both_orders(judgements) == {"wins": 1, "ties": 2, "losses": 1}
    assert position_bias(judgements)["judge"]["changes_its_mind"] == 0.25


def test_the_length_controlled_rate_is_the_one_at_equal_lengths() -> None:
    # Preferences made by the model itself: logistic(0.4 + 1.5 tanh(d / sd)).
    draws = random.Random(1)
    longer = [round(draws.gauss(300, 400)) for _ in range(600)]
    mean = sum(longer) / 600
    spread = math.sqrt(sum((one - mean) ** 2 for one in longer) / 599)
    preferred = [1 / (1 + math.exp(-(0.4 + 1.5 * math.tanh(one / spread)))) for one in longer]
    found = length_controlled(preferred, longer)
    assert found is not None
    assert found.value == pytest.approx(1 / (1 + math.exp(-0.4)), abs=2e-3)
    assert sum(preferred) / 600 > found.value + 0.1
    turned = length_controlled([1 - one for one in preferred], [-one for one in longer])
    assert turned is not None
    assert turned.value == pytest.approx(1 - found.value)  # who is called the first does not matter


def test_one_that_always_wins_has_a_rate_all_the_same() -> None:
    found = length_controlled([1.0] * 50, list(range(50)))
    assert found is not None
    assert 0.95 < found.value <= 1
    assert found.low > 0.5
    same = length_controlled([0.5, 1, 0, 1], [0, 0, 0, 0])
    assert same is not None
    assert same.value == pytest.approx(0.625, abs=5e-3)


def test_few_prompts_are_not_enough() -> None:
    few = pairs(judged("a", 1, 1), {"a": (3, 4)})
    assert not few["enough"]
    assert few["why"] == "1 prompts: at least 30 are needed"
    json.dumps([few, pairs([], {})], allow_nan=False)


def test_outputs_have_alpacaevals_fields() -> None:
    assert alpaca_outputs([("Why?", "Because.")], "all") == [
        {"instruction": "Why?", "output": "Because.", "generator": "all"}
    ]


@pytest.mark.parametrize(
    ("text", "grade"),
    [("Good. Rating: [[8]]", 8), ("[[7.5]]", 7.5), ("Rating: 8", None), ("[[0]]", None), ("[[11]]", None)],
)
def test_a_grade_stands_in_double_brackets(text: str, grade: float | None) -> None:
    assert grade_in(text) == grade


def test_both_turns_have_a_mean() -> None:
    grades = [Grade(str(number), turn, 6 + 2 * (turn == 1)) for number in range(10) for turn in (1, 2)]
    found = two_turns([*grades, Grade("0", 2, None)])
    assert found["first_turn"]["value"] == 8
    assert found["second_turn"]["value"] == 6
    assert found["overall"]["value"] == 7
    assert (found["n"], found["missing"]) == (10, 1)
    assert two_turns([])["overall"] is None
