"""Every request that the client can write, against GitHub's published description of its body."""

from review_bot.github.client import Client
from review_bot.github.model import Annotation, CheckRun, InlineComment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.github.request_bodies import faults


def test_every_body_is_as_github_describes_it(client: Client, fake: FakeGithub) -> None:
    head = client.pull(1).head_sha
    inline = (
        InlineComment("shop.py", "RIGHT", 2, None, "One line.", "aaaa0001"),
        InlineComment("shop.py", "RIGHT", 3, 1, "Three.", "aaaa0002"),
        InlineComment("shop.py", "LEFT", 18, None, "Before.", "aaaa0003"),
    )
    review = client.create_review(1, head, "A review.", "COMMENT", inline)
    client.edit_review_body(1, review.id, "Edited.")
    asked = client.create_review(1, head, "Changes, please.", "REQUEST_CHANGES", ())
    client.dismiss_review(1, asked.id, "It was addressed.")
    comment = client.review_comments(1)[0]
    client.edit_review_comment(comment.id, "Edited.")
    note = client.create_issue_comment(1, "A comment.")
    client.edit_issue_comment(note.id, "Edited.")
    client.react(note.id, "eyes")
    annotation = Annotation("shop.py", 2, 3, "warning", "Title", "Message")
    check = client.create_check_run("review", head, "run-1", CheckRun("Title", "Summary"))
    client.update_check_run(
        check, CheckRun("Title", "Summary", conclusion="neutral", annotations=(annotation,) * 50)
    )
    client.upload_sarif(head, "refs/pull/1/head", '{"version": "2.1.0", "runs": []}')

    written = [sent for sent in fake.sent if sent.method in ("POST", "PUT", "PATCH")]
    rest = [sent for sent in written if sent.path != "/graphql"]
    assert {sent.method for sent in rest} == {"POST", "PUT", "PATCH"}
    assert [(str(sent), faults(sent.method, sent.path, sent.data)) for sent in rest] == [
        (str(sent), []) for sent in rest
    ]


def test_what_github_does_not_describe_is_found() -> None:
    reviews = "/repos/ada/shop/pulls/1/reviews"
    assert faults("POST", reviews, {"event": "COMMENT", "body": "x", "comments": []}) == []
    assert faults("POST", reviews, {"event": "comment"})
    assert faults(
        "POST", reviews, {"event": "COMMENT", "comments": [{"path": "a", "body": "b", "subject": 1}]}
    )
    assert faults("POST", "/repos/ada/shop/check-runs", {"name": "x"})
    assert faults("DELETE", reviews, {}) is None
