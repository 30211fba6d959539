"""The answers in words: no verdict out of noise, and each with its interval."""

from __future__ import annotations

import re
from typing import Any

import pytest

from moa_engine.bench.measures import measures
from review_bot.page.answer import Answer
from review_bot.page.answers import answers
from review_bot.page.answers_on_committee import better, minority, trade
from review_bot.page.answers_on_members import adds, different, surely
from tests.review_bot.page.results import result


def answered(**made: Any) -> list[Answer]:
    made_of = result(**made)
    return answers(made_of, measures(made_of))


def est(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def test_members_that_err_as_one_are_not_different() -> None:
    first = answered(cases=60, phi=0.8)[0]
    assert (first.verdict, first.tone) == ("no", "no")
    assert re.fullmatch(r"5 members are worth 1\.\d to 1\.\d independent votes\.", first.headline)
    assert any("phi 0." in line and "Least alike" in line for line in first.sentences)


def test_members_that_err_apart_are_different_as_far_as_the_cases_show() -> None:
    first = answered(cases=60, phi=0.0)[0]
    assert first.verdict == "yes"
    assert first.headline.startswith("As far as these cases show: 5 members are worth 4")


def test_more_votes_than_members_is_explained_only_where_the_interval_says_so() -> None:
    alike: dict[str, Any] = {
        "members": ["a", "b", "c"],
        "phi": [[None] * 3] * 3,
        "mean_phi": est(-0.1, -0.2, -0.05),
        "effective_votes": est(3.75, 3.3, 5.0),
        "effective_votes_within": None,
        "enough": True,
        "why": "",
    }
    more = "That is more than there are members: where one fails, another tends not to."
    assert more in different(alike).sentences
    assert more not in different({**alike, "effective_votes": est(3.1, 2.7, 3.5)}).sentences


def test_few_cases_give_no_verdict_at_all() -> None:
    given = answered(cases=4)
    assert {one.verdict for one in given} == {"not enough cases"}
    assert {one.tone for one in given} == {"unclear"}
    assert given[1].headline == "4 cases: at least 10 are needed before anything is said."
    assert given[1].sentences  # the numbers are shown all the same


def test_one_member_alone_is_compared_with_nobody() -> None:
    verdicts = [one.verdict for one in answered(members=("a",), committee=False)]
    assert verdicts[:4] == ["not enough cases", "not measured", "not measured", "not measured"]


def test_one_difference_of_many_is_not_believed_by_its_own_interval() -> None:
    barely = est(0.05, 0.002, 0.098)
    assert surely(barely, 1) == 1
    assert surely(barely, 5) == 0
    assert surely(est(0.05, 0.02, 0.08), 5) == 1
    assert surely(est(-0.05, -0.08, -0.02), 5) == -1
    assert surely(est(0.004, 0.003, 0.005), 5) == 0  # sure, and nothing that matters


def test_who_adds_and_who_harms_is_named() -> None:
    def row(member: str, found: dict[str, float]) -> dict[str, Any]:
        return {"member": member, "needed": 1, "adds": found, "named_alone": 2, "accused_alone": 0}

    rows = [row("a", est(0.1, 0.06, 0.14)), row("b", est(0.0, -0.02, 0.02)), row("c", est(0.0, 0.0, 0.0))]
    given = adds(rows, {"enough": False, "why": "no F1"})
    assert given.headline == "a adds something beyond chance. Of the others that cannot be told."
    assert "a +0.10 (0.06 to 0.14)" in given.sentences[0]
    assert "Without c nothing would change at all." in given.sentences
    harmful = adds([*rows, row("d", est(-0.1, -0.14, -0.06))], {"enough": False, "why": "no F1"})
    assert (harmful.tone, harmful.headline) == ("no", "Without d the committee would be better.")


def aggregator(name: str, seen: dict[str, float] | None, kept: dict[str, float] | None) -> dict[str, Any]:
    return {"name": name, "minority_survival": seen, "minority_kept": kept}


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (est(1.0, 0.9, 1.0), "yes"),
        (est(1.0, 0.7, 1.0), "none lost so far"),
        (est(0.2, 0.1, 0.4), "no"),
        (est(0.6, 0.3, 0.9), "not enough cases"),
        (est(0.7, 0.6, 0.8), "not always"),
        (None, "not enough cases"),
    ],
)
def test_a_right_minority(seen: dict[str, float] | None, verdict: str) -> None:
    given = minority([aggregator("deterministic", seen, seen), aggregator("qwen", seen, est(0.5, 0.3, 0.7))])
    assert given.verdict == verdict
    if seen:
        assert "If it were up to it, " in given.headline


def test_what_no_aggregator_was_asked_is_not_measured() -> None:
    assert minority([]).verdict == "not measured"


@pytest.mark.parametrize(
    ("verdict", "tone", "words"),
    [
        ("better", "yes", "committee is better than a, its best member."),
        ("worse", "no", "committee is worse than a, its best member."),
        ("no difference seen", "unclear", "differ by less than these cases show."),
        ("not enough", "unclear", "These cases cannot tell committee from a, its best member."),
    ],
)
def test_the_committee_against_its_best_member(verdict: str, tone: str, words: str) -> None:
    one = {"panel": "committee", "against": "a", "f1": est(0.1, -0.1, 0.3), "verdict": verdict}
    given = better({"comparisons": [one], "votes": []}, {"committee": "committee", "a": "member"})
    assert given.tone == tone
    assert given.headline.endswith(words)
    assert "The best member sampled several times (Self-MoA) was not run." in given.sentences


def test_better_than_the_member_but_not_than_its_samples_is_only_partly_better() -> None:
    kinds = {"committee": "committee", "a": "member", "a x 5": "self-moa"}
    found = [
        {"panel": "committee", "against": "a", "f1": est(0.2, 0.1, 0.3), "verdict": "better"},
        {
            "panel": "committee",
            "against": "a x 5",
            "f1": est(0.0, -0.1, 0.1),
            "verdict": "no difference seen",
        },
    ]
    given = better({"comparisons": found, "votes": []}, kinds)
    assert given.verdict == "partly"
    assert given.headline.endswith("; against a x 5, one model sampled several times: no difference seen.")


def test_the_committee_is_compared_with_one_model_sampled_several_times() -> None:
    fourth = answered(cases=60, phi=0.0)[3]
    assert fourth.verdict == "yes"
    assert fourth.headline == (
        "committee is better than smollm, its best member; "
        "against qwen x 5, one model sampled several times: better."
    )
    assert any(line.startswith("committee against qwen x 5: F1 +0.") for line in fourth.sentences)


def test_a_gain_whose_intervals_overlap_is_not_called_one() -> None:
    def point(name: str, price: float, f1: dict[str, float]) -> dict[str, Any]:
        return {"panel": name, "price": price, "f1": f1}

    low, high = point("a", 1.0, est(0.3, 0.2, 0.4)), point("b", 4.0, est(0.5, 0.35, 0.6))
    given = trade([{"price": "seconds", "points": [low, high], "best": [low, high]}])
    assert given.verdict == "no gain shown"
    assert given.headline == (
        "a takes the least time; b scores highest, for 4 times the time, and the intervals overlap."
    )
    clear = point("c", 4.0, est(0.8, 0.7, 0.9))
    assert (
        trade([{"price": "seconds", "points": [low, clear], "best": [low, clear]}]).verdict == "more for more"
    )


def test_silence_is_not_called_likeness() -> None:
    made = result(members=("a", "b", "c"))
    for panel in made["panels"]:
        for verdict in panel["verdicts"]:
            verdict.update(named=False, by_place=False, accused=False, findings=[])
    alike, added, _, compared, traded = answers(made, measures(made))
    assert alike.verdict == "not enough cases"
    assert alike.headline.startswith("Fewer than two members accused anything")
    assert "No hunk was accused by a, b and c: silence agrees with silence." in alike.sentences
    assert {added.verdict, compared.verdict, traded.verdict} == {"nothing named"}


def test_a_silent_member_among_others_is_named() -> None:
    made = result(members=("a", "b", "quiet"), committee=False)
    for verdict in made["panels"][2]["verdicts"]:
        verdict.update(named=False, by_place=False, accused=False, findings=[])
    first = answers(made, measures(made))[0]
    assert "No hunk was accused by quiet: silence agrees with silence." in first.sentences
    assert not first.headline.startswith("Fewer")
