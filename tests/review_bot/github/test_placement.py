import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.change import Change, ChangedFile
from review_bot.finding import ReportedFinding
from review_bot.github.model import InlineComment
from review_bot.github.placement import NO_FILE, NO_NAME, NOT_SHOWN, REFUSED, WHOLE_FILE, Placement, placed
from tests.review_bot.github.posted_markdown import fences
from tests.review_bot.github.reports import marked, report_of
from tests.review_bot.review_outcomes import finding
from tests.review_bot.sample_change import change

BASE = "".join(f"line {number}\n" for number in range(1, 41))
HEAD = BASE.replace("line 5\n", "five\n").replace("line 20\n", "").replace("line 30\n", "30\nand more\n")
CHANGE = change(
    {"a.txt": BASE, "old.py": "x = 1\ny = 2\nz = 3\n"},
    {"a.txt": HEAD, "new.py": "x = 1\nz = 3\n"},
    {"old.py": "new.py"},
)


def place(*findings: ReportedFinding, about: Change = CHANGE, limit: int = 30) -> Placement:
    return placed(findings, report_of(list(findings), about), marked, limit)


def one(**fields: object) -> InlineComment | str:
    """Where a finding is placed, else why it is not."""
    placement = place(finding(**{"path": "a.txt", **fields}))
    return placement.inline[0] if placement.inline else placement.in_body[0][1]


def where(comment: InlineComment | str) -> object:
    return comment if isinstance(comment, str) else (comment.side, comment.start_line, comment.line)


@pytest.mark.parametrize(
    ("side", "start", "line", "expected"),
    [
        ("RIGHT", 5, 5, ("RIGHT", None, 5)),
        ("RIGHT", 4, 6, ("RIGHT", 4, 6)),
        ("RIGHT", None, 5, ("RIGHT", None, 5)),
        ("RIGHT", 1, 39, ("RIGHT", 26, 33)),  # the hunk that shows most of it
        ("RIGHT", 7, 12, ("RIGHT", 7, 8)),
        ("RIGHT", 12, 12, NOT_SHOWN),
        ("RIGHT", 400, 400, NOT_SHOWN),
        ("LEFT", 20, 20, ("LEFT", None, 20)),
        ("LEFT", 17, 23, ("LEFT", None, 20)),
        ("LEFT", 18, 18, NOT_SHOWN),  # it was not removed
        ("RIGHT", None, None, WHOLE_FILE),
    ],
)
def test_a_comment_is_on_lines_that_the_diff_shows(
    side: str, start: int | None, line: int | None, expected: object
) -> None:
    assert where(one(side=side, start_line=start, line=line)) == expected


def test_a_file_that_the_diff_does_not_show_has_no_comments() -> None:
    assert one(path="b.txt") == NO_FILE
    mode = Change("b", "h", (ChangedFile("run.sh", "mode", old_mode="100644", new_mode="100755"),))
    assert place(finding(path="run.sh"), about=mode).in_body[0][1] == NO_FILE


def test_a_file_whose_name_is_no_text_has_no_comments() -> None:
    about = change({}, {"caf\udce9.txt": "x\n"})
    found = finding(path="caf\udce9.txt", start_line=1, line=1)
    assert place(found, about=about).in_body[0][1] == NO_NAME


def test_removed_lines_of_a_renamed_file_are_found_below_its_new_name() -> None:
    for path in ("old.py", "new.py"):
        comment = one(path=path, side="LEFT", start_line=2, line=2)
        assert isinstance(comment, InlineComment)
        assert (comment.path, comment.side, comment.line) == ("new.py", "LEFT", 2)


def test_a_copy_has_no_left_side() -> None:
    file = CHANGE.file("a.txt")
    assert file
    copy = Change("b", "h", (ChangedFile("a.txt", "copied", file.hunks, old_path="o.txt"),))
    found = finding(path="a.txt", side="LEFT", start_line=20, line=20)
    assert place(found, about=copy).in_body[0][1] == NOT_SHOWN


def test_a_part_of_the_lines_is_said_to_be_a_part() -> None:
    whole, part = one(start_line=4, line=6), one(start_line=7, line=12)
    assert isinstance(whole, InlineComment)
    assert isinstance(part, InlineComment)
    assert "of which the diff shows a part" not in whole.body
    assert "`a.txt:7-12`, of which the diff shows a part" in part.body


def test_only_confirmed_findings_are_comments_the_worst_first_and_nothing_is_lost() -> None:
    standings = ("minority", "confirmed", "disputed", "rejected")
    severities = ("nit", "major", "critical", "minor")
    findings = [
        finding(id=f"{standing}-{severity}-{number}", path="a.txt", start_line=5, line=5,
                standing=standing, severity=severity)
        for standing in standings for severity in severities for number in range(3)
    ]  # fmt: skip
    random.Random(5).shuffle(findings)
    placement = place(*findings, limit=7)
    ids = [comment.finding_id for comment in placement.inline]
    assert [id.rpartition("-")[0] for id in ids] == ["confirmed-critical"] * 3 + ["confirmed-major"] * 3 + [
        "confirmed-minor"
    ]
    assert ids == [found.id for found in placement.findings]
    reasons = {found.id: why for found, why in placement.in_body}
    assert {*ids, *reasons} == {found.id for found in findings}
    assert len(ids) + len(placement.in_body) == len(findings)
    assert {why for id, why in reasons.items() if id.startswith("confirmed")} == {
        "7 comments on lines are enough for one review"
    }


def test_halving_ends_without_comments_and_loses_nothing() -> None:
    findings = [
        finding(id="left", path="a.txt", side="LEFT", start_line=20, line=20),
        finding(id="range", path="a.txt", start_line=4, line=6),
        finding(id="line", path="a.txt", start_line=5, line=5),
        finding(id="other", path="a.txt", start_line=29, line=29),
        finding(id="minor", path="a.txt", standing="minority", start_line=29, line=29),
    ]
    placement = place(*findings)
    seen = []
    while placement.inline:
        placement = placement.halved()
        seen.append([comment.finding_id for comment in placement.inline])
        assert seen[-1] == [found.id for found in placement.findings]
        everything = [*placement.findings, *(found for found, _ in placement.in_body)]
        assert {found.id for found in everything} == {found.id for found in findings}
    assert seen == [["line", "other"], ["line"], []]
    assert {found.id: why for found, why in placement.in_body}["left"] == REFUSED
    assert placement.halved() == placement


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(
    st.lists(st.sampled_from("abcde"), max_size=14),
    st.lists(st.sampled_from("abcde"), max_size=14),
    st.sampled_from(["LEFT", "RIGHT"]),
    st.integers(1, 16),
    st.integers(0, 6),
)
def test_every_comment_is_one_that_github_accepts(
    old: list[str], new: list[str], side: str, start: int, more: int
) -> None:
    about = change({"f.txt": "".join(f"{x}\n" for x in old)}, {"f.txt": "".join(f"{x}\n" for x in new)})
    found = finding(path="f.txt", side=side, start_line=start, line=start + more, suggestion="new text")
    placement = place(found, about=about)
    assert len(placement.inline) + len(placement.in_body) == 1
    for comment in placement.inline:
        (file,) = about.files
        first = comment.start_line or comment.line
        assert comment.start_line is None or comment.start_line < comment.line
        assert start <= first <= comment.line <= start + more
        holding = []
        for hunk in file.hunks:
            lines = list(hunk.lines())
            right = {line.new for line in lines if line.new}
            left = {line.old for line in lines if line.mark == "-"}
            holding.append({first, comment.line} <= (right if side == "RIGHT" else left))
        assert any(holding)
        if fences(comment.body, "suggestion"):
            assert side == "RIGHT"
            assert (first, comment.line) == (start, start + more)


CODE = "def mean(xs):\n    total = sum(xs)\n    return total / len(xs)\n"


def suggested(text: str, head: str = CODE, start: int = 3, line: int = 3, path: str = "m.py") -> list[str]:
    """The committable suggestions of a comment on lines of a new file."""
    found = finding(path=path, start_line=start, line=line, suggestion=text)
    (comment,) = place(found, about=change({}, {path: head})).inline
    return fences(comment.body, "suggestion")


def test_a_suggestion_that_applies_can_be_committed() -> None:
    good = "    return total / len(xs) if xs else 0"
    assert suggested(good) == [good + "\n"]
    assert suggested(good + "\n") == [good + "\n"]
    assert suggested("```\n````", path="m.md", head="a\nb\nc\n") == ["```\n````\n"]
    assert suggested("", head="a\nb\nc\n", path="m.txt") == [""]  # deletes the line


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("    return total / len(xs)", CODE),  # as it is
        ("    return total / len(xs", CODE),  # Python that could be parsed, and could not any more
        ("return 1 if xs else 0\n  x", CODE),
        ("    return 1", CODE.replace("\n", "\r\n")),  # other line ends
        ("    return 1\r", CODE),
        ("    return 1  # \u202e", CODE),  # not what it looks like
        ("    return '<masked:github-token:0a1b2c3d>'", CODE),  # a secret's mask is no secret
        ("    return " + "1 + " * 3_000 + "1", CODE),
        ("    return ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0xL3rU6", CODE),
    ],
)
def test_a_suggestion_that_would_do_something_else_cannot_be_committed(text: str, head: str) -> None:
    assert suggested(text, head) == []


def test_broken_python_may_be_repaired() -> None:
    assert suggested("    return total", "def mean(xs):\n    total = sum(xs)\n    return total /\n")


def test_lines_on_the_left_or_with_a_masked_secret_are_not_replaced() -> None:
    left = finding(path="a.txt", side="LEFT", start_line=20, line=20, suggestion="x")
    (comment,) = place(left).inline
    assert fences(comment.body, "suggestion") == []
    masked = change({}, {"m.py": "token = '<masked:github-token:0a1b2c3d>'\n"})
    (comment,) = place(
        finding(path="m.py", start_line=1, line=1, suggestion="token = ''"), about=masked
    ).inline
    assert fences(comment.body, "suggestion") == []
