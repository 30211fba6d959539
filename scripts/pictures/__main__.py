"""The pictures of the documentation, made by real runs.

    python -m scripts.pictures [NAME...]

Without a key and without the internet: the models' words are scripted (`committee.py`), and GitHub is the
tests' own, which remembers what is posted to it. Chromium has to be installed. Times, and what a search for
differences finds besides the two mistakes, differ from run to run; nothing else does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.make_repository import MESSAGE, make_repository
from scripts.pictures import committee, photos, pull_request, terminal
from scripts.pictures.server import PASSWORD, REPOSITORY, Server, serving
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.scripted_endpoint import ScriptedEndpoint

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"


class Set:
    """Where the pictures are made: the example's repository, and a folder for all that is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "parcels"
        make_repository(self.repository)

    def environ(self) -> dict[str, str]:
        """Of a user without settings of his own, with `review-bot` in the path."""
        clean = environment(self.folder)
        del clean["MOA_REVIEW__PROVE"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        return {**clean, "PATH": path, "HOME": str(self.folder)}


def review_offline(scene: Set) -> None:
    """`review-bot review` without any model: two findings, and what the change does."""
    command = ("review-bot", "review", "HEAD~1")
    printed = terminal.frames(command, scene.repository, scene.environ())[-1]
    html = terminal.window(
        " ".join(command),
        terminal.between(printed, "Review of", "raised by griffe"),
        terminal.between(printed, "average([])` raises", "raised by proof"),
        terminal.between(printed, "What this change does"),
    )
    photos.of_text(html, FOLDER / "review.png", scale=1.75)


def review_with_models(scene: Set) -> None:
    """A committee at work on a terminal, and the page of its review."""
    command = ("review-bot", "review", "HEAD~1", "--html", "review.html")
    with ScriptedEndpoint(committee.answered) as endpoint:
        (scene.repository / "moa.toml").write_text(committee.configuration(endpoint))
        frames = terminal.frames(command, scene.repository, scene.environ())
    words = ("layer 1 of 3", "thinking", "qwen     \x1b[32manswered")
    thinking = [one for one in frames if all(word in one for word in words)]
    html = terminal.window(" ".join(command), thinking[0])
    photos.of_text(html, FOLDER / "progress.png")
    with photos.camera(1000) as page:
        page.goto((scene.repository / "review.html").as_uri())
        photos.of_top(page, FOLDER / "review-page.png", 880)


def bench_report(scene: Set) -> None:  # noqa: ARG001 - every picture is given its scene
    """A real measurement's page: the answers in words, and who errs with whom."""
    with photos.camera(900) as page:
        page.goto((ROOT / "docs" / "measured" / "small-models-on-toolz.html").as_uri())
        photos.of_top(page, FOLDER / "report-page.png", 840)


def posted_and_served(scene: Set) -> None:
    """What the server posts to a pull request, and its own pages."""
    _branches(scene)
    bare = scene.folder / "parcels.git"
    with FakeGithub(bare, REPOSITORY) as github, ScriptedEndpoint(committee.answered) as endpoint:
        config = scene.folder / "operator.toml"
        config.write_text(
            f"{committee.configuration(endpoint)}"
            f'[server]\nrepositories = ["ada/*"]\nprove_repositories = ["{REPOSITORY}"]\n'
        )
        github.state.people |= {"sam": "write"}
        for branch, title in PULLS.items():
            github.state.open_pull(branch, title=title, author="sam")
        with serving(github, scene.folder, config) as server:
            for done, number in enumerate((2, 3, 1), 1):
                server.deliver(number)
                server.wait(": done", count=done)
            _pull_request(github)
            server.deliver(4)
            _pages(server)


#: Pull requests' branches and titles, in order; what is changed in all but the first, which is the example.
PULLS = {
    "express": MESSAGE.splitlines()[0],
    "totals": "Say what a bill's sum is of",
    "rounding": "Round insurance up",
    "labels": "Labels for shipments",
}
EDITS = {
    "totals": ("report.py", '"total     ', '"in total  '),
    "rounding": ("rates.py", "parcel.value // 200", "-(-parcel.value // 200)"),
    "labels": ("shipments.py", "cents INTEGER)", "cents INTEGER, label TEXT)"),
}


def _branches(scene: Set) -> None:
    """The example's change and three small ones, as branches on GitHub."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=Sam Doe", "-c", "user.email=sam@example.com")
        subprocess.run(["git", *who, *arguments], cwd=scene.repository, check=True)

    git("branch", "--quiet", "express", "main")
    git("reset", "--quiet", "--hard", "HEAD~1")
    for branch, (name, old, new) in EDITS.items():
        git("switch", "--quiet", "--create", branch, "main")
        path = scene.repository / "src" / "parcels" / name
        path.write_text(path.read_text().replace(old, new))
        git("commit", "--quiet", "--all", f"--message={PULLS[branch]}")
    git("clone", "--quiet", "--bare", ".", str(scene.folder / "parcels.git"))


def _pull_request(github: FakeGithub) -> None:
    state = github.state
    files = {file.path: file for file in state.files(state.pulls[1])}
    comments = [one for one in state.comments.values() if one.number == 1]
    suggested = next(one for one in comments if "```suggestion" in one.body and "limit" in one.body)
    proved = next(one for one in comments if "average" in one.body and "Evidence" in one.body)
    html = pull_request.page(
        *(pull_request.on_lines(one, files[one.path], unfold="Evidence") for one in (proved, suggested))
    )
    photos.of_text(html, FOLDER / "pull-request.png", scale=1.75)
    [summary] = [one for one in state.notes.values() if one.number == 1]
    html = pull_request.page(pull_request.below(summary.author, summary.body))
    photos.of_text(html, FOLDER / "summary.png", scale=1.25)


def _pages(server: Server) -> None:
    credentials = {"username": "ops", "password": PASSWORD}
    with photos.camera(1100, http_credentials=credentials) as page:
        page.goto(f"{server.url}/")
        page.get_by_text("thinking").first.wait_for(timeout=60_000)
        photos.of_top(page, FOLDER / "server.png", 1250)
        page.get_by_role("link", name=PULLS["express"]).first.click()
        photos.of_top(page, FOLDER / "server-run.png", 1120)


PICTURES: tuple[Callable[[Set], None], ...] = (
    review_offline, review_with_models, bench_report, posted_and_served,
)  # fmt: skip


@contextmanager
def _scene() -> Iterator[Set]:
    with tempfile.TemporaryDirectory() as folder:
        yield Set(Path(folder))


def main(names: list[str]) -> None:
    """Make the pictures with these names, or all."""
    FOLDER.mkdir(exist_ok=True)
    for make in PICTURES:
        if not names or make.__name__ in names:
            with _scene() as scene:
                make(scene)


if __name__ == "__main__":
    main(sys.argv[1:])
