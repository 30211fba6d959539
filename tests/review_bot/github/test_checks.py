import dataclasses
import json
from typing import Any

import pytest

from review_bot.change import ChangedFile, Hunk
from review_bot.finding import Review
from review_bot.formats import render
from review_bot.github import checks
from review_bot.github.model import Annotation, CheckRun
from review_bot.github.report import Report
from tests.review_bot.review_outcomes import CHANGE, FINDINGS, finding, outcome


def same(text: str) -> str:
    return text


def runs_of(
    findings: Any = None, change: Any = CHANGE, fail_on: Any = "never", **more: Any
) -> list[CheckRun]:
    return list(checks.check_runs(Report(outcome(findings, change, **more), change, same), fail_on=fail_on))


def annotation_of(**fields: Any) -> Annotation:
    [run] = runs_of([finding(**fields)])
    [annotation] = run.annotations
    return annotation


def test_only_confirmed_findings_are_loud_and_rejected_ones_left_out() -> None:
    [run] = runs_of()
    assert [(a.path, a.start_line, a.level) for a in run.annotations] == [
        ("shop/export.py", 12, "failure"),
        ("shop/export.py", 14, "notice"),  # disputed
        ("shop/export.py", 11, "notice"),  # minority, about a line that is gone
        ("README.md", 1, "notice"),
    ]
    assert run.title == "1 confirmed, 1 disputed, 2 minority, 1 rejected"


def test_an_annotation_says_what_and_who() -> None:
    annotation = annotation_of(rule="S602", raised_by=["ruff", "qwen"], seconded_by=["mistral"])
    assert annotation.title == "critical [security S602]: Shell command built from a request parameter"
    assert annotation.message.startswith("`name` comes from the query string")
    assert annotation.message.endswith("confirmed: raised by ruff, qwen; seconded by mistral")


def test_a_removed_line_is_annotated_where_it_stood() -> None:
    annotation = annotation_of(side="LEFT", line=12, start_line=12)
    assert (annotation.start_line, annotation.end_line) == (11, 11)
    assert annotation.message.startswith("At shop/export.py:12 (before the change).")


def test_what_was_removed_from_the_top_is_annotated_at_the_first_line() -> None:
    hunk = Hunk(1, 2, 0, 0, "", "-one\n-two\n")
    change = dataclasses.replace(CHANGE, files=(ChangedFile("gone.py", "deleted", (hunk,)),))
    [run] = runs_of([finding(path="gone.py", side="LEFT", line=2, start_line=2)], change)
    assert run.annotations[0].start_line == 1


def test_a_finding_about_a_renamed_files_old_lines_names_the_new_file() -> None:
    file = dataclasses.replace(CHANGE.files[0], path="shop/new.py", status="renamed", old_path="shop/old.py")
    change = dataclasses.replace(CHANGE, files=(file,))
    [run] = runs_of([finding(path="shop/old.py", side="LEFT", line=12, start_line=12)], change)
    assert run.annotations[0].path == "shop/new.py"


def test_a_line_range_is_kept() -> None:
    annotation = annotation_of(start_line=12, line=14)
    assert (annotation.start_line, annotation.end_line) == (12, 14)


def test_fifty_annotations_a_request_and_the_rest_in_more_requests() -> None:
    runs = runs_of([finding(id=f"{number:08x}") for number in range(120)])
    assert [len(run.annotations) for run in runs] == [50, 50, 20]
    assert {run.conclusion for run in runs} == {"neutral"}


def test_too_many_are_cut_after_the_worst_and_it_is_said() -> None:
    nits = [finding(id=f"{number:08x}", severity="nit") for number in range(checks.MOST + 10)]
    runs = runs_of([*nits, finding()])
    shown = [annotation for run in runs for annotation in run.annotations]
    assert len(shown) == checks.MOST
    assert shown[0].level == "failure"
    assert "Only in the review: 11 more findings." in runs[0].summary


def test_limits_of_length_are_kept() -> None:
    [run] = runs_of([finding(title="x" * 1000, body="ü" * 70_000)], warnings=("w" * 70_000, "short"))
    [annotation] = run.annotations
    assert len(annotation.title) == 255
    assert len(annotation.message.encode()) <= 65_536
    assert len(run.summary) <= 65_535
    assert "short" in run.summary
    assert "20260801-101112-abc123" in run.summary


def test_hidden_characters_are_shown_and_markdown_is_escaped() -> None:
    [run] = runs_of([finding(title="a\u202eb\x1b[31m", body="c\u200bd")], warnings=("<img src=x> @octocat",))
    [annotation] = run.annotations
    assert "\\u202e" in annotation.title
    assert "\x1b" not in annotation.title
    assert "\\u200b" in annotation.message
    assert "<img" not in run.summary
    assert "`@octocat`" in run.summary


def test_secrets_are_masked_once_more() -> None:
    said = outcome([finding(title="key hunter2", body="hunter2")], warnings=("hunter2",))
    report = Report(said, CHANGE, lambda text: text.replace("hunter2", "<masked>"))
    [run] = checks.check_runs(report, fail_on="never")
    assert "hunter2" not in str(run)


def test_a_path_that_is_no_unicode_can_be_sent() -> None:
    annotation = dataclasses.asdict(annotation_of())
    [run] = runs_of([finding().model_copy(update={"path": "caf\udce9.py"})])
    assert run.annotations[0].path == "caf\ufffd.py"
    json.dumps(annotation).encode()


@pytest.mark.parametrize(
    ("fail_on", "findings", "status", "conclusion"),
    [
        ("never", FINDINGS, "complete", "neutral"),
        ("critical", FINDINGS, "complete", "failure"),
        ("nit", FINDINGS[:1] + FINDINGS[2:], "complete", "success"),  # none of them is confirmed
        ("major", [finding(severity="minor")], "complete", "neutral"),
        ("nit", [], "complete", "success"),
        ("nit", [], "partial", "neutral"),
        ("critical", FINDINGS, "partial", "failure"),
    ],
)
def test_the_conclusion_follows_fail_on(fail_on: Any, findings: Any, status: Any, conclusion: str) -> None:
    [run] = runs_of(findings, fail_on=fail_on, status=status)
    assert run.conclusion == conclusion


@pytest.mark.parametrize(("fail_on", "conclusion"), [("never", "neutral"), ("major", "failure")])
def test_no_review_is_never_a_success(fail_on: Any, conclusion: str) -> None:
    [run] = runs_of(fail_on=fail_on, status="failed", result=None, missing=("llama",))
    assert (run.conclusion, run.title, run.annotations) == (conclusion, "No review", ())
    assert "No answer from llama" in run.summary


def test_sarif_that_github_would_not_take_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sarif = render(outcome(result=Review(findings=[])), "sarif")
    assert checks.fits_code_scanning(sarif)
    monkeypatch.setattr(checks, "SARIF_LIMIT", 100)
    assert not checks.fits_code_scanning(sarif)
