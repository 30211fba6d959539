from __future__ import annotations

import pytest

from moa_engine.bench.aggregation import Aggregated, Proposal, aggregation
from moa_engine.bench.calibration import calibration
from moa_engine.bench.clusters import merges
from moa_engine.bench.faithfulness import invented
from moa_engine.bench.judged import Judged

LONE = Proposal("lone", 1, True, "The loop skips the last item.")
CROWD = Proposal("crowd", 3, False, "The variable is never used.")
LIE = Proposal("lie", 1, False, "This deletes the whole database!", "lie")
TRUTH = Proposal("truth", 1, True, "`total` is read before it is set.", "truth")


def made(
    case: int, kept: str, reported: str = "", *, reordered: tuple[str, ...] = (), text: str = ""
) -> Aggregated:
    return Aggregated(
        f"c{case}",
        (LONE, CROWD, LIE, TRUTH),
        frozenset(kept.split()),
        frozenset((reported or kept).split()),
        text,
        reordered=tuple(frozenset(keys.split()) for keys in reordered),
    )


def test_what_happens_to_minorities_liars_and_lone_truths() -> None:
    outcomes = [
        made(0, "crowd", "lone crowd truth"),
        made(1, "lone truth"),
        made(2, "crowd lie", "crowd lie truth"),
    ]
    found = aggregation(outcomes)
    assert found["minority_survival"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["minority_kept"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["majority_collapse"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["lone_truth"]["value"] == 1
    assert found["lone_truth_kept"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["liar"]["value"] == found["liar_kept"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert {(one["case"], one["finding"]) for one in found["would_drop"]} == {
        ("c0", "lone"),
        ("c0", "truth"),
        ("c2", "lone"),
        ("c2", "truth"),
    }


def test_order_matters_as_far_as_what_is_kept_changes() -> None:
    steady = aggregation([made(case, "lone", reordered=("lone", "lone")) for case in range(4)])
    assert steady["order_sensitivity"] == {"value": 0, "low": 0, "high": 0}
    moved = aggregation([made(case, "lone crowd", reordered=("lone", "crowd")) for case in range(4)])
    assert moved["order_sensitivity"]["value"] == 0.5
    assert aggregation([made(0, "lone")])["order_sensitivity"] is None


def test_verbosity_is_words_for_a_word() -> None:
    proposed = sum(len(one.text.split()) for one in (LONE, CROWD, LIE, TRUTH))
    assert aggregation([made(0, "lone", text="one two three")])["verbosity"] == pytest.approx(
        3 / proposed, abs=1e-6
    )
    assert aggregation([])["verbosity"] is None


def test_what_nobody_proposed_is_found() -> None:
    found = invented(
        "The loop skips the last item. It costs 40 seconds in `run_all`. Passwords are stored as plain text.",
        ["The loop in `read` skips its last item, at line 12."],
        seen="def read(): ...",
    )
    assert found.claims == ("It costs 40 seconds in `run_all`.", "Passwords are stored as plain text.")
    assert found.numbers == ("40",)
    assert found.code == ("run_all",)


def test_what_was_proposed_or_seen_is_no_invention() -> None:
    proposals = ["`read` skips the last item at line 12.", "The 3 names in `os.path.join` are swapped."]
    aggregate = "The names in `os.path.join` are swapped. At line 12 `read` skips the last item, see `limit`."
    found = invented(aggregate, proposals, seen="+    limit = 4")
    assert found.count == 0
    assert found.looked_at > 3
    assert invented("", [], "").looked_at == 0


def test_the_nearest_are_joined_first_by_the_mean_of_their_distances() -> None:
    phi = [[None, 0.9, 0.2], [0.9, None, 0.4], [0.2, 0.4, None]]
    first, second = merges(["a", "b", "c"], phi)
    assert (first.left, first.right, first.members) == (0, 1, ("a", "b"))
    assert first.distance == pytest.approx(0.1)
    assert (second.left, second.right) == (2, 3)
    assert second.distance == pytest.approx(0.7)
    assert merges(["a", "b"], [[None, None], [None, None]]) == []


def sure(confidence: float, right: int, wrong: int) -> list[Judged]:
    return [
        Judged(
            f"{confidence}-{number}", str(number % 20), "off-by-one", number < right, True, True, confidence
        )
        for number in range(right + wrong)
    ]


def test_confidence_that_is_kept_is_calibrated() -> None:
    found = calibration(sure(0.85, 85, 15) + sure(0.25, 25, 75))
    assert found["ece"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["brier"] == pytest.approx((0.85 * 0.15 + 0.25 * 0.75) / 2)
    assert found["brier"] < found["brier_of_base_rate"]
    assert [one["n"] for one in found["bins"]] == [100, 100]
    boastful = calibration(sure(0.95, 30, 70))
    assert boastful["ece"]["value"] == pytest.approx(0.65)
    assert boastful["ece"]["low"] > boastful["ece_if_perfect"]
    assert boastful["brier"] > boastful["brier_of_base_rate"]


def test_too_few_confidences_are_not_judged() -> None:
    assert calibration([])["why"] == "nothing was said with a confidence"
    few = calibration(sure(0.5, 3, 3))
    assert few["ece"] is None
    assert few["why"] == "6 hunks accused with a confidence: at least 30 are needed"
