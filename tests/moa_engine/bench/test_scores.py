from __future__ import annotations

import pytest

from moa_engine.bench.judged import Judged
from moa_engine.bench.scores import score, scores


def hunk(
    number: int, defect: str = "", *, named: bool = False, place: bool = False, accused: bool = False
) -> Judged:
    said = accused or named or place
    return Judged(str(number), str(number // 5), defect, named, named or place, said, findings=int(said))


def test_scores_are_those_of_the_field() -> None:
    verdicts = [
        *(hunk(number, "off-by-one", named=True) for number in range(30)),
        *(hunk(number, "lost-await") for number in range(30, 40)),
        *(hunk(number, accused=True) for number in range(40, 50)),
        *(hunk(number) for number in range(50, 60)),
    ]
    found = scores(verdicts)
    assert found["precision"]["value"] == 0.75
    assert found["recall"]["value"] == 0.75
    assert found["f1"]["value"] == 0.75
    assert found["f1"]["low"] < 0.75 < found["f1"]["high"]
    assert found["false_alarms"]["value"] == 0.5
    assert found["by_defect"]["off-by-one"]["recall"]["value"] == 1
    assert found["by_defect"]["lost-await"] == {
        "recall": {"value": 0, "low": 0, "high": pytest.approx(0.2775, abs=1e-3)},
        "n": 10,
    }
    assert found["n"] == {"cases": 12, "hunks": 60, "planted": 40, "clean": 20}


def test_the_right_place_with_the_wrong_claim_counts_by_place_only() -> None:
    verdicts = [hunk(number, "off-by-one", place=True) for number in range(10)]
    found = scores(verdicts)
    assert found["recall"]["value"] == found["precision"]["value"] == found["f1"]["value"] == 0
    assert found["by_place"]["recall"]["value"] == found["by_place"]["precision"]["value"] == 1
    assert all(one.wrong for one in verdicts)


def test_a_silent_panel_has_no_precision_and_no_recall_worth_naming() -> None:
    found = score([hunk(number, "off-by-one") for number in range(20)])
    assert found.precision is None
    assert found.recall is not None
    assert found.recall.value == 0
    assert found.f1 is not None
    assert found.f1.value == 0


@pytest.mark.parametrize(
    ("verdicts", "why"),
    [
        ([], "0 cases: at least 10 are needed"),
        ([hunk(number, "off-by-one", named=True) for number in range(15)], "3 cases: at least 10 are needed"),
        ([hunk(number) for number in range(100)], "no hunk has a defect"),
        (
            [
                hunk(number, "off-by-one" if number % 5 == 0 else "", named=number % 10 == 0)
                for number in range(60)
            ],
            "the interval of F1 is too wide: 0.34 to 0.83",
        ),
    ],
)
def test_too_little_says_why(verdicts: list[Judged], why: str) -> None:
    found = scores(verdicts)
    assert not found["enough"]
    assert found["why"].startswith(why[:30])


def test_what_is_about_no_hunk_costs_precision_and_nothing_else() -> None:
    verdicts = [hunk(number, "off-by-one", named=True) for number in range(30)]
    astray = Judged("member 0", "0", "", named=False, by_place=False, accused=True, about_no_hunk=True)
    before, found = scores(verdicts), scores([*verdicts, *[astray] * 10])
    assert found["precision"]["value"] == 0.75
    assert found["about_no_hunk"] == 10
    for name in ("recall", "n", "false_alarms", "by_defect"):
        assert found[name] == before[name]
