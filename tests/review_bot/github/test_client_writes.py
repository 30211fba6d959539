"""A write is sent once, and what became of it is said: landed, refused, unclear."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from review_bot.github.client import (
    Client,
    Patience,
    Refused,
    Unclear,
    Unreachable,
    connect,
)
from review_bot.github.model import CheckRun, InlineComment
from tests.review_bot.github.conftest import comment, post
from tests.review_bot.github.fake_github import Clock, FakeGithub, Trouble
from tests.review_bot.github.fake_model import job_token
from tests.review_bot.gitrepo import GitRepo

REVIEWS = "POST /reviews$"


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


def test_requests_from_many_threads_are_all_answered(fake: FakeGithub, client: Client) -> None:
    threads = [threading.Thread(target=client.create_issue_comment, args=(1, "x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.state.notes) == 8


def test_a_connection_that_was_idle_while_models_thought_is_opened_again(
    fake: FakeGithub, client: Client, author: GitRepo
) -> None:
    fake.hangs_up = True
    client.pull(1)
    assert fake.hung_up.wait(10)
    post(client, author.head(), comment(2))
    assert fake.count(REVIEWS) == 1


def test_a_repository_that_was_renamed_is_found(fake: FakeGithub, author: GitRepo) -> None:
    fake.state.former_names.add("ada/store")
    client = connect(replace(fake.connection(), repository="ada/store"))
    for number in range(130):
        fake.state.say(1, "bob", f"note {number}")
    assert [note.body for note in client.issue_comments(1)] == [f"note {number}" for number in range(130)]
    with pytest.raises(Refused, match="Moved Permanently"):
        client.create_issue_comment(1, "Hello")
    assert client.pull(1).base_repo == "ada/shop"
    post(client, author.head(), comment(2))
    assert len(client.threads(1)) == 1


def test_what_a_token_lacks_is_said(fake: FakeGithub) -> None:
    client = connect(fake.connection(job_token(issues="read", pull_requests="read")))
    with pytest.raises(Refused) as refused:
        client.create_issue_comment(1, "Hello")
    assert refused.value.hint == "The token needs issues=write or pull_requests=write."
