"""Where else a review is shown, on the double of GitHub: check runs and code scanning."""

from typing import Any

import pytest

from review_bot.github import checks
from review_bot.github.client import Client, connect
from review_bot.github.report import Report
from review_bot.github.settings import GithubSettings
from review_bot.github.showing import show_check
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.fake_model import job_token
from tests.review_bot.review_outcomes import CHANGE, finding, outcome

MANY = [finding(id=f"{number:012x}", path="shop.py", start_line=2, line=2) for number in range(120)]


def shown(client: Client, findings: Any = MANY, **fields: Any) -> None:
    settings = GithubSettings(check_run=True, code_scanning=True)
    report = Report(outcome(findings, **fields), CHANGE, lambda text: text)
    show_check(client, client.pull(1), report, settings, "major")


def test_a_check_run_has_all_annotations(client: Client, fake: FakeGithub) -> None:
    shown(client)
    [check] = fake.state.checks.values()
    assert (check.name, check.status, check.conclusion) == (checks.NAME, "completed", "failure")
    assert check.head_sha == client.pull(1).head_sha
    assert len(check.annotations) == 120


def test_a_run_makes_one_check_run_and_the_next_run_its_own(client: Client, fake: FakeGithub) -> None:
    shown(client)
    shown(client)
    assert len(fake.state.checks) == 1
    shown(client, [], run="20260801-111111-abc123")
    assert [check.conclusion for check in fake.state.checks.values()] == ["failure", "success"]


def test_code_scanning_gets_the_findings_of_head(client: Client, fake: FakeGithub) -> None:
    shown(client, MANY[:1])
    [upload] = [sent.data for sent in fake.sent if sent.path.endswith("/code-scanning/sarifs")]
    assert (upload["commit_sha"], upload["ref"]) == (client.pull(1).head_sha, "refs/pull/1/head")
    [log] = fake.state.sarifs
    found = log["sarif"]["runs"][0]["results"]
    assert [result["properties"]["id"] for result in found] == [MANY[0].id]


def test_what_the_token_may_not_is_said_and_no_failure(
    fake: FakeGithub, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(connect(fake.connection(job_token(checks="none", security_events="none"))))
    assert not fake.state.checks
    assert not fake.state.sarifs
    said = capsys.readouterr().err
    assert "`checks: write`" in said
    assert "`security-events: write`" in said


def test_findings_beyond_what_code_scanning_takes_are_said(
    client: Client, fake: FakeGithub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "SARIF_LIMIT", 10)
    shown(client)
    assert not fake.state.sarifs
    assert "more than code scanning takes" in capsys.readouterr().err
