"""The Action as a runner runs it, with what its test stands in for: a real Python, pip and locked wheels.

The tests' GitHub has the pull request. Needs Python 3.12, which the Action sets up, and a package index.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.review_bot.github.action_steps import job_variables, run_steps
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo


def check(say: Callable[[str], None]) -> bool:
    """Two jobs for one push; whether there is one review, in the right place."""
    python = shutil.which("python3.12")
    if python is None:
        raise SystemExit("the Action sets up Python 3.12: put python3.12 on PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        author = GitRepo(folder / "author")
        author.commit({"shop.py": "def total(prices):\n    return sum(prices)\n"})
        GitRepo(folder / "shop.git", "--bare")
        author.git("remote", "add", "origin", str(folder / "shop.git"))
        author.git("switch", "--quiet", "-c", "feature")
        author.commit({"shop.py": "def total(prices):\n    return sum(prices) * rate\n"})
        author.git("push", "--quiet", "origin", "main", "feature")
        with FakeGithub(folder / "shop.git") as fake:
            fake.state.open_pull("feature")
            for number in (1, 2):
                job = folder / f"job-{number}"
                variables = job_variables(job, "pull_request", fake.state.repository, fake.url)
                variables["MOA_REVIEW__REVIEWERS"] = '["ruff"]'
                code, output = run_steps(variables, {"token": "job-token"}, Path(python))
                say(f"job {number}: exit {code}, {len(fake.state.reviews)} reviews")
                if code:
                    say(output)
            placed = [(one.path, one.line) for one in fake.state.comments.values()]
            say(f"comments: {placed}")
            summary = (folder / "job-1" / "summary.md").read_text("utf-8")
            return len(fake.state.reviews) == 1 and placed == [("shop.py", 2)] and "rate" in summary
