"""What `moa bench --pairs` found, as a part of a page: who is preferred, by whom, and each prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.pairs import Judgement, pairs, preferences
from review_bot.page import plots
from review_bot.page.answer import NOT_ENOUGH, Answer
from review_bot.page.text import counted, percent, percents

#: Prompts that are shown, and characters of each text.
LISTED, LONGEST = 200, 4_000

_EVEN = 0.5


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: how much the first committee's answer is preferred, both answers, what each juror says."""

    turns: Sequence[str]
    answers: Sequence[Sequence[str]]
    preference: float | None
    said: Sequence[tuple[str, float | None, float | None]]  #: shown first, shown second


def pairs_part(result: Mapping[str, Any], file: str, key: str) -> dict[str, Any]:
    """What the template needs of one result file; `key` begins the ids of this part."""
    first, second = result["committees"]
    judgements = [Judgement(**one) for one in result["judgements"]]
    lengths = {
        one["id"]: (len(one["answers"][0][0]), len(one["answers"][1][0]))
        for one in result["prompts"]
        if all(one["answers"])
    }
    found = pairs(judgements, lengths)
    prompts = _prompts(result, judgements)
    return {
        "kind": "pairs",
        "key": key,
        "file": file,
        "first": first,
        "second": second,
        "result": result,
        "found": found,
        "answers": [_preferred(first, second, found), _by_length(first, second, found)],
        "plot": _plot(first, second, found, key),
        "prompts": prompts[:LISTED],
        "more": max(len(prompts) - LISTED, 0),
        "longest": LONGEST,
    }


def _prompts(result: Mapping[str, Any], judgements: Sequence[Judgement]) -> list[Prompt]:
    """The prompts, those first that the first committee lost; at the end what was not judged."""
    preferred = preferences(judgements)
    said: defaultdict[str, defaultdict[str, dict[bool, float]]] = defaultdict(lambda: defaultdict(dict))
    for one in judgements:
        said[one.prompt][one.juror][one.first_shown] = one.preference
    prompts = [
        Prompt(
            one["turns"],
            one["answers"],
            preferred.get(one["id"]),
            [(name, orders.get(True), orders.get(False)) for name, orders in said[one["id"]].items()],
        )
        for one in result["prompts"]
    ]
    return sorted(prompts, key=lambda one: 2.0 if one.preference is None else one.preference)


def _preferred(first: str, second: str, found: Mapping[str, Any]) -> Answer:
    question = f"Is {first} preferred to {second}?"
    rate = found["win_rate"]
    if rate is None:
        return Answer(question, NOT_ENOUGH, "unclear", "No pair was judged.", ())
    headline = f"In {percent(rate['value'])} of {counted(found['n'], 'prompt')} ({percents(rate)})."
    orders = found["both_orders"]
    stands = f"The same in both orders: {orders['wins']} won, {orders['losses']} lost, {orders['ties']} ties."
    told = [stands, "Half is even. Each pair was judged in both orders; a tie is half."]
    if not found["enough"]:
        return Answer(question, NOT_ENOUGH, "unclear", headline, [*told, f"{found['why']}."])
    if rate["low"] > _EVEN:
        return Answer(question, "yes", "yes", headline, told)
    if rate["high"] < _EVEN:
        return Answer(question, "no", "no", headline, told)
    return Answer(question, "no difference seen", "partly", headline, told)


def _by_length(first: str, second: str, found: Mapping[str, Any]) -> Answer:
    question = "And if both answers were of one length?"
    rate, lengths = found["length_controlled"], found["mean_length"]
    if rate is None:
        return Answer(question, NOT_ENOUGH, "unclear", "That needs three prompts at least.", ())
    headline = f"Then {first} would be preferred in {percent(rate['value'])} ({percents(rate)})."
    told = [
        f"Answers of {first} have {lengths[0]:.0f} characters, those of {second} {lengths[1]:.0f}.",
        "Juries like long answers; the length's part is taken out as AlpacaEval 2.0 does it.",
    ]
    if not found["enough"]:
        return Answer(question, NOT_ENOUGH, "unclear", headline, told)
    if rate["low"] > _EVEN or rate["high"] < _EVEN:
        better = first if rate["low"] > _EVEN else second
        return Answer(question, f"{better} is preferred", "yes", headline, told)
    return Answer(question, "no difference seen", "partly", headline, told)


def _plot(first: str, second: str, found: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    named = (("as they are", found["win_rate"]), ("of one length", found["length_controlled"]))
    rows = [plots.Scored.of(name, "pairs", rate) for name, rate in named if rate]
    if not rows:
        return None
    caption = f"How often {first} is preferred to {second}, with 95 % intervals"
    return {
        "caption": caption,
        "svg": plots.intervals(rows, f"{key}-rates", caption, "preferred (0.5: even)"),
    }
