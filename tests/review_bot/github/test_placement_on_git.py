"""Comments on changes as git makes them, held against another reading of git's diff: the fake GitHub's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from review_bot.change import Change
from review_bot.finding import ReportedFinding
from review_bot.github.placement import NO_FILE, placed
from review_bot.read_change import read_change
from tests.review_bot.github import fake_diff
from tests.review_bot.github.fake_reviews import _place
from tests.review_bot.github.posted_markdown import fences
from tests.review_bot.github.reports import marked, report_of
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.review_outcomes import finding

LINES = [
    "x = 1",
    "",
    "def f():",
    "    return 2",
    "# \x0c form feed",
    "# \x1c\u2028 separators",
    "-- x",
    "++ y",
    "\ty",
    "é",
]


def edited(lines: list[str], chance: random.Random) -> list[str]:
    made = list(lines)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(made))
        made[at : at + chance.randint(0, 3)] = chance.choices(LINES, k=chance.randint(0, 3))
    return made


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[GitRepo, Change]:
    chance = random.Random(11)
    repo = GitRepo(tmp_path_factory.mktemp("git") / "repo")
    files: dict[str, list[str]] = {
        f"{kind}/{number}.py": [f"{line}  # {index}" if line else line for index, line in
                                enumerate(chance.choices(LINES, k=chance.randint(1, 60)))]
        for kind in ("kept", "gone", "moved", "crlf", "cut") for number in range(8)
    }  # fmt: skip
    files["odd/ü [x] (1).py"] = ["a", "b", "c"]

    def write(path: str, lines: list[str]) -> None:
        end = "\r\n" if path.startswith("crlf") else "\n"
        text = end.join(lines) + ("" if path.startswith("cut") else end)
        repo.write({path: text.encode()})

    for path, lines in files.items():
        write(path, lines)
    repo.commit()
    for path, lines in files.items():
        if path.startswith("gone"):
            repo.git("rm", "--quiet", path)
        elif path.startswith("moved"):
            (repo.folder / "to").mkdir(exist_ok=True)
            repo.git("mv", path, path.replace("moved/", "to/moved "))
            write(path.replace("moved/", "to/moved "), edited(lines, chance))
        else:
            write(path, edited(lines, chance))
    write("new/file.py", ["one", "two"])
    repo.git("config", "diff.context", "9")  # GitHub does not ask it
    repo.commit()
    return repo, read_change(repo.folder, range="HEAD~1")


def test_every_comment_is_where_the_diff_has_it(changed: tuple[GitRepo, Change]) -> None:
    repo, change = changed
    repo.git("config", "--unset", "diff.context")
    chance = random.Random(12)
    findings: list[ReportedFinding] = []
    for file in change.files:
        for number in range(50):
            start = chance.randint(1, 65)
            findings.append(
                finding(
                    id=f"{file.path} {number}", path=file.path, side=chance.choice(["RIGHT", "LEFT"]),
                    start_line=start, line=start + chance.choice([0, 0, 1, 3, 20]),
                    suggestion=chance.choice(["z = 1", "", "    return 3", "y = (", None]),
                )
            )  # fmt: skip
    placement = placed(findings, report_of(findings, change), marked, limit=10_000)
    assert len(placement.inline) + len(placement.in_body) == len(findings)
    assert len(placement.inline) > 200
    shown = {file.path: file for file in fake_diff.files(repo.folder, "HEAD~1", "HEAD")}
    committed = 0
    for comment in placement.inline:
        data = {"line": comment.line, "side": comment.side}
        if comment.start_line is not None:
            data |= {"start_line": comment.start_line, "start_side": comment.side}
        assert _place(shown[comment.path], data) == "", comment
        for text in fences(comment.body, "suggestion"):
            committed += 1
            first = comment.start_line or comment.line
            before = (repo.folder / Path(comment.path)).read_bytes().decode().split("\n")
            after = [*before[: first - 1], *text.split("\n")[:-1], *before[comment.line :]]
            assert after != before
            assert not comment.path.startswith("crlf")
            assert len(before) >= comment.line
    assert committed > 20
    # What got no comment on a line has none of its lines in the diff (on the left: of those removed).
    for found, why in placement.in_body:
        assert why != NO_FILE or not shown[found.path].hunks
        if found.side == "RIGHT":
            wanted = range(found.start_line or 0, (found.line or 0) + 1)
            assert not any(shown[found.path].hunk("RIGHT", line) for line in wanted)
