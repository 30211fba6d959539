"""The client, against a GitHub that refuses, waits and breaks as the real one does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from moa_engine.errors import ConfigError
from review_bot.github.client import (
    Client,
    Connection,
    LimitReached,
    Patience,
    Refused,
    Unclear,
    Unreachable,
    connect,
)
from review_bot.github.model import Annotation, CheckRun, InlineComment, TooLarge
from tests.review_bot.github.fake_github import Clock, FakeGithub, Trouble
from tests.review_bot.github.fake_limits import SECONDARY
from tests.review_bot.github.fake_state import app_token, fork_token, personal_token
from tests.review_bot.gitrepo import GitRepo

REVIEWS = "POST /reviews$"


def comment(
    line: int = 2, path: str = "shop.py", start: int | None = None, text: str = "Why?"
) -> InlineComment:
    return InlineComment(path, "RIGHT", line, start, text, "f1")


def post(client: Client, head: str, *comments: InlineComment) -> int:
    return client.create_review(1, head, "A review.", "COMMENT", comments).id


# Reading


def test_a_pull_request_is_read_as_it_is(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    fake.state.pulls[1].labels.append("wip")
    pull = client.pull(1)
    assert (pull.author, pull.head_ref, pull.base_ref, pull.labels) == ("bob", "feature", "main", ("wip",))
    assert pull.head_sha == author.head()
    assert pull.author_association == "COLLABORATOR"
    assert not pull.is_fork
    assert not pull.draft


def test_a_fork_is_known_as_one_and_a_deleted_one_too(fake: FakeGithub, client: Client) -> None:
    number = fake.state.open_pull("feature", fork="eve").number
    assert client.pull(number).is_fork
    assert client.pull(number).head_repo == "eve/shop"


def test_files_have_their_hunks(client: Client) -> None:
    files = {file.path: file for file in client.files(1)}
    assert {path: file.status for path, file in files.items()} == {
        "new.py": "added",
        "old.py": "removed",
        "shop.py": "modified",
    }
    assert (files["shop.py"].patch or "").count("@@ -") == 2


def test_a_renamed_file_has_both_names(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    author.git("mv", "README.md", "READ.md")
    author.commit()
    author.git("push", "--quiet", "origin", "feature")
    (file,) = (file for file in client.files(1) if file.path == "READ.md")
    assert (file.status, file.previous_path, file.patch) == ("renamed", "README.md", None)


def test_the_diff_is_gits(client: Client, author: GitRepo) -> None:
    assert client.diff_text(1) == author.git("diff", "main...feature").decode()


def test_a_diff_that_is_too_large_is_said_to_be(fake: FakeGithub, client: Client) -> None:
    fake.state.most_files = 2
    found = client.diff_text(1)
    assert isinstance(found, TooLarge)
    assert "maximum number of files" in found.message
    assert fake.count("GET /pulls/1$") == 1


def test_lists_are_read_to_their_end(fake: FakeGithub, client: Client) -> None:
    for number in range(230):
        fake.state.say(1, "bob", f"note {number}")
    assert [note.body for note in client.issue_comments(1)] == [f"note {number}" for number in range(230)]
    assert fake.count("GET /issues/1/comments$") == 3


def test_commits_are_compared_also_when_no_branch_has_them(client: Client, author: GitRepo) -> None:
    old = author.head()
    author.git("commit", "--quiet", "--amend", "-m", "Other words")
    author.git("push", "--quiet", "--force", "origin", "feature")
    found = client.compare(old, author.head())
    assert found.status == "diverged"
    assert found.merge_base == author.git("rev-parse", "main").decode().strip()
    assert {file.path for file in found.files} == {"new.py", "old.py", "shop.py"}


def test_a_file_at_a_commit(client: Client, author: GitRepo) -> None:
    author.commit({"a ü/b#?.bin": b"\x00\xff\r\n"})
    author.git("push", "--quiet", "origin", "feature")
    assert client.contents("a ü/b#?.bin", author.head()) == b"\x00\xff\r\n"
    assert client.contents("a ü/b#?.bin", "main") is None
    assert client.contents("a ü", author.head()) is None  # a folder


@pytest.mark.parametrize(
    ("user", "held"), [("ada", "admin"), ("bob", "write"), ("eve", "read"), ("nobody/../bob", "none")]
)
def test_permissions(client: Client, user: str, held: str) -> None:
    assert client.permission_of(user) == held


@pytest.mark.parametrize(
    ("token", "login"),
    [
        (None, "github-actions[bot]"),
        (fork_token(), "github-actions[bot]"),
        (app_token(), "moa-review[bot]"),
        (personal_token("bob"), "bob"),
    ],
)
def test_every_kind_of_token_knows_whose_it_is(fake: FakeGithub, token: object, login: str) -> None:
    client = connect(fake.connection(token))  # type: ignore[arg-type]
    assert client.viewer() == login
    assert client.viewer() == login
    assert fake.count("POST /graphql$") == 1


def test_what_breaks_while_reading_is_asked_again(fake: FakeGithub, client: Client, clock: Clock) -> None:
    fake.break_next("GET /pulls/1$", 502)
    fake.break_next("GET /pulls/1$", "reset")
    assert client.pull(1).number == 1
    assert fake.count("GET /pulls/1$") == 3
    assert clock.slept == [1, 2]


def test_reading_gives_up(fake: FakeGithub, client: Client) -> None:
    fake.break_next("GET /pulls/1$", 503, times=99)
    with pytest.raises(Unreachable, match="503"):
        client.pull(1)
    assert fake.count("GET /pulls/1$") == 4


def test_an_answer_that_is_no_json_is_no_crash(fake: FakeGithub, client: Client) -> None:
    fake.break_next("GET /pulls/1$", 200, body="<html>")
    with pytest.raises(Unreachable, match="cannot be read"):
        client.pull(1)
    fake.break_next("GET /pulls/1$", 200, body={"number": 1})
    with pytest.raises(Unreachable, match="cannot be read"):
        client.pull(1)


# Writing


def test_a_review_lands_with_its_comments(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    id = post(client, author.head(), comment(2), comment(18, start=17), comment(1, "new.py"))
    (review,) = client.reviews(1)
    assert (review.id, review.state, review.commit_id) == (id, "COMMENTED", author.head())
    assert (review.author, review.body) == ("github-actions[bot]", "A review.")
    found = client.review_comments(1)
    assert [(one.path, one.line, one.review_id) for one in found] == [
        ("shop.py", 2, id),
        ("shop.py", 18, id),
        ("new.py", 1, id),
    ]
    assert not any(one.outdated for one in found)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (comment(10), "line must be part of the diff"),
        (comment(2, "README.md"), "Path could not be resolved"),
        (comment(2, start=2), "start line must precede"),
        (comment(18, start=2), "same hunk"),
        (comment(2, text="x" * 65_537), "Body is too long"),
    ],
)
def test_one_bad_comment_refuses_all_and_is_not_named(
    fake: FakeGithub, client: Client, author: GitRepo, bad: InlineComment, says: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        post(client, author.head(), comment(2), bad, comment(18))
    assert refused.value.status == 422
    assert bad.path not in refused.value.message.replace("POST /repos/ada/shop/pulls/1/reviews", "")
    assert not fake.state.reviews
    assert not fake.state.comments


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("trouble", [502, 500, 503, "reset", "cut", "hang"])
def test_no_write_is_sent_again(
    fake: FakeGithub, author: GitRepo, clock: Clock, trouble: Trouble, landed: bool
) -> None:
    client = connect(fake.connection(timeout=1, patience=Patience(120.0, clock, clock.sleep)))
    fake.break_next(REVIEWS, trouble, landed=landed)
    with pytest.raises(Unclear):
        post(client, author.head(), comment(2))
    assert fake.count(REVIEWS) == 1
    assert clock.slept == []
    assert len(client.reviews(1)) == landed


WRITES: dict[str, tuple[object, ...]] = {
    "edit_review_body": (1, 1001, "x"),
    "dismiss_review": (1, 1001, "x"),
    "delete_pending_review": (1, 1001),
    "edit_review_comment": (1, "x"),
    "reply": (1, 1, "x"),
    "create_issue_comment": (1, "x"),
    "edit_issue_comment": (1, "x"),
    "react": (1, "eyes"),
    "minimise": ("IC_1", "OUTDATED"),
    "resolve_thread": ("PRRT_1",),
    "create_check_run": ("moa", "0" * 40, "x", CheckRun("t", "s")),
    "update_check_run": (1, CheckRun("t", "s")),
    "upload_sarif": ("0" * 40, "refs/pull/1/head", "{}"),
}


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("trouble", [502, "reset", 200])
def test_each_way_of_writing_is_unclear_when_its_answer_is(
    fake: FakeGithub, client: Client, method: str, trouble: Trouble
) -> None:
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        fake.break_next(f"{verb} .", trouble, body="<html>")
    with pytest.raises(Unclear):
        getattr(client, method)(*WRITES[method])
    assert len(fake.sent) == 1


def test_what_never_left_is_no_unclear_write(fake: FakeGithub, clock: Clock) -> None:
    connection = fake.connection(patience=Patience(120.0, clock, clock.sleep))
    client = connect(replace(connection, api_url="http://127.0.0.1:9"))
    with pytest.raises(Unreachable):
        client.create_issue_comment(1, "Hello?")
    assert clock.slept == [1, 2, 4]


def test_comments_are_written_edited_and_folded_away(
    fake: FakeGithub, client: Client, author: GitRepo
) -> None:
    note = client.create_issue_comment(1, "First")
    client.edit_issue_comment(note.id, "Second")
    client.react(note.id, "eyes")
    client.react(note.id, "eyes")
    (read,) = client.issue_comments(1)
    assert (read.body, read.reactions, read.association) == ("Second", {"eyes": 1}, "NONE")
    review = post(client, author.head(), comment(2))
    client.edit_review_body(1, review, "Another summary.")
    (first,) = client.review_comments(1)
    client.edit_review_comment(first.id, "Edited")
    answer = client.reply(1, first.id, "Because.")
    assert answer.in_reply_to == first.id
    assert [one.body for one in client.review_comments(1)] == ["Edited", "Because."]
    for node_id in (read.node_id, first.node_id, client.reviews(1)[0].node_id):
        client.minimise(node_id, "OUTDATED")
    assert fake.state.notes[note.id].minimised == "OUTDATED"
    assert fake.state.comments[first.id].minimised == "OUTDATED"
    assert fake.state.reviews[review].minimised == "OUTDATED"


def test_nobody_elses_comment_is_edited(fake: FakeGithub, client: Client) -> None:
    note = fake.state.say(1, "bob", "Mine")
    with pytest.raises(Refused) as refused:
        client.edit_issue_comment(note.id, "Yours")
    assert refused.value.status == 403
    assert note.body == "Mine"


def test_thumbs_are_read_with_who_gave_them(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    post(client, author.head(), comment(2))
    (posted,) = client.review_comments(1)
    fake.state.comments[posted.id].reactions += [("bob", "+1"), ("eve", "-1")]
    assert client.review_comments(1)[0].reactions == {"+1": 1, "-1": 1}
    found = client.comment_reactions(posted.id)
    assert [(one.author, one.content) for one in found] == [("bob", "+1"), ("eve", "-1")]


def test_a_comment_whose_line_changed_is_outdated_and_others_move(
    fake: FakeGithub, client: Client, author: GitRepo
) -> None:
    post(client, author.head(), comment(2), comment(18))
    lines = (author.folder / "shop.py").read_text().splitlines(keepends=True)
    lines[1:2] = ["line_2 = 'again'\n", "line_2b = 0\n"]
    author.commit({"shop.py": "".join(lines)})
    author.git("push", "--quiet", "origin", "feature")
    old, kept = client.review_comments(1)
    assert (old.line, old.outdated) == (None, True)
    assert (kept.line, kept.outdated) == (19, False)


def test_threads_are_resolved_only_with_the_right_to_write_contents(
    fake: FakeGithub, client: Client, author: GitRepo
) -> None:
    post(client, author.head(), comment(2), comment(18))
    first, second = client.review_comments(1)
    fake.state.answer(first.id, "bob", "No.")
    thread, other = client.threads(1)
    assert thread.comments[0] == first.id
    assert len(thread.comments) == 2
    assert other.comments == (second.id,)
    with pytest.raises(Refused) as refused:
        client.resolve_thread(thread.node_id)
    assert refused.value.status == 403
    connect(fake.connection(app_token())).resolve_thread(thread.node_id)
    thread, other = client.threads(1)
    assert (thread.resolved, thread.resolved_by) == (True, "moa-review")
    assert not other.resolved


def test_more_than_a_hundred_threads(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    fake.limits.content_per_minute = 1000
    post(client, author.head(), *[comment(2)] * 130)
    assert len({thread.node_id for thread in client.threads(1)}) == 130


def test_a_pending_review_blocks_until_it_is_deleted(
    fake: FakeGithub, client: Client, author: GitRepo
) -> None:
    fake.state.keeps_refused_reviews = True
    with pytest.raises(Refused):
        post(client, author.head(), comment(10))
    with pytest.raises(Refused, match="one pending review"):
        post(client, author.head(), comment(2))
    (pending,) = client.reviews(1)
    assert (pending.state, pending.submitted_at) == ("PENDING", None)
    assert connect(fake.connection(personal_token("bob"))).reviews(1) == ()
    client.delete_pending_review(1, pending.id)
    post(client, author.head(), comment(2))


def test_only_what_asked_for_changes_is_dismissed(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    said = post(client, author.head())
    with pytest.raises(Refused, match="dismiss"):
        client.dismiss_review(1, said, "Done.")
    with pytest.raises(Refused, match="delete"):
        client.delete_pending_review(1, said)
    asked = client.create_review(1, author.head(), "Change it.", "REQUEST_CHANGES", ())
    client.dismiss_review(1, asked.id, "Done.")
    assert [review.state for review in client.reviews(1)] == ["COMMENTED", "DISMISSED"]


def test_a_head_that_was_pushed_away_takes_no_review(client: Client, author: GitRepo) -> None:
    old = author.head()
    author.git("commit", "--quiet", "--amend", "-m", "Other words")
    author.git("push", "--quiet", "--force", "origin", "feature")
    with pytest.raises(Refused) as refused:
        post(client, old, comment(2))
    assert refused.value.status == 422


def test_the_token_of_a_fork_only_reads(fake: FakeGithub, author: GitRepo) -> None:
    client = connect(fake.connection(fork_token()))
    assert client.pull(1).number == 1
    for write in (
        lambda: post(client, author.head(), comment(2)),
        lambda: client.create_issue_comment(1, "Hello"),
        lambda: client.create_check_run("moa", author.head(), "x", CheckRun("t", "s")),
        lambda: client.minimise(fake.state.say(1, "bob", "Hi") and "IC_1001", "SPAM"),
    ):
        with pytest.raises(Refused, match="Resource not accessible by integration") as refused:
            write()
        assert refused.value.status == 403


def test_a_wrong_token_is_refused_at_once(fake: FakeGithub) -> None:
    with pytest.raises(Refused, match="Bad credentials") as refused:
        connect(replace(fake.connection(), token="ghs_unknown")).pull(1)
    assert refused.value.status == 401
    assert len(fake.sent) == 1


# Check runs and code scanning


def note(line: int) -> Annotation:
    return Annotation("shop.py", line, line, "warning", "A title", "A message")


def test_a_check_run_is_started_and_concluded(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    id = client.create_check_run("moa", author.head(), "run-1", CheckRun("Reviewing", "…"))
    client.create_check_run("moa", author.head(), "run-2", CheckRun("Reviewing", "…"))
    assert fake.state.checks[id].status == "in_progress"
    for start in (0, 50):
        notes = tuple(note(start + number) for number in range(1, 51))
        client.update_check_run(id, CheckRun("Done", "2 findings", "All.", "neutral", notes))
    check = fake.state.checks[id]
    assert (check.status, check.conclusion, len(check.annotations)) == ("completed", "neutral", 100)
    assert client.check_runs(author.head(), "moa")["run-1"] == id
    assert len(client.check_runs(author.head(), "moa")) == 2
    with pytest.raises(Refused, match="50"):
        client.update_check_run(id, CheckRun("Done", "x", annotations=(note(1),) * 51))


def test_a_person_makes_no_check_runs(fake: FakeGithub, author: GitRepo) -> None:
    client = connect(fake.connection(personal_token("bob")))
    with pytest.raises(Refused, match="GitHub App"):
        client.create_check_run("moa", author.head(), "x", CheckRun("t", "s"))


def test_sarif_arrives_whole(fake: FakeGithub, client: Client, author: GitRepo) -> None:
    assert client.upload_sarif(author.head(), "refs/pull/1/head", '{"version": "2.1.0", "ü": 1}')
    assert fake.state.sarifs[0]["sarif"] == {"version": "2.1.0", "ü": 1}
    fake.state.code_scanning = False
    with pytest.raises(Refused, match="not enabled"):
        client.upload_sarif(author.head(), "refs/pull/1/head", "{}")


# Limits


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("headers", "waits"), [({"retry-after": "7"}, [7]), ({}, [60])])
def test_a_secondary_limit_is_waited_for(
    fake: FakeGithub, client: Client, clock: Clock, status: int, headers: dict[str, str], waits: list[float]
) -> None:
    fake.break_next("POST /comments$", status, headers=headers, body={"message": SECONDARY})
    client.create_issue_comment(1, "Hello")
    assert clock.slept == waits
    assert len(fake.state.notes) == 1


def test_a_limit_that_does_not_say_when_is_waited_for_ever_longer(fake: FakeGithub, clock: Clock) -> None:
    client = connect(fake.connection(patience=Patience(200.0, clock, clock.sleep)))
    fake.break_next("POST /comments$", 429, times=9, body={"message": "Too many requests"})
    with pytest.raises(LimitReached) as reached:
        client.create_issue_comment(1, "Hello")
    assert clock.slept == [60, 120]
    assert reached.value.seconds == 240
    assert not fake.state.notes


def test_a_wait_beyond_the_cap_is_not_begun(fake: FakeGithub, client: Client, clock: Clock) -> None:
    fake.break_next("GET /pulls/1$", 403, headers={"retry-after": "3000"}, body={"message": SECONDARY})
    with pytest.raises(LimitReached, match="3000 s"):
        client.pull(1)
    assert clock.slept == []


def test_the_cap_is_for_all_waiting_together(fake: FakeGithub, client: Client, clock: Clock) -> None:
    fake.break_next("GET /pulls/1$", 429, headers={"retry-after": "50"}, times=2)
    client.pull(1)
    fake.break_next("GET /pulls/1$", 429, headers={"retry-after": "50"})
    with pytest.raises(LimitReached):
        client.pull(1)
    assert clock.slept == [50, 50]


def test_the_primary_limit_says_when_it_ends_on_githubs_clock(fake: FakeGithub, clock: Clock) -> None:
    def hours_ahead() -> float:  # this machine's clock is wrong
        return clock() + 7200

    client = connect(fake.connection(patience=Patience(3700.0, hours_ahead, clock.sleep)))
    fake.limits.requests_per_hour = 2
    client.pull(1)
    clock.now += 600
    client.pull(1)
    client.pull(1)
    assert clock.slept == [pytest.approx(3001, abs=1)]


def test_a_graphql_limit_is_one_too(fake: FakeGithub, client: Client, clock: Clock) -> None:
    said = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    fake.break_next("POST /graphql$", 200, headers={"retry-after": "5"}, body=said)
    assert client.viewer() == "github-actions[bot]"
    assert clock.slept == [5]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("says_when", [True, False])
def test_eighty_contents_a_minute(fake: FakeGithub, clock: Clock, status: int, says_when: bool) -> None:
    fake.limits.status, fake.limits.says_when = status, says_when
    client = connect(fake.connection(patience=Patience(120.0, clock, clock.sleep)))
    for number in range(81):
        client.create_issue_comment(1, f"note {number}")
    assert len(fake.state.notes) == 81
    assert clock.slept
    assert sum(clock.slept) <= 62


# What a client is made of


def test_the_library_is_loaded_only_for_github(tmp_path: Path) -> None:
    code = (
        "import sys, review_bot.github.client, review_bot.github.model, review_bot.cli;"
        "sys.exit('github' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "shop"},
        {"repository": "ada/shop/../../user"},
        {"token": ""},
        {"token": "ghs_1\nX-Other: 1"},
        {"api_url": "api.github.com"},
    ],
)
def test_a_connection_that_cannot_be_is_a_setting_to_correct(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        connect(Connection(**{"repository": "ada/shop", "token": "x", **wrong}))  # type: ignore[arg-type]


def test_a_token_is_not_shown() -> None:
    assert "ghs_secret" not in repr(Connection("ada/shop", "ghs_secret"))


# git


def fetch(repo: GitRepo, client: Client, *what: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**clean, **client.git_environment(clean)}
    command = ["git", "fetch", "--quiet", client.clone_url(), *what]
    done = subprocess.run(command, cwd=repo.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_git_fetches_with_the_token_from_the_environment_alone(
    fake: FakeGithub, client: Client, author: GitRepo, tmp_path: Path
) -> None:
    # As actions/checkout leaves it: a header of its own in the repository's settings.
    repo = GitRepo(tmp_path / "checkout")
    repo.git("config", f"http.{fake.url}/.extraheader", "AUTHORIZATION: basic b3RoZXI6dG9rZW4=")
    fetch(repo, client, "refs/pull/1/head")
    assert repo.git("rev-parse", "FETCH_HEAD").decode().strip() == author.head()
    kept = b"".join(path.read_bytes() for path in repo.folder.rglob("*") if path.is_file())
    assert b"job-token" not in kept
    assert "job-token" not in client.clone_url()


def test_git_fetches_a_head_that_was_pushed_away(client: Client, author: GitRepo, tmp_path: Path) -> None:
    old = author.head()
    author.git("commit", "--quiet", "--amend", "-m", "Other words")
    author.git("push", "--quiet", "--force", "origin", "feature")
    repo = GitRepo(tmp_path / "checkout")
    fetch(repo, client, old)
    assert repo.git("cat-file", "-t", old).strip() == b"commit"


def test_settings_that_come_by_environment_stay(client: Client) -> None:
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    more = client.git_environment(given)
    assert more["GIT_CONFIG_COUNT"] == "4"
    assert not set(more) & {"GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}


def test_requests_from_many_threads_are_all_answered(fake: FakeGithub, client: Client) -> None:
    threads = [threading.Thread(target=client.create_issue_comment, args=(1, "x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.state.notes) == 8
