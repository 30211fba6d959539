"""The Action, run as a job runs it: its scripts in bash, in order, with GitHub's variables and an event."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from review_bot.command import say
from tests.review_bot.github.action_steps import job_variables, pretended_python, run_steps
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.fake_model import fork_token
from tests.review_bot.gitrepo import GitRepo


class Ran(NamedTuple):
    """What came of a job."""

    code: int
    output: str
    summary: str
    installed: list[list[str]]


Job = Callable[..., Ran]


@pytest.fixture
def job(fake: FakeGithub, author: GitRepo, tmp_path: Path) -> Job:
    """Runs the Action for pull request 1, whose author uses a name that is not there (F821)."""
    author.commit({"new.py": "fresh = 1\nfresher = stale\n"})
    author.git("push", "--quiet", "origin", "feature", "feature:refs/forks/eve/feature")
    python = pretended_python(tmp_path)

    def run(
        event: str = "pull_request",
        *,
        inputs: dict[str, str] | None = None,
        token: str = "job-token",
        checkout: Path | None = None,
        **said: Any,
    ) -> Ran:
        number = len(list(tmp_path.glob("job-*")))
        folder = tmp_path / f"job-{number}"
        environment = job_variables(folder, event, fake.state.repository, fake.url, **said)
        if checkout is not None:  # as actions/checkout does: one commit, without its history
            clone = ["git", "clone", "--quiet", "--depth=1", f"file://{checkout}", str(folder / "work")]
            subprocess.run(clone, check=True)
        environment["MOA_REVIEW__REVIEWERS"] = '["ruff"]'
        code, output = run_steps(environment, {"token": token} | (inputs or {}), python)
        asked = [json.loads(line) for line in (folder / "asked").read_text().splitlines()]
        return Ran(code, output, (folder / "summary.md").read_text("utf-8"), asked)

    return run


def test_a_push_is_reviewed_once(job: Job, fake: FakeGithub, author: GitRepo) -> None:
    first = job()
    assert first.code == 0, first.output
    [review] = fake.state.reviews.values()
    assert review.commit_id == author.head()
    [comment] = [one for one in fake.state.comments.values() if one.path == "new.py"]
    assert comment.line == 2
    assert "raised by ruff" in comment.body
    assert "stale" in first.summary

    made, *pips = first.installed
    assert made[1:4] == ["-I", "-m", "venv"]  # -I: nothing of the working folder is imported
    requirements, project = pips
    assert all(pip[1:5] == ["-I", "-m", "pip", "install"] for pip in pips)
    assert "--require-hashes" in requirements
    assert Path(requirements[-1]).is_file()
    assert "--no-deps" in project
    assert (Path(project[-1]) / "pyproject.toml").is_file()

    again = job()
    assert again.code == 0, again.output
    assert len(fake.state.reviews) == 1
    assert len(fake.state.comments) == 1


def test_a_fork_gets_its_review_on_the_page_of_the_job(job: Job, fake: FakeGithub) -> None:
    fake.state.tokens["read-only"] = fork_token()
    done = job(token="read-only")
    assert done.code == 0, done.output
    assert not fake.state.reviews
    assert not fake.state.notes
    assert "stale" in done.summary
    assert re.search(r"^::(error|warning|notice) .*file=new\.py", done.output, re.MULTILINE)


def test_the_inputs_reach_the_command(job: Job, fake: FakeGithub) -> None:
    assert job(inputs={"fail-on": "major", "pull-request": "1"}).code == 1
    assert len(fake.state.reviews) == 1


def test_an_input_is_never_a_script(job: Job, tmp_path: Path) -> None:
    done = job(
        inputs={"committee": f'$(touch {tmp_path}/gone)`touch {tmp_path}/gone`"; touch {tmp_path}/gone'}
    )
    assert done.code == 2
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(("login", "reviews"), [("bob", 1), ("eve", 0)])
def test_a_command_is_obeyed_from_who_may_write(job: Job, fake: FakeGithub, login: str, reviews: int) -> None:
    note = fake.state.say(1, login, "/review")
    done = job(
        "issue_comment",
        issue={"pull_request": {"url": f"{fake.url}/repos/ada/shop/pulls/1"}},
        comment={"id": note.id, "body": "/review", "user": {"login": login}},
    )
    assert done.code == 0, done.output
    assert len(fake.state.reviews) == reviews


def test_a_head_that_was_checked_out_decides_nothing(job: Job, fake: FakeGithub, author: GitRepo) -> None:
    settings = '[review]\nreviewers = []\nexclude = ["*"]\n[github]\nmax_inline = 0\n'
    stops = "raise SystemExit('imported')\n"
    names = ("pip.py", "venv.py", "json.py", "review_bot/__init__.py", "github.py", "sitecustomize.py")
    author.commit({"moa.toml": settings, "ruff.toml": 'exclude = ["*"]\n', **dict.fromkeys(names, stops)})
    author.git("push", "--quiet", "origin", "feature")
    done = job(checkout=author.folder)
    assert done.code == 0, done.output
    assert [one.line for one in fake.state.comments.values() if one.path == "new.py"] == [2]


def test_what_is_said_in_a_job_is_no_command_to_its_runner(capsys: pytest.CaptureFixture[str]) -> None:
    say("GitHub answered\n::add-mask::e\n  ::stop-commands::x\nand ##[add-mask]e", "::error::no")
    said = capsys.readouterr().err
    assert not re.search(r"^\s*::|##\[", said, re.MULTILINE)
    assert "add-mask" in said
