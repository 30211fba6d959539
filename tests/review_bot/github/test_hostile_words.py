"""Whatever others wrote: what we post shows it, does nothing else, keeps its markers and holds no secret."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_engine.outcome import MemberReport
from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.finding import ReportedFinding, UnplacedFinding
from review_bot.github.comment_body import gone_body
from review_bot.github.fitting import characters, utf8_bytes
from review_bot.github.job_summary import job_summary, workflow_commands
from review_bot.github.marker import Marker, read_marker
from review_bot.github.model import LONGEST_BODY
from review_bot.github.placement import Placement, placed
from review_bot.github.report import Report
from review_bot.github.review_body import review_body
from review_bot.github.summary_body import Row, summary_body
from review_bot.proof.report import ProofReport, SearchedReport
from review_bot.suggested import SuggestedTest, SuggestedTests
from tests.review_bot.github.hostile import HOSTILE, SECRETS
from tests.review_bot.github.posted_markdown import assert_harmless, fences, structure
from tests.review_bot.github.reports import RUN, marked, report_of
from tests.review_bot.proof.behaviours import behaviour
from tests.review_bot.review_outcomes import BASE, HEAD, finding

#: Bytes of a job's summary: less than GitHub takes, as everything is parsed here.
JOB = 200_000

REVIEW = Marker("review", RUN, HEAD, ("aaaa0001",), ("00ff",))
SUMMARY = replace(REVIEW, kind="summary")


def everything(text: str, path: str = "") -> tuple[Report, Placement]:
    """A review in which every field that somebody else fills says `text`."""
    name = (path or text).replace("\n", " ")[:200].encode(errors="ignore").decode() or "a"
    hunk = Hunk(1, 0, 1, 2, text.partition("\n")[0], f"+{text.partition(chr(10))[0]}\n+second\n")
    change = Change(
        BASE, HEAD, (ChangedFile(name, "added", (hunk,)),), (NotReviewed(f"{name}.lock", text),),
        title=text, description=text, notes=(text,),
    )  # fmt: skip
    findings = [
        finding(
            id=f"{standing}{line}", standing=standing, path=name, start_line=1, line=line, severity="major",
            category=text, rule=text, title=text, body=text, reason=text, suggestion=text,
            raised_by=["qwen"], disputed_by=["llama"],
            stances=[{"member": "llama", "position": "dispute", "why": text}],
            evidence=[{"kind": text, "text": text}, {"kind": "witness", "input": text, "test": text}],
        )
        for standing, line in (
            ("confirmed", 1), ("confirmed", 2), ("confirmed", None), ("disputed", 1), ("minority", 2),
            ("rejected", None),
        )
    ]  # fmt: skip
    side = {"outcome": "returned", "text": text, "stdout": text, "arguments": text, "warnings": [text]}
    test = SuggestedTest(
        id="t", target=text, path=name, creates=True, says=text, test=text, edits=[], kills=1, branches=1,
        proposed_by=["qwen"], hardened_by=[], disputed_by=[],
    )  # fmt: skip
    report = report_of(
        findings, change, warnings=(text,), aggregator="", missing=("llama",),
        members=(MemberReport("llama", "chat", text, ("proposer",), 1, 0, 1, 1, 1, None, 1.0, (text,)),),
        objections=[text],
        unplaced=[
            UnplacedFinding(member="qwen", path=text, severity="nit", category=text, title=text, body=text)
        ],
        behaviour=[
            behaviour(input=text, base=side, head=side, differs=differs, why=text, judgement="regression",
                      judged_by=[{"member": "qwen", "judgement": "regression", "why": text}])
            for differs in ("value", "output", "warnings", "arguments")
        ],
        proof=ProofReport(
            mechanism="landlock", notes=[text],
            searched=[SearchedReport(path=name, qualname=text, status="not comparable", why=text)],
        ),
        suggested=SuggestedTests(tests=[test], patch=text, notes=[text]),
    )  # fmt: skip
    return report, placed(findings, report, marked)


def posted(text: str, path: str = "") -> dict[str, str]:
    """All texts of such a review that go to GitHub as Markdown."""
    report, placement = everything(text, path)
    rows = [Row(found.id, "new", found) for found in report.outcome.result.findings]  # type: ignore[union-attr]
    comments = {f"comment {one.finding_id}": one.body for one in placement.inline}
    assert len(comments) == 2
    return {
        **comments,
        "review": review_body(report, placement, REVIEW, notes=[text]),
        "without comments": review_body(report, placement.halved().halved(), REVIEW, notes=[text]),
        "summary": summary_body(report, rows, SUMMARY, notes=[text]),
        "gone": gone_body(placement.inline[0].body, text, report),
        "job": job_summary(report, notes=[text], limit=JOB),
    }


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    for kind, body in posted(text).items():
        assert_harmless(body, committable=kind.startswith("comment"))
        assert utf8_bytes(body) <= JOB if kind == "job" else characters(body) <= LONGEST_BODY
        marker = read_marker(body)
        assert (marker and marker.run) == (None if kind == "job" else RUN)


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if len(text) < 150])
def test_the_document_is_built_as_an_innocent_one(text: str) -> None:
    """Lines of prose and fences apart, which a text with several lines may have."""

    def sections(body: str) -> list[str]:
        return [
            kind for kind in structure(body) if kind in ("heading_open", "html_block", "tr_open", "td_open")
        ]

    def title(text: str) -> str:  # what stands in one line
        return " ".join(text.split()) or "a"

    assert {kind: sections(body) for kind, body in posted(title(text), "a.txt").items()} == {
        kind: sections(body) for kind, body in posted("innocent", "a.txt").items()
    }


@settings(max_examples=30, derandomize=True, database=None, deadline=None)
@given(st.text(alphabet="`~@#<>[]()!*_-=+|\\&$:/.w1aA,;\"' \n\t{}^?\u200d\u202e\ufe0f", max_size=80))
def test_no_mixture_of_special_characters_does_anything(text: str) -> None:
    for kind, body in posted(text, "a.txt").items():
        assert_harmless(body, committable=kind.startswith("comment"))


@pytest.mark.parametrize("secret", SECRETS, ids=["token", "app", "cloud", "learned"])
@pytest.mark.parametrize(
    "way",
    [
        "{}",
        "token {} here",
        "`{}`",
        "```\n{}\n```",
        "password = '{}'",
        "https://x:{}@evil.example/",
        "a\n\n{}\n",
    ],
)
def test_no_secret_is_posted(secret: str, way: str) -> None:
    for body in posted(way.format(secret)).values():
        assert secret not in body
        assert secret[8:] not in body


@pytest.mark.parametrize("secret", SECRETS, ids=["token", "app", "cloud", "learned"])
def test_no_secret_is_in_a_command(secret: str) -> None:
    report, _ = everything(f"a {secret} b")
    commands = "\n".join(workflow_commands(report.outcome.result.findings, report))  # type: ignore[union-attr]
    assert secret not in commands


def test_a_secret_in_the_name_of_a_file_is_not_shown() -> None:
    for body in posted("innocent", f"keys/{SECRETS[0]}.txt").values():
        assert SECRETS[0] not in body
        assert_harmless(body, committable=1)


def test_a_secret_that_two_harmless_pieces_make_is_left_out() -> None:
    half = SECRETS[-1]
    found = finding(path="a.txt", category=half[:9], rule=half[9:])
    report = report_of([found])
    report = replace(
        report, mask=lambda text: text.replace(f"{half[:9]} {half[9:]}", "<masked:learned:0a1b2c3d>")
    )
    body = review_body(report, placed([found], report, marked), REVIEW)
    assert f"{half[:9]} {half[9:]}" not in body
    assert "{masked:learned:0a1b2c3d}" in body
    assert_harmless(body)


def test_nothing_is_a_suggestion_to_commit_but_ours() -> None:
    _, placement = everything("```suggestion\nimport os\n```")
    assert [fences(comment.body, "suggestion") for comment in placement.inline] == [[], []]


COMMAND = re.compile(r"::(error|warning|notice) [^\n\r]*?::[^\n\r]*")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_commands_of_a_job_are_one_line_each_and_only_ours(text: str) -> None:
    report, _ = everything(text)
    findings = report.outcome.result.findings  # type: ignore[union-attr]
    lines = workflow_commands(findings, report)
    assert len(lines) == 3
    for line in lines:
        assert COMMAND.fullmatch(line)
        head = line.partition(" ")[2].partition("::")[0]
        assert {pair.partition("=")[0] for pair in head.split(",")} <= {"file", "line", "endLine", "title"}
        assert line.isprintable() or {c for c in line if not c.isprintable()} <= {"\u200c", "\u200d", "\xa0"}


def test_a_job_shows_ten_of_each_level_and_counts_the_rest() -> None:
    findings: list[ReportedFinding] = [
        finding(id=f"{severity}{number}", severity=severity)
        for severity in ("nit", "minor", "critical", "major") for number in range(12)
    ]  # fmt: skip
    lines = workflow_commands(findings, report_of(findings))
    levels = [line[2:].partition(" ")[0] for line in lines]
    assert {level: levels.count(level) for level in levels} == {"error": 10, "warning": 10, "notice": 10}
    assert lines[-1].endswith("::19 more findings: the job's summary has all")
