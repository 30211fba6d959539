"""The first day with the App, by the README's commands: created in a browser, served, a review made."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.review_bot.commands import environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.server.forms import submit

ROOT = Path(__file__).parents[3]
SETTINGS = '[server]\nrepositories = ["ada/shop"]\n\n[review]\nreviewers = ["ruff"]\nprove = "off"\n'


@contextmanager
def serve(folder: Path, github: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`review-bot serve` with what a shell has, and GitHub's address."""
    clean = environment(folder, PYTHONPATH=str(ROOT), GITHUB_API_URL=github, GITHUB_SERVER_URL=github)
    own = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "DATABASE_URL")
    command = [sys.executable, "-m", "review_bot", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        [*command, "--data", "data"], cwd=folder, stderr=subprocess.PIPE, text=True,
        env={name: value for name, value in clean.items() if name not in own},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line that has it."""
    said = []
    assert process.stderr
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found
        said.append(line)
    raise AssertionError("".join(said))


def test_an_app_is_created_served_and_reviews_a_pull_request(tmp_path: Path) -> None:
    author = GitRepo(tmp_path / "author")
    author.commit({"shop.py": "def total(prices):\n    return sum(prices)\n"})
    GitRepo(tmp_path / "shop.git", "--bare")
    author.git("switch", "--quiet", "-c", "feature")
    author.commit({"shop.py": "def total(prices):\n    return sum(prices) * rate\n"})
    author.git("push", "--quiet", str(tmp_path / "shop.git"), "main", "feature")
    home = tmp_path / "home"
    home.mkdir()
    with FakeGithub(tmp_path / "shop.git") as github, httpx.Client(trust_env=False, timeout=20) as browser:
        create = ("--create-app", "--url", "https://moa.example.org")
        with serve(home, github.url, *create) as creating:
            page = browser.get(until(creating, r"open in a browser: (\S+)")[1])
            sent_back = submit(browser, submit(browser, page))
            assert browser.get(sent_back.headers["location"]).status_code == 200
            install = until(creating, r"install it on your repositories: (\S+)")[1]
            assert creating.wait(20) == 0
        [app] = github.apps.all.values()
        assert install == f"{github.url}/apps/{app.slug}/installations/new"
        installation = github.apps.install(app)
        github.apps.stateless = True

        (home / "moa.toml").write_text(SETTINGS)
        with serve(home, github.url) as process:
            hook = until(process, r"deliveries: (\S+)\)")[1]
            assert hook.endswith("/webhook")
            github.state.open_pull("feature", author="eve")
            opened = {
                "action": "opened",
                "pull_request": {"number": 1, "head": {"sha": author.head()}},
                "repository": {"full_name": "ada/shop"},
            }
            status, _ = app.deliver(hook, "pull_request", opened, installation=installation.id)
            assert status == 202
            until(process, ": done")
            process.send_signal(signal.SIGTERM)
            until(process, "stopped")
            assert process.wait(20) == 0
        [review] = github.state.reviews.values()
        assert (review.author, review.commit_id) == (f"{app.slug}[bot]", author.head())
        [comment] = github.state.comments.values()
        assert (comment.path, comment.line) == ("shop.py", 2)
    assert (home / "data" / "app.json").stat().st_mode & 0o077 == 0
    assert [*(home / "data" / "scratch").iterdir()] == []
