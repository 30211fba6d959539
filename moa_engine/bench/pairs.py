"""Two committees' answers to the same prompts, judged in pairs by a jury, each pair in both orders.

The win rate is the mean over prompts of how often the first is preferred (a tie is half). Beside it stands
the MT-Bench rule (Zheng and others 2023): a win only where a juror prefers the same answer in both orders,
else a tie. How often a juror changes its mind with the order is its position bias.

The length-controlled win rate is that of AlpacaEval 2.0 (Dubois and others 2024, arXiv 2404.04475):
preferences are modelled as logistic(theta + phi tanh(d / sd(d)) + psi gamma), where d is the first answer's
length in characters less the second's; what is left without the length's term is the rate. It differs from
the public harness so that it cannot be compared to its leaderboard:

- gamma, the difficulty of AlpacaEval's own 805 prompts, is not known for other prompts: no such term.
- The harness chooses an L1 penalty by cross-validation and holds phi back by two gamed baselines of its own.
  Here theta and phi have a normal prior, of standard deviations 10 and 2.5 (as weak as that of Gelman and
  others 2008): it shows only where one side nearly always wins.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.intervals import Estimate, linear, ratio

_PRIOR_THETA, _PRIOR_PHI = 10.0, 2.5

#: Prompts below which there is no verdict.
MIN_PROMPTS = 30


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one juror says about one prompt's two answers.

    `preference` (0 to 1) is for the first committee's answer, wherever it stood; `first_shown` says that it
    was shown first.
    """

    prompt: str
    juror: str
    first_shown: bool
    preference: float


def pairs(judgements: Sequence[Judgement], lengths: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """Two committees as they stand in a result file; by prompt, the characters of both answers."""
    preferred = preferences(judgements)
    prompts = list(preferred)
    rate = ratio([(preferred[prompt], 1.0) for prompt in prompts])
    controlled = length_controlled(
        [preferred[prompt] for prompt in prompts],
        [lengths[prompt][0] - lengths[prompt][1] for prompt in prompts],
    )
    return {
        "n": len(prompts),
        "win_rate": rate.plain() if rate else None,
        "length_controlled": controlled.plain() if controlled else None,
        "both_orders": both_orders(judgements),
        "position_bias": position_bias(judgements),
        "mean_length": [
            round(sum(lengths[prompt][side] for prompt in prompts) / len(prompts), 1) if prompts else None
            for side in (0, 1)
        ],
        "enough": len(prompts) >= MIN_PROMPTS,
        "why": ""
        if len(prompts) >= MIN_PROMPTS
        else f"{len(prompts)} prompts: at least {MIN_PROMPTS} are needed",
    }


def preferences(judgements: Sequence[Judgement]) -> dict[str, float]:
    """How much the first is preferred by prompt: the orders weigh the same, and so do the jurors."""
    by_order: defaultdict[str, defaultdict[str, defaultdict[bool, list[float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for one in judgements:
        by_order[one.prompt][one.juror][one.first_shown].append(one.preference)
    return {
        prompt: _mean([_mean([_mean(values) for values in orders.values()]) for orders in jurors.values()])
        for prompt, jurors in by_order.items()
    }


def both_orders(judgements: Sequence[Judgement]) -> dict[str, int]:
    """By the MT-Bench rule, over prompts and jurors that saw both orders."""
    counts = {"wins": 0, "ties": 0, "losses": 0}
    for shown_first, shown_second in _in_both(judgements).values():
        if min(shown_first, shown_second) > 0.5:
            counts["wins"] += 1
        elif max(shown_first, shown_second) < 0.5:
            counts["losses"] += 1
        else:
            counts["ties"] += 1
    return counts


def position_bias(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """By juror: how often the answer shown first is preferred, and how often the order decides."""
    found: dict[str, Any] = {}
    both = _in_both(judgements)
    for juror in sorted({juror for _, juror in both}):
        seen = [orders for (_, name), orders in both.items() if name == juror]
        first = _mean([(shown_first + 1 - shown_second) / 2 for shown_first, shown_second in seen])
        turned = _mean([float((one - 0.5) * (other - 0.5) < 0) for one, other in seen])
        found[juror] = {
            "prefers_first": round(first, 6),
            "changes_its_mind": round(turned, 6),
            "n": len(seen),
        }
    return found


def length_controlled(preferred: Sequence[float], longer_by: Sequence[int]) -> Estimate | None:
    """The rate at which the first would be preferred if both answers were of one length.

    The interval is the sandwich's on theta's scale. None for fewer than three prompts.
    """
    prompts = len(preferred)
    if prompts < 3:
        return None
    spread = math.sqrt(sum((one - _mean(longer_by)) ** 2 for one in longer_by) / (prompts - 1))
    terms = [math.tanh(one / spread) if spread else 0.0 for one in longer_by]
    theta = phi = 0.0
    for _ in range(100):
        likely = [_logistic(theta + phi * term) for term in terms]
        step, _ = _newton(preferred, terms, likely, theta, phi)
        theta, phi = theta + step[0], phi + step[1]
        if max(abs(step[0]), abs(step[1])) < 1e-10:
            break
    likely = [_logistic(theta + phi * term) for term in terms]
    _, inverse = _newton(preferred, terms, likely, theta, phi)
    influences = [
        (inverse[0] + inverse[1] * term) * (wanted - chance)
        for wanted, term, chance in zip(preferred, terms, likely, strict=True)
    ]
    return linear(theta, influences).through(_logistic)


def alpaca_outputs(answers: Sequence[tuple[str, str]], generator: str) -> list[dict[str, str]]:
    """Prompts and answers in the format of AlpacaEval's `--model_outputs`."""
    return [{"instruction": prompt, "output": answer, "generator": generator} for prompt, answer in answers]


def _newton(
    preferred: Sequence[float], terms: Sequence[float], likely: Sequence[float], theta: float, phi: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """A step to the maximum, halved where it is long, and the first row of the inverse of the curvature."""
    one, other = 1 / _PRIOR_THETA**2, 1 / _PRIOR_PHI**2
    up, up_length = -theta * one, -phi * other
    a, b, c = one, 0.0, other
    for wanted, term, chance in zip(preferred, terms, likely, strict=True):
        slope = chance * (1 - chance)
        up, up_length = up + wanted - chance, up_length + (wanted - chance) * term
        a, b, c = a + slope, b + slope * term, c + slope * term * term
    size = a * c - b * b
    step = ((c * up - b * up_length) / size, (a * up_length - b * up) / size)
    shorter = max(1.0, abs(step[0]), abs(step[1]))  # Newton overshoots where nearly everything is decided
    return (step[0] / shorter, step[1] / shorter), (c / size, -b / size)


def _in_both(judgements: Sequence[Judgement]) -> dict[tuple[str, str], tuple[float, float]]:
    """By prompt and juror: preference for the first answer where it was shown first, and second."""
    seen: defaultdict[tuple[str, str], dict[bool, float]] = defaultdict(dict)
    for one in judgements:
        seen[one.prompt, one.juror][one.first_shown] = one.preference
    return {key: (orders[True], orders[False]) for key, orders in seen.items() if len(orders) == 2}


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -500 else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
