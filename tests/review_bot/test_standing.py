"""What findings amount to, from ledgers made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from moa_engine.ledger import Decision, Fact, Item, Ledger, Stance
from review_bot.anchors import Anchors
from review_bot.change import Change, ChangedFile, Hunk
from review_bot.conclusion import ADDED, Rulings, conclude
from review_bot.finding import Finding, ReportedFinding, Review
from review_bot.standing import Voice

SOURCE = [f"line_{number} = {number}" for number in range(1, 201)]
FILES = tuple(
    ChangedFile(path, "added", (Hunk(0, 0, 1, 200, "", "".join(f"+{line}\n" for line in SOURCE)),))
    for path in ("a.py", "b.py")
)
ANCHORS = Anchors(Change("", "", FILES))

VOICES = {
    "ruff": Voice("ruff", deterministic=True),
    "qwen": Voice("qwen"),
    "qwen-small": Voice("qwen"),
    "llama": Voice("llama"),
    "gemma": Voice("gemma"),
    "phi": Voice("phi"),
}

ZERO = "Division by zero when the list is empty"
ZERO_TOO = "ZeroDivisionError for an empty list"
LOCK = "The counter is increased without a lock"


def finding(title: str = ZERO, line: int | None = 10, **more: Any) -> Finding:
    fields: dict[str, Any] = {"path": "a.py", "severity": "major", "category": "bug", **more}
    return Finding(title=title, start_line=line, line=line, **fields)


def item(
    author: str, title: str = ZERO, line: int | None = 10, *, layer: int = 1, sample: int = 0, **more: Any
) -> Item:
    name = f"{author}-{title[:4]}-{line}-{layer}-{sample}".encode().hex()[-40:]
    return Item(name, author, layer, finding(title, line, **more), sample)


def stance(member: str, about: Item, position: str, why: str = "", layer: int = 2) -> Stance:
    return Stance(about.id, member, layer, position, why)  # type: ignore[arg-type]


def review(
    *items: Item,
    stances: tuple[Stance, ...] = (),
    facts: tuple[Fact, ...] = (),
    decisions: tuple[Decision, ...] = (),
    added: tuple[Item, ...] = (),
    by: str = "phi",
) -> Review:
    ledger = Ledger(items=items, stances=stances, facts=facts)
    return conclude(ledger, ANCHORS, VOICES, Rulings(by, decisions, added))


def only(found: Review) -> ReportedFinding:
    [reported] = found.findings
    return reported


def decision(verdict: str, *items: Item, reason: str = "") -> Decision:
    return Decision(ids=[item.id for item in items], verdict=verdict, reason=reason)  # type: ignore[arg-type]


# Voices


def test_one_voice_is_a_minority() -> None:
    found = only(review(item("qwen")))
    assert (found.standing, found.raised_by, found.reason) == ("minority", ["qwen"], None)


def test_two_families_that_raise_the_same_confirm_it() -> None:
    found = only(review(item("qwen"), item("llama", ZERO_TOO, 11)))
    assert (found.standing, found.raised_by) == ("confirmed", ["llama", "qwen"])
    assert {found.title, *(merged["title"] for merged in found.merged)} == {ZERO, ZERO_TOO}


def test_the_same_place_alone_confirms_nothing() -> None:
    found = review(item("qwen"), item("llama", LOCK, 10)).findings
    assert [one.standing for one in found] == ["minority", "minority"]


def test_a_family_has_one_vote() -> None:
    found = only(review(item("qwen"), item("qwen-small", ZERO_TOO)))
    assert (found.standing, found.raised_by) == ("minority", ["qwen", "qwen-small"])


def test_samples_of_one_member_share_a_vote() -> None:
    found = only(review(item("qwen"), item("qwen", ZERO_TOO, sample=1)))
    assert (found.standing, found.raised_by) == ("minority", ["qwen"])


def test_agreeing_in_a_later_layer_is_a_voice() -> None:
    raised = item("qwen")
    seconded = review(raised, stances=(stance("llama", raised, "agree", "len can be 0"),))
    assert (only(seconded).standing, only(seconded).seconded_by) == ("confirmed", ["llama"])
    assert only(seconded).stances == [{"member": "llama", "position": "agree", "why": "len can be 0"}]
    own_family = review(raised, stances=(stance("qwen-small", raised, "agree"),))
    assert (only(own_family).standing, only(own_family).seconded_by) == ("minority", ["qwen-small"])
    unsure = review(raised, stances=(stance("llama", raised, "unsure"),))
    assert (only(unsure).standing, only(unsure).seconded_by) == ("minority", [])


def test_an_unknown_member_counts_as_its_own_family_and_as_no_tool() -> None:
    found = only(review(item("stranger")))
    assert found.standing == "minority"


@pytest.mark.parametrize("name", ["ruff", "ruff of another section"])
def test_a_tool_confirms_and_a_name_alone_makes_no_tool(name: str) -> None:
    assert only(review(item(name))).standing == ("confirmed" if name == "ruff" else "minority")


# Disputes


@pytest.mark.parametrize(
    ("agreeing", "disputing", "standing"),
    [
        ([], ["llama"], "disputed"),
        (["gemma"], ["llama"], "confirmed"),
        (["gemma"], ["llama", "phi"], "disputed"),
        ([], ["qwen-small"], "minority"),  # the family contradicts itself
    ],
)
def test_a_dispute_stands_unless_it_is_outvoted(
    agreeing: list[str], disputing: list[str], standing: str
) -> None:
    raised = item("qwen")
    stances = [stance(name, raised, "agree") for name in agreeing]
    stances += [stance(name, raised, "dispute", f"{name} sees a guard") for name in disputing]
    found = only(review(raised, stances=tuple(stances)))
    assert (found.standing, found.disputed_by) == (standing, sorted(disputing))
    if standing == "disputed":
        assert found.reason == "; ".join(f"{name}: {name} sees a guard" for name in disputing)


def test_the_last_word_of_a_member_counts() -> None:
    raised = item("qwen")
    withdrawn = only(review(raised, stances=(stance("qwen", raised, "dispute", "there is a guard"),)))
    assert (withdrawn.standing, withdrawn.raised_by, withdrawn.disputed_by) == (
        "disputed",
        ["qwen"],
        ["qwen"],
    )
    convinced = only(
        review(
            raised,
            stances=(stance("llama", raised, "dispute", layer=2), stance("llama", raised, "agree", layer=3)),
        )
    )
    assert (convinced.standing, convinced.seconded_by, convinced.disputed_by) == ("confirmed", ["llama"], [])


def test_only_disputes_give_reasons_against() -> None:
    raised = item("qwen")
    changed = (
        stance("llama", raised, "agree", "true at first sight"),
        stance("llama", raised, "dispute", "no", 3),
    )
    assert only(review(raised, stances=changed)).reason == "llama: no"


def test_samples_that_contradict_each_other_cancel_out() -> None:
    raised = item("qwen")
    split = (stance("llama", raised, "agree"), stance("llama", raised, "dispute"))
    found = only(review(raised, stances=split))
    assert (found.standing, found.seconded_by, found.disputed_by) == ("minority", [], [])


def test_a_tool_outranks_disputes_and_they_are_shown() -> None:
    raised = item("ruff")
    stances = tuple(stance(name, raised, "dispute", "fine") for name in ("qwen", "llama", "gemma"))
    found = only(review(raised, stances=stances))
    assert (found.standing, found.disputed_by, found.reason) == (
        "confirmed",
        ["gemma", "llama", "qwen"],
        None,
    )
    assert len(found.stances) == 3


# Facts


def test_executed_evidence_confirms() -> None:
    raised = item("qwen")
    fact = Fact("test", "fails with ZeroDivisionError", raised.id, supports=True, data={"seconds": 1})
    disputed = stance("llama", raised, "dispute", "impossible")
    found = only(review(raised, stances=(disputed,), facts=(fact,)))
    assert (found.standing, found.disputed_by) == ("confirmed", ["llama"])
    assert found.evidence == [
        {"kind": "test", "text": "fails with ZeroDivisionError", "supports": True, "data": {"seconds": 1}}
    ]


def test_executed_evidence_refutes() -> None:
    one, other = item("qwen"), item("llama", ZERO_TOO)
    fact = Fact("test", "returns 0", one.id, supports=False)
    alone = only(review(one, facts=(fact,)))
    assert (alone.standing, alone.reason) == ("disputed", "test: returns 0")
    held = only(review(one, other, facts=(fact,)))
    assert (held.standing, held.reason) == ("disputed", "test: returns 0")
    tool = item("ruff")
    assert only(review(tool, facts=(Fact("test", "no", tool.id, supports=False),))).standing == "disputed"


def test_a_fact_that_decides_nothing_is_shown() -> None:
    raised = item("qwen")
    found = only(review(raised, facts=(Fact("coverage", "line 10 ran", raised.id),)))
    assert (found.standing, len(found.evidence)) == ("minority", 1)


# The aggregator


def test_an_aggregator_rejects_one_voice_with_a_reason() -> None:
    raised = item("qwen")
    found = only(review(raised, decisions=(decision("rejected", raised, reason="line 9 guards it"),)))
    assert (found.standing, found.reason, found.disputed_by) == ("rejected", "phi: line 9 guards it", ["phi"])
    assert found.stances == [{"member": "phi", "position": "dispute", "why": "line 9 guards it"}]


def test_without_a_reason_nothing_is_rejected() -> None:
    raised = item("qwen")
    result = review(raised, decisions=(decision("rejected", raised),))
    assert only(result).standing == "minority"
    assert "without a reason" in result.objections[0]


def test_what_two_voices_hold_an_aggregator_can_only_dispute() -> None:
    one, other = item("qwen"), item("llama", ZERO_TOO)
    found = only(review(one, other, decisions=(decision("rejected", one, other, reason="no"),)))
    assert (found.standing, found.reason) == ("disputed", "phi: no")


@pytest.mark.parametrize("verdict", ["rejected", "disputed"])
def test_tools_and_evidence_are_out_of_an_aggregators_reach(verdict: str) -> None:
    tool, proved = item("ruff"), item("qwen", LOCK, 50)
    fact = Fact("test", "loses counts", proved.id, supports=True)
    decisions = (decision(verdict, tool, reason="harmless"), decision(verdict, proved, reason="harmless"))
    result = review(tool, proved, facts=(fact,), decisions=decisions)
    assert [one.standing for one in result.findings] == ["confirmed", "confirmed"]
    assert all(one.disputed_by == ["phi"] for one in result.findings)
    assert len([text for text in result.objections if "tool or evidence" in text]) == 2


def test_dropping_a_duplicate_rejects_no_claim() -> None:
    one, other = item("qwen"), item("llama", ZERO_TOO)
    decisions = (decision("kept", one), decision("rejected", other, reason="same as the other"))
    assert only(review(one, other, decisions=decisions)).standing == "confirmed"


def test_what_an_aggregator_leaves_out_comes_back() -> None:
    one, other = item("qwen"), item("llama", LOCK, 50)
    result = review(one, other, decisions=(decision("kept", one),))
    assert [found.raised_by for found in result.findings] == [["qwen"], ["llama"]]


def test_hostile_decisions_change_nothing() -> None:
    raised = item("qwen")
    result = review(
        raised,
        decisions=(
            Decision(ids=["00000000", "' OR 1=1", ""], verdict="rejected", reason="x"),
            Decision(ids=[], verdict="rejected", reason="x"),
            decision("kept", raised),
            decision("rejected", raised, reason="second thoughts"),
        ),
    )
    assert only(result).standing == "minority"
    assert len(result.objections) == 4


def test_merging_unites_what_shares_no_words_within_a_place() -> None:
    one, other = item("qwen"), item("llama", "mean([]) crashes", 14)
    assert len(review(one, other).findings) == 2
    merged = only(review(one, other, decisions=(decision("merged", one, other),)))
    assert (merged.standing, merged.raised_by) == ("confirmed", ["llama", "qwen"])


@pytest.mark.parametrize("elsewhere", [{"path": "b.py"}, {"line": 150}])
def test_merging_does_not_reach_into_other_files_or_far_places(elsewhere: dict[str, Any]) -> None:
    one, other = item("qwen"), item("llama", "mean([]) crashes", **{"line": 14, **elsewhere})
    result = review(one, other, decisions=(decision("merged", one, other),))
    assert [found.standing for found in result.findings] == ["minority", "minority"]
    assert "not one finding" in result.objections[0]


def test_merging_hides_no_tools_finding_behind_another_of_the_same_tool() -> None:
    one, other = item("ruff", "Possible SQL injection", 27), item("ruff", "Call with shell=True", 33)
    result = review(one, other, decisions=(decision("merged", one, other),))
    assert [found.line for found in result.findings] == [27, 33]
    assert "not one finding" in result.objections[0]


def test_a_list_of_what_to_keep_merges_nothing() -> None:
    one, other = item("qwen"), item("llama", LOCK, 14)
    assert len(review(one, other, decisions=(decision("kept", one, other),)).findings) == 2


def test_what_an_aggregator_adds_is_marked_as_its_own() -> None:
    raised, own = item("qwen"), item("phi", LOCK, 50, layer=3)
    added = review(raised, added=(own,)).findings[1]
    assert (added.title, added.raised_by, added.reason, added.standing) == (LOCK, ["phi"], ADDED, "minority")


def test_repeating_a_finding_is_no_second_voice_of_an_aggregator() -> None:
    raised, own = item("qwen"), item("phi", ZERO_TOO, layer=3)
    found = only(review(raised, added=(own,)))
    assert (found.standing, found.raised_by, found.title) == ("minority", ["qwen"], ZERO)
    assert [merged["member"] for merged in found.merged] == ["phi"]


# What is reported


def test_a_tool_speaks_for_all_and_the_others_words_are_kept() -> None:
    tool = item("ruff", "Possible division by zero: list may be empty", rule="DIV0", severity="minor")
    result = only(review(item("qwen", severity="critical", body="mean([])"), tool))
    assert (result.title, result.rule, result.raised_by) == (tool.body.title, "DIV0", ["ruff", "qwen"])  # type: ignore[attr-defined]
    assert result.merged[0]["member"] == "qwen"
    assert result.merged[0]["body"] == "mean([])"


def test_the_words_nearest_to_all_speak_for_them() -> None:
    others = [
        item("qwen", "Division by zero for an empty list"),
        item("llama", "Division by zero, list empty"),
    ]
    found = only(review(item("gemma", "zero list crash oops wow empty unrelated words here"), *others))
    assert found.title != "zero list crash oops wow empty unrelated words here"


def test_a_place_is_better_than_none() -> None:
    found = only(review(item("gemma", ZERO, None), item("qwen", ZERO_TOO, 10)))
    assert (found.line, found.title) == (10, ZERO_TOO)


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        (["critical"], "critical"),
        (["critical", "minor"], "critical"),
        (["critical", "nit", "minor"], "minor"),
    ],
)
def test_severity_is_the_median_of_the_reviewers(said: list[str], severity: str) -> None:
    authors = ["qwen", "llama", "gemma"]
    items = [item(author, severity=rank) for author, rank in zip(authors, said, strict=False)]
    assert only(review(*items)).severity == severity


def test_a_tool_decides_the_severity() -> None:
    found = only(
        review(
            item("ruff", severity="minor"), item("qwen", severity="critical"), item("llama", severity="nit")
        )
    )
    assert found.severity == "minor"


def test_a_suggestion_for_the_same_lines_is_taken_over() -> None:
    tool = item("ruff", rule="DIV0")
    with_fix = item("qwen", suggestion="    return 0")
    elsewhere = item("llama", ZERO_TOO, 11, suggestion="    return 1")
    assert only(review(tool, with_fix)).suggestion == "    return 0"
    assert only(review(tool, elsewhere)).suggestion is None


def test_ids_stay_when_lines_move_and_differ_within_a_report() -> None:
    moved = "".join(f"+{line}\n" for line in ["import new", *SOURCE])
    anchors = Anchors(Change("", "", (ChangedFile("a.py", "added", (Hunk(0, 0, 1, 201, "", moved),)),)))
    before = only(review(item("qwen")))
    after = only(conclude(Ledger(items=(item("qwen", line=11),)), anchors, VOICES))
    assert before.id == after.id
    assert before.id != only(review(item("qwen", LOCK))).id
    assert before.id != only(review(item("qwen", line=12))).id
    assert len(before.id) == 12
    twins = review(
        item("qwen", line=None), item("qwen", line=None, sample=1, path="a.py"), item("ruff", line=None)
    )
    ids = [found.id for found in twins.findings]
    assert len(set(ids)) == len(ids)


def test_findings_are_ranked_by_standing_severity_votes_and_place() -> None:
    confirmed = [item("ruff", "unused import", 90, severity="nit"), item("ruff", "undefined name", 80)]
    disputed, rejected = item("llama", LOCK, 120), item("qwen", "wrong unit of the timeout", 150)
    lone = [item("qwen", ZERO, 30), item("gemma", "file stays open", 20, severity="critical")]
    result = review(
        *lone,
        disputed,
        *confirmed,
        rejected,
        stances=(stance("qwen", disputed, "dispute", "locked"),),
        decisions=(decision("rejected", rejected, reason="seconds"),),
    )
    assert [(found.standing, found.line) for found in result.findings] == [
        ("confirmed", 80),
        ("confirmed", 90),
        ("disputed", 120),
        ("minority", 20),
        ("minority", 30),
        ("rejected", 150),
    ]


def test_the_order_of_the_ledger_does_not_matter() -> None:
    items = [
        item("qwen"),
        item("llama", ZERO_TOO, 11),
        item("gemma", LOCK, 11),
        item("ruff", "unused import", 90),
        item("phi", ZERO, None),
    ]
    one = review(*items).model_dump_json()
    other = review(*reversed(items)).model_dump_json()
    assert one == other


def test_nothing_is_lost_among_a_thousand_findings() -> None:
    authors = ["ruff", "qwen", "llama", "gemma"]
    items = [
        item(authors[n % 4], f"{ZERO} in case {n}", n % 200 + 1, sample=n // 4, path="ab"[n % 2] + ".py")
        for n in range(1000)
    ]
    result = review(*items, decisions=tuple(decision("rejected", one, reason="no") for one in items[:500]))
    reported = sum(1 + len(found.merged) for found in result.findings)
    assert reported == 1000
    assert len({found.id for found in result.findings}) == len(result.findings)
