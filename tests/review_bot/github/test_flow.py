"""What becomes of a review in the situations that GitHub has in store. In this process, which is faster."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from moa_engine.record import Record
from review_bot.cli import main
from review_bot.github import command, posting
from review_bot.github.marker import Marker, read_marker, write_marker
from tests.review_bot.commands import Done
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.fake_model import Review as PostedBefore
from tests.review_bot.github.fake_model import fork_token
from tests.review_bot.github.test_command import (
    FILES,
    author,
    broken,
    event,
    fake,
    push,
    surroundings,
    writes,
)
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

__all__ = ["author", "fake"]

Review = Callable[..., Done]


@pytest.fixture
def review(
    fake: FakeGithub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Review:
    """Runs the command as a job would, in a folder without a clone."""
    (tmp_path / "job").mkdir()
    monkeypatch.chdir(tmp_path / "job")
    monkeypatch.setattr(command, "Connection", partial(command.Connection, between_writes=0.0))
    monkeypatch.setattr(posting, "_LAG", 0.0)

    def run(*arguments: str, **more: str) -> Done:
        with monkeypatch.context() as patch:
            for name in set(os.environ) - set(wanted := surroundings(fake, tmp_path, **more)):
                patch.delenv(name)
            for name, value in wanted.items():
                patch.setenv(name, value)
            code = main(["github", *(arguments or ("--pr", "1"))])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


def comments(fake: FakeGithub) -> dict[str, str]:
    """How our comments on lines stand, by path."""
    return {one.path: one.minimised for one in fake.state.comments.values()}


@pytest.mark.parametrize("trouble", [502, "reset", "cut"])
@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("request_", ["POST /reviews$", "POST /comments$"])
def test_an_unclear_answer_makes_nothing_twice(
    fake: FakeGithub, review: Review, trouble: Any, landed: bool, request_: str
) -> None:
    fake.break_next(request_, trouble, landed=landed)
    assert review().returncode == 0
    assert (len(fake.state.reviews), len(fake.state.comments), len(fake.state.notes)) == (1, 2, 1)


def test_a_review_that_is_listed_late_is_not_posted_again(fake: FakeGithub, review: Review) -> None:
    fake.break_next("POST /reviews$", 502, landed=True)
    fake.state.lag = 1
    assert review().returncode == 0
    assert len(fake.state.reviews) == 1


def test_a_refused_review_loses_no_finding(fake: FakeGithub, review: Review) -> None:
    fake.break_next("POST /reviews$", 422, times=1, body={"message": "Line could not be resolved"})
    assert review().returncode == 0
    [posted] = fake.state.reviews.values()
    assert len(fake.state.comments) == 1
    assert "GitHub refused" in posted.body
    assert fake.count("POST /reviews$") == 2


@pytest.mark.parametrize("state", ["PENDING", "COMMENTED"])
def test_what_a_refusal_leaves_behind_is_used_or_removed(
    fake: FakeGithub, review: Review, state: str
) -> None:
    fake.state.keeps_refused_reviews = state
    fake.break_next("POST /reviews$", 422, landed=True, body={"message": "Line could not be resolved"})
    assert review().returncode == 0
    assert len([one for one in fake.state.reviews.values() if one.state != "PENDING"]) == 1


@pytest.mark.parametrize("ours", [True, False])
def test_a_review_that_was_never_submitted_blocks_us_only_if_it_is_not_ours(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path, ours: bool
) -> None:
    marker = write_marker(Marker("review", "20260101-000000-aaaaaa", author.head()))
    body = f"{marker}\nText" if ours else "Of another tool with the same login"
    pending = PostedBefore(7, 1, "github-actions[bot]", body, "PENDING", author.head(), 0.0)
    fake.state.reviews[pending.id] = pending
    summary = tmp_path / "summary.md"
    done = review("--pr", "1", GITHUB_STEP_SUMMARY=str(summary))
    if ours:
        assert done.returncode == 0, done.stderr
        assert [one.state for one in fake.state.reviews.values()] == ["COMMENTED"]
        assert len(fake.state.comments) == 2
    else:
        assert done.returncode == 4
        assert "pending review" in done.stderr
        assert fake.count("POST /reviews$") == 1
        assert "part_1.py" in summary.read_text()


def test_a_token_that_only_reads_shows_the_review_in_the_job(
    fake: FakeGithub, review: Review, tmp_path: Path
) -> None:
    fake.state.tokens["of-a-fork"] = fork_token()
    summary = tmp_path / "summary.md"
    done = review(
        "--pr", "1", "--fail-on", "major", GITHUB_TOKEN="of-a-fork", GITHUB_STEP_SUMMARY=str(summary)
    )
    assert done.returncode == 1
    assert "only read" in done.stderr
    assert "::error file=shop/part_0.py,line=2" in done.stdout
    assert "part_1.py" in summary.read_text()
    assert not fake.state.reviews
    assert not fake.state.notes


def test_what_members_write_is_no_command_to_the_job(
    fake: FakeGithub, author: GitRepo, review: Review
) -> None:
    fake.state.tokens["of-a-fork"] = fork_token()
    done = review("--pr", "1", GITHUB_TOKEN="of-a-fork", GITHUB_ACTIONS="true")
    word = done.stdout.partition("::stop-commands::")[2].split("\n")[0]
    assert len(word) >= 32
    assert f"\n::{word}::\n" in done.stdout
    assert "part_1.py" in done.stdout.partition(word)[2]


def test_the_review_is_written_out_as_well(fake: FakeGithub, review: Review, tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    assert review("--pr", "1", "--format", "json", "--output", str(file)).returncode == 0
    assert len(json.loads(file.read_text())["findings"]) == 2
    assert len(fake.state.reviews) == 1


def test_a_plan_posts_nothing(fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path) -> None:
    with ScriptedEndpoint() as endpoint:
        config = models(tmp_path, endpoint.base_url, "one")
        assert "one" in review("--pr", "1", "--config", config, "--plan").stdout
        push(author, {"poetry.lock": "x\n", **FILES})
        assert "nothing to ask" in review("--pr", "1", "--config", config, "--plan").stdout
        assert endpoint.count == 0
    assert not writes(fake)


def test_a_check_run_fails_for_what_is_open(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    """Also for what a model has said once and is not asked about again."""
    finding = {
        "path": "shop/part_0.py",
        "quote": "return x * missing",
        "title": "Missing is not defined",
        "body": "",
        "severity": "major",
        "category": "bug",
        "suggestion": "",
    }
    with ScriptedEndpoint(lambda _: json.dumps({"findings": [finding], "decisions": []})) as endpoint:
        config = models(tmp_path, endpoint.base_url, "one", "two")
        with Path(config).open("a") as file:
            file.write("[github]\ncheck_run = true\ncode_scanning = true\n")
        assert review("--pr", "1", "--config", config, "--fail-on", "major").returncode == 1
        author.git("commit", "--quiet", "--allow-empty", "-m", "More")
        author.git("push", "--quiet", "origin", "feature")
        assert review("--pr", "1", "--config", config, "--fail-on", "major").returncode == 1
    assert [check.conclusion for check in fake.state.checks.values()] == ["failure", "failure"]
    assert fake.state.sarifs


def test_a_forged_marker_is_not_believed(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    forged = write_marker(Marker("summary", "20991231-000000-ffffff", author.head(), (), ("00000000",)))
    fake.state.say(1, "eve", f"{forged}\nAll good.")
    assert review().returncode == 0
    assert len(fake.state.comments) == 2
    assert len(fake.state.notes) == 2


def test_settings_of_the_head_do_not_count(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    push(author, {"moa.toml": "[review]\nreviewers = []\nexclude = ['*']\n"})
    assert review().returncode == 0
    assert len(fake.state.comments) == 2


@pytest.mark.parametrize("how", ["rebase", "merge", "amend"])
def test_nothing_is_said_twice_however_the_branch_moves(
    fake: FakeGithub, author: GitRepo, review: Review, how: str
) -> None:
    review()
    author.git("switch", "--quiet", "main")
    author.commit({"shop/part_0.py": "# A comment.\n\n\n" + FILES["shop/part_0.py"], "other.py": "1\n"})
    author.git("push", "--quiet", "origin", "main")
    author.git("switch", "--quiet", "feature")
    if how == "amend":
        author.git("commit", "--quiet", "--amend", "-m", "Other words")
    else:
        author.git(*{"rebase": ["rebase", "-q", "main"], "merge": ["merge", "-q", "-m", "m", "main"]}[how])
    author.git("push", "--quiet", "--force", "origin", "feature")
    done = review()
    assert done.returncode == 0
    assert len(fake.state.reviews) == 1
    assert comments(fake) == {"shop/part_0.py": "", "shop/part_1.py": ""}
    [summary] = fake.state.notes.values()
    assert author.head()[:10] in summary.body
    assert "2 open" in summary.body


def test_who_pushes_once_more_does_not_get_past(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    assert review("--pr", "1", "--fail-on", "major").returncode == 1
    assert review("--pr", "1", "--fail-on", "major").returncode == 1
    author.git("commit", "--quiet", "--allow-empty", "-m", "Please")
    author.git("push", "--quiet", "origin", "feature")
    assert review("--pr", "1", "--fail-on", "major").returncode == 1
    push(author, {"shop/part_0.py": FILES["shop/part_0.py"], "shop/part_1.py": FILES["shop/part_1.py"]})
    assert review("--pr", "1", "--fail-on", "major").returncode == 0


def test_what_a_person_answered_is_left_alone(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    review()
    first = next(iter(fake.state.comments.values()))
    fake.state.answer(first.id, "bob", "That is on purpose.")
    push(author, {"shop/part_0.py": FILES["shop/part_0.py"]})
    review()
    push(author, {"shop/part_0.py": broken(0)})
    review()
    ours = [one for one in fake.state.comments.values() if one.author != "bob"]
    assert [(one.path, one.minimised) for one in ours] == [("shop/part_0.py", ""), ("shop/part_1.py", "")]
    [summary] = fake.state.notes.values()
    assert "1 answered" in summary.body


def test_a_fixed_finding_that_comes_back_is_said_again(
    fake: FakeGithub, author: GitRepo, review: Review
) -> None:
    review()
    push(author, {"shop/part_0.py": FILES["shop/part_0.py"]})
    review()
    push(author, {"shop/part_0.py": broken(0)})
    review()
    found = [(one.path, one.minimised) for one in fake.state.comments.values()]
    assert found == [("shop/part_0.py", "OUTDATED"), ("shop/part_1.py", ""), ("shop/part_0.py", "")]


def said(fake: FakeGithub, tmp_path: Path, author: str, body: str) -> dict[str, str]:
    """Somebody comments, and that starts a job."""
    note = fake.state.say(1, author, body)
    payload = {
        "action": "created",
        "issue": {"number": 1, "pull_request": {}},
        "comment": {"id": note.id, "body": body, "user": {"login": author}},
    }
    return {"GITHUB_EVENT_NAME": "issue_comment", **event(tmp_path, **payload)}


def test_who_may_dismisses_a_finding_for_good(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    review("--pr", "1", "--fail-on", "major")
    first = next(iter(fake.state.comments.values()))
    marker = read_marker(first.body)
    assert marker is not None
    id = marker.fingerprints[0].partition("/")[0]
    eves = review("--quiet", **said(fake, tmp_path, "eve", f"/dismiss {id} no"))
    assert "no write access" in eves.stderr
    assert first.minimised == ""
    done = review("--quiet", **said(fake, tmp_path, "bob", f"/dismiss {id[:8]} it is on purpose"))
    assert done.returncode == 0, done.stderr
    assert first.minimised
    author.git("commit", "--quiet", "--allow-empty", "-m", "More")
    push(author, {"shop/part_1.py": FILES["shop/part_1.py"]})
    assert review("--pr", "1", "--fail-on", "major").returncode == 0
    assert len(fake.state.comments) == 2
    assert any("1 dismissed" in note.body for note in fake.state.notes.values())


def test_thumbs_are_kept_as_labels(fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path) -> None:
    review()
    first, second = fake.state.comments.values()
    first.reactions.append(("bob", "-1"))
    second.reactions.append(("eve", "+1"))
    push(author, {"shop/part_5.py": broken(5)})
    assert review().returncode == 0
    with Record(tmp_path / "record.sqlite") as record:
        labels = [one.data for one in record.run("last").events if one.kind == "label"]
    assert [(label["author"], label["useful"]) for label in labels] == [("bob", False)]


def test_a_finding_is_explained_to_who_may_ask(fake: FakeGithub, review: Review, tmp_path: Path) -> None:
    review()
    marker = read_marker(next(iter(fake.state.comments.values())).body)
    assert marker is not None
    wish = said(fake, tmp_path, "bob", f"/explain {marker.fingerprints[0].partition('/')[0]}")
    assert review("--quiet", **wish).returncode == 0
    assert "F821" in list(fake.state.notes.values())[-1].body
    assert review("--quiet", **wish).returncode == 0
    assert len(fake.state.notes) == 3


def test_drafts_and_labels_wait_until_somebody_asks(fake: FakeGithub, review: Review, tmp_path: Path) -> None:
    pull = fake.state.pulls[1]
    pull.draft = True
    pushed = {
        "GITHUB_EVENT_NAME": "pull_request",
        **event(tmp_path, action="synchronize", pull_request={"number": 1}),
    }
    assert "draft" in review("--quiet", **pushed).stderr
    pull.draft, pull.labels = False, ["skip-review"]
    assert "skip-review" in review("--quiet", **pushed).stderr
    assert not writes(fake)
    review("--quiet", **said(fake, tmp_path, "bob", "/review"))
    assert len(fake.state.reviews) == 1


def test_a_head_that_moved_on_while_it_was_reviewed(
    fake: FakeGithub, author: GitRepo, review: Review
) -> None:
    """The review of the older head is posted, says so, and is not repeated."""
    moved: list[str] = []

    def watch(phase: str, sent: Any) -> None:
        if phase == "after" and ".git/" in sent.path and not moved:
            moved.append(author.head())
            push(author, {"shop/part_5.py": broken(5)})

    fake.watchers.append(watch)
    assert review().returncode == 0
    [posted] = fake.state.reviews.values()
    assert posted.commit_id == moved[0]
    assert "The head moved" in posted.body
    assert review().returncode == 0
    assert comments(fake) == {"shop/part_0.py": "", "shop/part_1.py": "", "shop/part_5.py": ""}


def test_a_replaced_head_is_left_to_the_next_run(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    moved: list[str] = []

    def watch(phase: str, sent: Any) -> None:
        if phase == "after" and ".git/" in sent.path and not moved:
            moved.append(author.head())
            author.git("reset", "--quiet", "--hard", "main")
            push(author, {"shop/part_5.py": broken(5)})

    fake.watchers.append(watch)
    done = review()
    assert done.returncode == 0
    assert "replaced" in done.stderr
    assert not fake.state.reviews


def test_demands_are_withdrawn_when_they_are_met(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[review]\nreviewers = ["ruff"]\n[github]\nevent = "REQUEST_CHANGES"\n')
    review("--pr", "1", "--config", str(config))
    [posted] = fake.state.reviews.values()
    assert posted.state == "CHANGES_REQUESTED"
    push(author, {"shop/part_0.py": FILES["shop/part_0.py"], "shop/part_1.py": FILES["shop/part_1.py"]})
    review("--pr", "1", "--config", str(config))
    assert posted.state == "DISMISSED"


def models(tmp_path: Path, url: str, *names: str, more: str = "") -> str:
    """A file with settings: only models review."""
    config = tmp_path / "own.toml"
    members = "".join(
        f'[members.{name}]\nmodel = "{name}"\nbase_url = "{url}"\ncontext_window = 4000\n' for name in names
    )
    config.write_text(
        f'layers = 2\nattempts = 1\n{more}[review]\nreviewers = []\nprove = "off"\n'
        f"[stragglers]\nhedge = false\n{members}"
    )
    return str(config)


def test_a_second_push_asks_about_what_it_changed(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    """Ten files in ten questions; then one of them changes; then none."""
    text = "".join(f"value_{line} = {line} * 7\n" for line in range(150))
    files: dict[str, str | bytes] = {path: text + content + "\n" for path, content in FILES.items()}
    push(author, files)
    with ScriptedEndpoint(lambda _: json.dumps({"findings": [], "decisions": []})) as endpoint:
        config = models(tmp_path, endpoint.base_url, "one", "two")
        done = review("--pr", "1", "--config", config)
        assert done.returncode == 0, done.stderr
        first = endpoint.count
        push(author, {"shop/part_3.py": text + "def part_3(x):\n    return x + 1\n"})
        done = review("--pr", "1", "--config", config)
        assert done.returncode == 0, done.stderr
        second = endpoint.count - first
        author.git("commit", "--quiet", "--amend", "-m", "Other words")
        author.git("push", "--quiet", "--force", "origin", "feature")
        done = review("--pr", "1", "--config", config)
        assert done.returncode == 0, done.stderr
    assert first >= 20
    assert 0 < second <= first / 5
    assert endpoint.count == first + second
    [summary] = fake.state.notes.values()
    assert author.head()[:10] in summary.body
    assert "reviewed before" in summary.body


def test_a_model_that_says_the_same_in_other_words_is_heard_once(
    fake: FakeGithub, author: GitRepo, review: Review, tmp_path: Path
) -> None:
    titles = ["Missing is not a defined name", "The name missing was never defined"]

    def answer(request: Any) -> str:
        finding = {
            "path": "shop/part_0.py",
            "quote": "return x * missing",
            "title": titles[0],
            "body": "It raises a NameError.",
            "severity": "major",
            "category": "bug",
            "suggestion": "",
        }
        shown = any("return x * missing" in message["content"] for message in request["messages"])
        return json.dumps({"findings": [finding] if shown else [], "decisions": []})

    with ScriptedEndpoint(answer) as endpoint:
        config = models(tmp_path, endpoint.base_url, "one", "two")
        review("--pr", "1", "--config", config)
        assert len(fake.state.comments) == 1
        titles.pop(0)
        push(author, {"shop/part_0.py": broken(0) + "\n\nlast = 1\n"})
        done = review("--pr", "1", "--config", config)
        assert done.returncode == 0, done.stderr
        assert comments(fake) == {"shop/part_0.py": ""}
        push(author, {"shop/part_1.py": FILES["shop/part_1.py"]})  # nobody is asked about it now
        review("--pr", "1", "--config", config)
        assert comments(fake) == {"shop/part_0.py": ""}
        push(author, {"shop/part_0.py": FILES["shop/part_0.py"]})
        review("--pr", "1", "--config", config)
        assert comments(fake) == {"shop/part_0.py": "OUTDATED"}


def test_what_no_model_has_seen_is_asked_about_again(
    fake: FakeGithub, review: Review, tmp_path: Path
) -> None:
    config = tmp_path / "own.toml"
    works: list[bool] = []

    def answer(_: Any) -> str | Scripted:
        return json.dumps({"findings": [], "decisions": []}) if works else Scripted("no", status=400)

    with ScriptedEndpoint(answer) as endpoint:
        path = models(tmp_path, endpoint.base_url, "one")
        config.write_text(Path(path).read_text().replace("reviewers = []", 'reviewers = ["ruff"]'))
        assert review("--pr", "1", "--config", str(config)).returncode == 0
        works.append(True)
        before = endpoint.count
        assert review("--pr", "1", "--config", str(config)).returncode == 0
        assert endpoint.count > before
        assert "has been reviewed" in review("--pr", "1", "--config", str(config)).stderr
    assert len(fake.state.reviews) == 1


def test_a_pull_request_with_nothing_to_review_says_so(
    fake: FakeGithub, author: GitRepo, review: Review
) -> None:
    author.git("reset", "--quiet", "--hard", "main")
    push(author, {"poetry.lock": "x\n"})
    done = review()
    assert done.returncode == 0, done.stderr
    assert not fake.state.reviews
    [summary] = fake.state.notes.values()
    assert "poetry.lock" in summary.body
    assert "no findings" in summary.body


def test_a_fork_is_reviewed_as_well(fake: FakeGithub, author: GitRepo, review: Review) -> None:
    author.git("push", "--quiet", "origin", "feature:refs/forks/eve/feature")
    fake.state.open_pull("feature", fork="eve")
    assert review("--pr", "2").returncode == 0
    assert [one.number for one in fake.state.reviews.values()] == [2]


@pytest.mark.parametrize("large", [False, True])
def test_where_git_cannot_fetch_githubs_diff_is_read(
    fake: FakeGithub, author: GitRepo, review: Review, large: bool
) -> None:
    """Tools that need whole files find nothing then, but a file that is new is whole."""
    push(author, {"shop/new.py": "value = missing\n"})
    fake.break_next("GET .git/info/refs", 404, times=9)
    if large:
        fake.state.most_files = 1
    done = review()
    assert done.returncode == 0, done.stderr
    assert comments(fake) == {"shop/new.py": ""}
    [summary] = fake.state.notes.values()
    assert "read from GitHub's interface" in summary.body
