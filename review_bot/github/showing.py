"""Where else a review is shown: the job's own page, a check run, code scanning."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from review_bot.command import say
from review_bot.github.client import Client, GithubError, Refused
from review_bot.github.job_summary import job_summary, workflow_commands

if TYPE_CHECKING:
    from review_bot.finding import ReportedFinding, Severity
    from review_bot.github.model import PullRequest
    from review_bot.github.report import Report
    from review_bot.github.settings import GithubSettings

READ_ONLY = (
    "This job's token may only read, as it is with pull requests from forks: the review is shown here, and "
    "not on the pull request."
)


def show_in_job(report: Report, environ: Mapping[str, str], *notes: str) -> bool:
    """Add the review to the page of the CI job, if it has one; whether it has."""
    path = environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(job_summary(report, notes=notes))
    except OSError as error:
        say(f"the job's summary was not written: {error.strerror or error}")
        return False
    return True


def show_instead(
    report: Report, findings: Iterable[ReportedFinding], environ: Mapping[str, str], error: GithubError
) -> None:
    """The review where it can be read although nothing may be written on the pull request."""
    say(f"the review is not on the pull request: {error.message}", READ_ONLY)
    for line in workflow_commands(findings, report):
        print(line)
    if not show_in_job(report, environ, READ_ONLY):
        with no_commands(environ):
            print(job_summary(report, notes=(READ_ONLY,)))


@contextmanager
def no_commands(environ: Mapping[str, str]) -> Iterator[None]:
    """What is printed inside is no command to the job, whatever members wrote."""
    if environ.get("GITHUB_ACTIONS") != "true":
        yield
        return
    word = secrets.token_hex(16)
    print(f"::stop-commands::{word}", flush=True)
    try:
        yield
    finally:
        print(f"::{word}::", flush=True)


def show_check(
    client: Client,
    pull: PullRequest,
    report: Report,
    settings: GithubSettings,
    fail_on: Severity | Literal["never"],
    *,
    failing: bool = False,
) -> None:
    """A check run and code scanning, where they are wanted. A refusal is said: the review is posted.

    `failing`: something that was found before is severe enough, and still open.
    """
    if settings.check_run:
        try:
            _check_run(client, pull, report, fail_on, failing)
        except GithubError as error:
            say(f"there is no check run: {error.message}", "it needs the permission `checks: write`")
    if settings.code_scanning:
        try:
            _code_scanning(client, pull, report)
        except GithubError as error:
            say(
                f"code scanning did not get the findings: {error.message}",
                "it needs the permission `security-events: write`",
            )


def _check_run(
    client: Client,
    pull: PullRequest,
    report: Report,
    fail_on: Severity | Literal["never"],
    failing: bool,
) -> None:
    """One check run for each run; GitHub shows the newest of a head."""
    from review_bot.github.checks import NAME, check_runs

    first, *more = (
        replace(one, conclusion="failure") if failing else one for one in check_runs(report, fail_on=fail_on)
    )
    known = client.check_runs(pull.head_sha, NAME)
    run = report.outcome.run or pull.head_sha
    if run in known:
        return
    id = client.create_check_run(NAME, pull.head_sha, run, first)
    for batch in more:
        client.update_check_run(id, batch)


def _code_scanning(client: Client, pull: PullRequest, report: Report) -> None:
    from review_bot.formats import render
    from review_bot.github.checks import fits_code_scanning

    sarif = render(report.outcome, "sarif")
    if fits_code_scanning(sarif):
        client.upload_sarif(pull.head_sha, f"refs/pull/{pull.number}/head", sarif)
    else:
        raise Refused(413, "the findings are more than code scanning takes")
