"""`moa report` of what `moa bench --pairs` wrote: who is preferred, and what jurors said of each prompt."""

from __future__ import annotations

from typing import Any

import pytest

from review_bot.page.pairs_page import pairs_part
from review_bot.page.report_page import render
from tests.review_bot.github.hostile import HOSTILE
from tests.review_bot.page.parsed import harmless


def result(won: int, prompts: int = 40, words: str = "Why?") -> dict[str, Any]:
    """The first committee wins so many prompts, whatever the order, and answers at twice the length."""
    judged = [
        {"prompt": f"p{number}", "juror": "fair", "first_shown": shown, "preference": float(number < won)}
        for number in range(prompts)
        for shown in (True, False)
    ]
    return {
        "format": "moa-pairs-1",
        "committees": ["local", "single"],
        "prompts": [
            {
                "id": f"p{number}",
                "turns": [f"{words} {number}"],
                "answers": [["yes " * (number + 2)], [words]],
            }
            for number in range(prompts)
        ]
        + [{"id": "unanswered", "turns": ["One more"], "answers": [[], ["alone"]]}],
        "judgements": judged,
        "unjudged": 1,
        "two_turns": {},
    }


def text_of(made: dict[str, Any]) -> str:
    return harmless(render([pairs_part(made, "moa-pairs.json", "part1")])).text


@pytest.mark.parametrize(
    ("won", "prompts", "verdict"),
    [
        (36, 40, "yes In 90"),
        (4, 40, "no In 10"),
        (20, 40, "no difference seen In 50"),
        (9, 10, "not enough cases In 90"),
        (0, 0, "not enough cases No pair was judged."),
    ],
)
def test_the_verdict_goes_by_the_interval(won: int, prompts: int, verdict: str) -> None:
    assert f"Is local preferred to single? {verdict}" in text_of(result(won, prompts))


def test_each_prompt_says_who_preferred_what() -> None:
    text = text_of(result(36))
    assert "1 verdict named no answer" in text
    assert text.index("0 %: Why? 36") < text.index("100 %: Why? 0") < text.index("not judged: One more")
    assert "local gave no answer." in text
    assert "fair local local" in text
    assert "fair single single" in text


def test_hostile_words_are_shown_and_do_nothing() -> None:
    made = result(2, 3, "\n".join(HOSTILE.values()))
    made["committees"] = [HOSTILE["html"], HOSTILE["link"]]
    text_of(made)
