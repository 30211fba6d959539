from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from review_bot.change import NotReviewed
from review_bot.finding import UnplacedFinding
from review_bot.github.comment_body import comment_body, gone_body
from review_bot.github.fitting import Part, Section, bounded, characters, fitted
from review_bot.github.job_summary import job_summary
from review_bot.github.marker import Marker, read_marker, write_marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.placement import Placement, placed
from review_bot.github.report import cut
from review_bot.github.review_body import review_body
from review_bot.github.summary_body import Row, summary_body
from tests.review_bot.github.posted_markdown import assert_harmless, prose
from tests.review_bot.github.reports import RUN, marked, report_of
from tests.review_bot.review_outcomes import CHANGE, FINDINGS, HEAD, finding

REPORT = report_of(FINDINGS)
REVIEW = Marker("review", RUN, HEAD, ("aaaa0001",))
SUMMARY = Marker("summary", RUN, HEAD, ("aaaa0001",))


def test_a_comment_says_what_where_from_whom_and_shows_the_proof_folded() -> None:
    (comment,) = placed(FINDINGS, REPORT, marked).inline
    assert comment.body.partition("\n")[2] == snapshot("""\
**critical** `security S602` **Shell command built from a request parameter**

`name` comes from the query string and reaches a shell.

Suggestion:

```diff
-     subprocess.run(f"zip -r out.zip {name}", shell=True)
+     subprocess.run(["zip", "-r", "out.zip", name])
```

<details>
<summary>Evidence (1)</summary>

- test: export('x; id') ran id (confirms it)

</details>

raised by ruff, qwen; seconded by mistral

<sub>finding `aaaa0001`</sub>\
""")


def test_a_review_has_all_that_is_no_comment() -> None:
    placement = placed(FINDINGS, REPORT, marked)
    body = review_body(REPORT, placement, REVIEW, notes=["The head moved while this was written"])
    assert read_marker(body) == REVIEW
    assert body.split("\n")[1:6] == [
        "### Review of `1111111111..2222222222`: 1 confirmed, 1 disputed, 2 minority, 1 rejected",
        "",
        "- The head moved while this was written",
        "",
        "1 comment on lines of the diff.",
    ]
    text = prose(body)
    for found, _ in placement.in_body:
        assert found.title in text
        assert f"`{found.id}`" in body
    assert "Shell command" not in text  # it is a comment on its line
    for said in ("disputed by llama (redirect() checks the host)", "run 20260801-101112-abc123", "$0.0123"):
        assert said in text
    assert "<summary>Not reviewed (2)</summary>\n\n- `uv.lock`: lock file" in body
    assert "<summary>Members (4)</summary>\n\n| member |" in body
    assert "| mistral | `mistral-small` | proposer | 2 |" in body


def test_a_finding_that_is_no_comment_says_why() -> None:
    placement = placed(FINDINGS, REPORT, marked).halved()
    body = review_body(REPORT, placement, REVIEW)
    assert "<sub>finding `aaaa0001`; no comment on a line: GitHub refused comments on lines</sub>" in body


def test_a_summary_shows_what_needs_attention_first() -> None:
    rows = [
        Row("old1", "gone"),
        Row("aaaa0004", "open", FINDINGS[3]),
        Row("aaaa0002", "new", FINDINGS[2]),
        Row("aaaa0001", "new", FINDINGS[1]),
        Row("old2", "dismissed"),
    ]
    body = summary_body(REPORT, rows, SUMMARY)
    assert read_marker(body) == SUMMARY
    assert body.split("\n")[1:12] == [
        "### Review of `1111111111..2222222222`: 2 new, 1 open, 1 gone, 1 dismissed",
        "",
        "#### Findings",
        "",
        "| state | severity | finding | place | id |",
        "| --- | --- | --- | --- | --- |",
        f"| new | critical | {FINDINGS[1].title} | `shop/export.py:12` | `aaaa0001` |",
        "| new | major | Open redirect | `shop/export.py:14` | `aaaa0002` |",
        f"| open | minor | {FINDINGS[3].title} | `shop/export.py:12 (before the change)` | `aaaa0004` |",
        "| gone |  |  |  | `old1` |",
        "| dismissed |  |  |  | `old2` |",
    ]


def test_what_an_aggregator_rejected_does_not_vanish() -> None:
    body = summary_body(REPORT, [], SUMMARY)
    assert "<summary>Rejected (1): " in body
    assert "Rejected: qwen: the order is documented" in body
    assert "Open redirect" not in body


def test_nothing_recorded_is_nowhere_to_be_read() -> None:
    report = report_of(FINDINGS, run="")
    texts = [review_body(report, placed(FINDINGS, report, marked), REVIEW, limit=2_500), job_summary(report)]
    assert not any("moa replay" in text for text in texts)


def test_a_summary_leaves_room_for_what_is_dismissed_later() -> None:
    findings = [finding(id=f"{id}abcdef", title="long title " * 20) for id in many(900)]
    report = report_of(findings)
    body = summary_body(report, [Row(found.id, "open", found) for found in findings], SUMMARY)
    more = write_marker(replace(SUMMARY, dismissed=tuple(found.id for found in findings[:60])))
    assert characters("\n".join([more, body.partition("\n")[2]])) <= LONGEST_BODY


def test_a_job_summary_has_the_comments_too_and_what_happened() -> None:
    body = job_summary(REPORT, notes=["The token may not write: this is a fork"])
    assert "- The token may not write: this is a fork" in body
    for found in FINDINGS:
        assert found.title in prose(body)
    assert read_marker(body) is None


def test_an_old_comment_is_folded_once_and_can_be_committed_no_more() -> None:
    body = comment_body(FINDINGS[1], REPORT, marked(FINDINGS[1]), suggestion="x = '''\n```\n'''")
    assert "````suggestion\nx" in body
    gone = gone_body(body.replace("\n", "\r\n"), "fixed by @octocat", REPORT)
    assert read_marker(gone) == read_marker(body)
    assert "suggestion\n" not in gone
    assert gone.split("\n")[1] == "**No longer applies**: fixed by `@octocat`"
    assert_harmless(gone)
    assert gone_body(gone, "again", REPORT) == gone
    assert gone_body("somebody else's", "x", REPORT) == "somebody else's"


def test_a_failed_run_is_no_clean_review() -> None:
    report = report_of([], status="failed", result=None, missing=("qwen",))
    body = review_body(report, Placement(), REVIEW)
    assert "no review" in body.split("\n")[1]
    assert "No answer from qwen" in body


def many(number: int) -> list[str]:
    return [f"{index:06}" for index in range(number)]


@pytest.mark.parametrize("limit", [4_000, 20_000, LONGEST_BODY])
def test_what_does_not_fit_is_left_out_in_whole_parts_and_counted(limit: int) -> None:
    findings = [
        finding(id=f"{standing[:4]}{id}", title=f"Title of {standing[:4]}{id}", standing=standing,
                body="A paragraph with *some* words.\n\n```\ncode\n```\n" * 6)
        for standing in ("confirmed", "disputed", "minority") for id in many(60)
    ]  # fmt: skip
    change = replace(CHANGE, not_reviewed=tuple(NotReviewed(f"{id}.lock", "lock file") for id in many(500)))
    unplaced = [
        UnplacedFinding(member="qwen", path="", severity="nit", category="x", title=f"U{id}", body="b" * 300)
        for id in many(40)
    ]
    report = report_of(findings, change, unplaced=unplaced)
    placement = placed(findings, report, marked)
    assert len(placement.inline) == 30
    body = review_body(report, placement, REVIEW, limit=limit)
    assert characters(body) <= limit
    assert "**Shortened**: " in body
    assert "`moa replay 20260801-101112-abc123 --format markdown` shows the whole review." in body
    assert body.count("<details>") == body.count("</details>")
    assert body.count("```") % 2 == 0
    assert "run 20260801-101112-abc123" in body.rpartition("\n")[2]
    for heading in (
        "Confirmed (30)",
        "Disputed (60)",
        "Minority (60)",
        "Without a place (40)",
        "Not reviewed (500)",
    ):
        assert heading in body
    assert_harmless(body)
    rows = [Row(found.id, "new", found) for found in findings]
    assert characters(summary_body(report, rows, SUMMARY, limit=limit)) <= limit


def test_a_very_long_marker_leaves_room_for_words() -> None:
    marker = replace(REVIEW, hunks=tuple(f"{number:08x}" for number in range(2_500)))
    placement = placed(FINDINGS, REPORT, marked)
    body = review_body(REPORT, placement, marker, notes=["A long note & more. " * 60] * 40)
    assert read_marker(body) == marker
    assert "more such notes" in body
    assert "Open redirect" in body
    assert characters(body) <= LONGEST_BODY


def test_a_comment_leaves_out_whole_pieces_and_says_which() -> None:
    long = finding(body="word " * 1_500, evidence=[{"kind": "test", "text": "short", "supports": True}])
    report = report_of([long])
    body = comment_body(long, report, marked(long), limit=2_000)
    assert characters(body) <= 2_000
    assert "`moa replay 20260801-101112-abc123 --format markdown` shows it. Missing: its text." in body
    assert "test: short (confirms it)" in body


def test_a_long_text_ends_with_a_paragraph_and_says_how_much_is_missing() -> None:
    assert cut("one\n\ntwo\n\nthree", 11) == "one\n\ntwo … (7 more characters)"
    assert cut("a" * 20, 10) == "a" * 10 + " … (10 more characters)"
    assert cut("short", 10) == "short"
    assert characters(bounded(lambda text: text.replace("&", "&amp;"), "&" * 1_000, 300)) <= 300


def test_parts_are_shortened_before_they_are_left_out() -> None:
    parts = [Part("x" * 400, "short one"), Part("y" * 400, "short two"), Part("z" * 400)]
    text = fitted(["top"], [Section("Heading", parts)], ["bottom"], 1_000, "All is elsewhere.")
    assert len(text) <= 1_000
    assert "short two" in text
    assert "z" not in text
    assert "**Shortened**: 2 parts did not fit. All is elsewhere." in text
    assert "2 parts of this section left out or shortened for length." in text
