"""Reading from GitHub: to the end, again when it breaks, and never a crash."""

from __future__ import annotations

import pytest

from review_bot.github.client import (
    Client,
    Unreachable,
    connect,
)
from review_bot.github.model import TooLarge
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.github.fake_model import app_token, fork_token, personal_token
from tests.review_bot.gitrepo import GitRepo


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
