from __future__ import annotations

import json
from typing import Any

import pytest

from moa_engine.bench.measures import measures
from moa_engine.bench.simulated import alike, simulate


def result(members: int = 3, cases: int = 40, *, error_rate: float = 0.3) -> dict[str, Any]:
    """A result file of simulated members; the first alone costs little; `all` says what `member-1` says."""
    table = simulate(
        [alike(0.5, error_rate)] * members, cases=cases, hunks_a_case=5, shared_in_case=0.5, seed=1
    )
    hunks = [
        {
            "id": f"h{number}",
            "case": f"c{case}",
            "kind": "clean" if number % 3 == 0 else "planted",
            "defect": None if number % 3 == 0 else "off-by-one",
            "unsure": "",
        }
        for number, case in enumerate(table.case_of)
    ]

    def panel(
        name: str, what: str, row: tuple[bool | None, ...], price: float, **more: Any
    ) -> dict[str, Any]:
        verdicts = []
        for hunk, wrong in zip(hunks, row, strict=True):
            named = hunk["kind"] != "clean" and not wrong
            accused = named or (hunk["kind"] == "clean" and bool(wrong))
            verdicts.append(
                {
                    "hunk": hunk["id"],
                    "named": named,
                    "by_place": named,
                    "accused": accused,
                    "confidence": 0.75 if accused else None,
                    "findings": [{}] if accused else [],
                }
            )
        spent = {"calls": cases, "cost_usd": price * cases, "seconds": 2.0 * cases}
        return {
            "name": name,
            "what": what,
            "members": [name],
            "verdicts": verdicts,
            "failed": [],
            **spent,
            **more,
        }

    panels = [
        panel(name, "member", row, 0.01 if name == "member-1" else 0.05)
        for name, row in zip(table.members, table.wrong, strict=True)
    ]
    panels += [
        panel("all", "committee", table.wrong[0], 0.2),
        panel("two", "ablation", table.wrong[0], 0.1, ablation={"name": "proposers", "value": 2}),
    ]
    proposals = [
        {"key": "a", "voices": 1, "right": True, "text": "The loop skips the last item.", "planted": "truth"},
        {"key": "b", "voices": 2, "right": False, "text": "The name is misleading.", "planted": ""},
    ]
    case = {
        "case": "c0",
        "proposals": proposals,
        "kept": ["b"],
        "reported": ["a", "b"],
        "text": "",
        "seen": "",
    }
    study = {"name": "judge", "panel": "all", "cases": [{**case, "reordered": []}]}
    return {"cases": {"hunks": hunks}, "panels": panels, "aggregations": [study]}


def test_a_result_file_has_every_measure() -> None:
    found = measures(result())
    json.dumps(found, allow_nan=False)
    assert found["scores"]["member-1"]["n"] == {"cases": 40, "hunks": 200, "planted": 133, "clean": 67}
    assert found["independence"]["enough"]
    assert 1 < found["independence"]["effective_votes"]["value"] < 3
    assert len(found["clusters"]) == 2
    assert {one["member"] for one in found["leave_one_out"]} == {"member-1", "member-2", "member-3"}
    assert all(one["effective_votes_without"] < 2 for one in found["leave_one_out"])
    assert [one["needed"] for one in found["votes"]] == [1, 2, 3]
    assert found["votes"][0]["recall"]["value"] > found["votes"][2]["recall"]["value"]
    assert found["calibration"]["member-1"]["bins"][0]["confidence"] == 0.75
    assert [one["price"] for one in found["frontier"]] == ["cost_usd", "seconds", "calls"]
    assert found["frontier"][0]["points"][0]["price"] == 0.01
    assert [point["value"] for point in found["ablations"][0]["points"]] == [2]
    assert [one["panel"] for one in found["comparisons"]] == ["all"]
    assert found["cheapest"]["unit"] == "cost_usd"


def test_an_aggregators_own_decision_stands_beside_what_a_reader_sees() -> None:
    judge = measures(result())["aggregators"][0]
    assert judge["name"] == "judge"
    assert judge["lone_truth"]["value"] == 1
    assert judge["lone_truth_kept"]["value"] == 0
    assert judge["would_drop"] == [{"case": "c0", "finding": "a", "planted": "truth"}]
    assert judge["score"]["value"] > 0


def test_hunks_that_are_unsure_judge_nobody() -> None:
    study = result()
    for hunk in study["cases"]["hunks"][:10]:
        hunk["unsure"] = "the same on every input tried"
    assert measures(study)["scores"]["all"]["n"]["hunks"] == 190


@pytest.mark.parametrize(
    ("members", "cases", "why"),
    [(1, 40, "one member: there is nobody to compare it with"), (3, 3, "3 cases: at least 10 are needed")],
)
def test_too_little_is_said_and_nothing_breaks(members: int, cases: int, why: str) -> None:
    found = measures(result(members, cases))
    json.dumps(found, allow_nan=False)
    assert found["independence"]["why"] == why
    assert not found["independence"]["enough"]


def test_nothing_at_all_breaks_nothing() -> None:
    found = measures({"cases": {"hunks": []}, "panels": []})
    json.dumps(found, allow_nan=False)
    assert not found["independence"]["enough"]
    assert not found["cheapest"]["enough"]
