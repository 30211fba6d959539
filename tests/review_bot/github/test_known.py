"""What is kept of hunks and findings, and what is told from it later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.anchors import Anchors
from review_bot.change import Change, ChangedFile, Hunk
from review_bot.finding import ReportedFinding, Severity
from review_bot.github.hunks import MOST, changed_since, digests
from review_bot.github.known import fails, fingerprint, id_of, standing, told_before


def hunk(*lines: str, at: int = 1) -> Hunk:
    old, new = (sum(line[0] != mark for line in lines) for mark in "+-")
    return Hunk(at, old, at, new, "", "".join(line + "\n" for line in lines))


def change(*files: ChangedFile) -> Change:
    return Change("a" * 40, "b" * 40, files)


SHOP = ChangedFile(
    "shop.py",
    "modified",
    (hunk(" a = 1", "-b = 2", "+b = 3"), hunk("+c = 1", "+d = 2", at=20)),
    head_text="a = 1\nb = 3\n" + "\n" * 17 + "c = 1\nd = 2\n",
)


def finding(
    title: str = "It is wrong here", *, line: int = 2, rule: str = "", **more: object
) -> ReportedFinding:
    fields = {
        "id": "aaaa00000001", "path": "shop.py", "side": "RIGHT", "start_line": line, "line": line,
        "severity": "major", "category": "bug", "title": title, "body": "", "suggestion": None,
        "standing": "confirmed", "reason": None, "raised_by": [], "seconded_by": [], "disputed_by": [],
        "evidence": [], "rule": rule,
    }  # fmt: skip
    return ReportedFinding.model_validate({**fields, **more})


def test_a_hunk_is_known_wherever_it_moves() -> None:
    moved = replace(SHOP, hunks=tuple(replace(one, old_start=99, new_start=98) for one in SHOP.hunks))
    assert changed_since(change(moved), digests(change(SHOP))) == {}


def test_only_changed_hunks_are_asked_about() -> None:
    edited = replace(SHOP, hunks=(SHOP.hunks[0], hunk("+c = 1", "+d = 4", at=20)))
    mode = ChangedFile("run.sh", "mode", old_mode="100644", new_mode="100755")
    assert changed_since(change(edited, mode), digests(change(SHOP))) == {"shop.py": [1], "run.sh": []}


def test_the_same_lines_a_second_time_are_new() -> None:
    twice = replace(SHOP, hunks=(*SHOP.hunks, hunk("+c = 1", "+d = 2", at=40)))
    assert changed_since(change(twice), digests(change(SHOP))) == {"shop.py": [2]}
    other = replace(SHOP, path="other.py")
    assert changed_since(change(other), digests(change(SHOP))) == {"other.py": [0, 1]}


def test_of_a_large_change_files_are_kept() -> None:
    many = tuple(hunk(f"+line_{number}", at=number) for number in range(MOST + 1))
    large = change(replace(SHOP, hunks=many), replace(SHOP, path="small.py"))
    kept = digests(large)
    assert len(kept) == 2
    assert changed_since(large, kept) == {}
    edited = replace(large, files=(replace(large.files[0], hunks=(*many, hunk("+x"))), large.files[1]))
    assert list(changed_since(edited, kept)) == ["shop.py"]


def test_a_tools_finding_is_its_id() -> None:
    anchors = Anchors(change(SHOP))
    kept = fingerprint(finding(rule="F821"), anchors)
    assert kept == "aaaa00000001/j"
    told = told_before([finding(rule="F821"), finding(rule="F821", id="aaaa00000002")], anchors, [kept])
    assert [one.id for one, _ in told.new] == ["aaaa00000002"]
    assert [one.id for one, _ in told.again] == ["aaaa00000001"]


@pytest.mark.parametrize(
    ("title", "line", "is_new"),
    [
        ("Here it is wrong", 2, False),
        ("The value is wrong", 2, False),
        ("Leaks a file handle", 2, True),
        ("It is wrong here", 20, True),
    ],
)
def test_a_models_finding_is_known_by_place_and_words(title: str, line: int, is_new: bool) -> None:
    anchors = Anchors(change(SHOP))
    kept = fingerprint(finding("The wrong value"), anchors)
    told = told_before([finding(title, line=line, id="bbbb00000001")], anchors, [kept])
    assert bool(told.new) == is_new
    if not is_new:
        assert [id_of(one) for _, one in told.again] == ["aaaa00000001"]


def test_one_known_finding_stands_for_one() -> None:
    anchors = Anchors(change(SHOP))
    kept = fingerprint(finding("The wrong value"), anchors)
    twins = [finding("Value is wrong", id="bbbb00000001"), finding("Wrong value", id="bbbb00000002")]
    told = told_before(twins, anchors, [kept])
    assert (len(told.new), len(told.again)) == (1, 1)


def test_a_finding_stands_for_as_long_as_its_code() -> None:
    kept = fingerprint(finding("The wrong value"), Anchors(change(SHOP)))
    moved = replace(SHOP, head_text="\n\n" + (SHOP.head_text or ""))
    gone = replace(SHOP, head_text="a = 1\n")
    assert standing([kept], change(moved)) == (kept,)
    assert standing([kept], change(gone)) == ()
    assert standing([kept], change()) == ()


def test_a_tools_finding_stands_while_the_tools_cannot_look() -> None:
    assert standing(["aaaa00000001/j"], change(SHOP)) == ()
    assert standing(["aaaa00000001/j"], change(SHOP), tools_failed=True) == ("aaaa00000001/j",)


@pytest.mark.parametrize(
    ("severity", "where", "expected"),
    [
        ("critical", "confirmed", True),
        ("major", "confirmed", True),
        ("minor", "confirmed", False),
        ("critical", "minority", False),
    ],
)
def test_what_is_kept_can_fail_a_build(severity: Severity, where: str, expected: bool) -> None:
    kept = fingerprint(finding(severity=severity, standing=where), Anchors(change(SHOP)))
    assert fails(kept, "major") == expected
    assert not fails(kept, "never")


@given(st.lists(st.text("/-abj.0123456789é\n", max_size=60), max_size=5))
def test_whatever_a_marker_holds_is_read_without_an_error(kept: list[str]) -> None:
    anchors = Anchors(change(SHOP))
    told = told_before([finding()], anchors, kept)
    assert len(told.new) + len(told.again) == 1
    assert set(standing(kept, change(SHOP))) <= set(kept)
    assert not any(fails(one, "never") for one in kept)
