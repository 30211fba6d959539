"""What is posted, edited, folded away and resolved, by the rules of the fake GitHub."""

from __future__ import annotations

from dataclasses import replace

import pytest

from review_bot.github.client import (
    Client,
    Refused,
    connect,
)
from review_bot.github.model import Annotation, CheckRun
from tests.review_bot.github.conftest import comment, post
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.fake_model import app_token, fork_token, personal_token
from tests.review_bot.gitrepo import GitRepo


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
    fake.state.answer(first.id, "bob", "Because.")
    edited, answer = client.review_comments(1)
    assert (edited.body, answer.body, answer.in_reply_to) == ("Edited", "Because.", first.id)
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
    fake.state.keeps_refused_reviews = "PENDING"
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
    theirs = fake.state.say(1, "bob", "Hi")
    for write in (
        lambda: post(client, author.head(), comment(2)),
        lambda: client.create_issue_comment(1, "Hello"),
        lambda: client.create_check_run("moa", author.head(), "x", CheckRun("t", "s")),
        lambda: client.minimise(f"IC_{theirs.id}", "SPAM"),
    ):
        with pytest.raises(Refused, match="Resource not accessible by integration") as refused:
            write()
        assert refused.value.status == 403


def test_a_wrong_token_is_refused_at_once(fake: FakeGithub) -> None:
    with pytest.raises(Refused, match="Bad credentials") as refused:
        connect(replace(fake.connection(), token="ghs_unknown")).pull(1)
    assert refused.value.status == 401
    assert len(fake.sent) == 1


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
