"""The review endpoints of the fake: where GitHub is strict, and says little."""

from __future__ import annotations

from typing import Any

from tests.review_bot.github.fake_diff import FileDiff
from tests.review_bot.github.fake_model import Comment, Json, Pull, Review
from tests.review_bot.github.fake_rules import (
    Call,
    Problem,
    authored,
    check_length,
    check_open_to_comments,
    fields,
    find,
    route,
    text_of,
    unprocessable,
)
from tests.review_bot.github.fake_state import State

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@route("GET", "/pulls/{n}/reviews", "pull_requests:read")
def reviews(state: State, call: Call, number: str) -> tuple[int, Any]:
    find(state.pulls, number)
    # docs: reviews: a pending one is only shown to its author.
    shown = [
        review
        for review in state.reviews.values()
        if review.number == int(number) and (review.state != "PENDING" or review.author == call.token.login)
    ]
    return 200, [state.show_review(review) for review in state.listed(shown)]


@route("POST", "/pulls/{n}/reviews", "pull_requests:write")
def create(state: State, call: Call, number: str) -> tuple[int, Any]:
    pull = find(state.pulls, number)
    check_open_to_comments(pull)
    data = fields(call.data, {}, {"commit_id": str, "body": str, "event": str, "comments": list})
    event, body, login = data.get("event") or "", data.get("body") or "", call.token.login
    if event and event not in _STATES:
        # seen: the REST API passes it on to GraphQL's enumeration.
        raise unprocessable("Variable $event of type PullRequestReviewEvent was provided invalid value")
    # docs: reviews, body: "Required when using REQUEST_CHANGES or COMMENT for the event parameter."
    if event in ("REQUEST_CHANGES", "COMMENT") and not body.strip():
        raise unprocessable("Body can't be blank")
    check_length(body)
    if event in ("REQUEST_CHANGES", "APPROVE") and login == pull.author:
        # seen: "Can not request changes on your own pull request", "Can not approve your own ...".
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise unprocessable(f"Can not {verb} your own pull request")
    if any(
        r.number == pull.number and r.author == login and r.state == "PENDING" for r in state.reviews.values()
    ):
        # seen: whatever the new review is.
        raise unprocessable("User can only have one pending review per pull request")
    commit_id = data.get("commit_id") or state.head(pull)
    if commit_id not in state.commits(pull):
        # seen: after a force-push, and for commits of another pull request.
        raise unprocessable("commit_id is not part of the pull request")
    review = Review(
        state.new_id(), pull.number, login, body, _STATES.get(event, "PENDING"), commit_id, state.clock()
    )
    found = [_comment(state, pull, review, each) for each in data.get("comments") or ()]
    problems = {problem for problem in found if isinstance(problem, str)}
    if problems:
        if state.keeps_refused_reviews:
            # seen: sometimes the review is left behind without its comments (max-sixty/tend#123, #252).
            review.state = state.keeps_refused_reviews
            state.reviews[review.id] = review
        # seen: one bad comment refuses the whole review, and the answer does not say which one it is.
        raise unprocessable(*sorted(problems))
    review.unlisted = state.lag
    state.reviews[review.id] = review
    state.comments |= {comment.id: comment for comment in found if isinstance(comment, Comment)}
    return 200, state.show_review(review)


def _comment(state: State, pull: Pull, review: Review, data: Any) -> Comment | str:
    """A comment of a review, or what is wrong with it."""
    whole = {"line": int, "start_line": int, "side": str, "start_side": str}
    # docs: reviews, comments: path and body are required.
    data = fields(data, {"path": str, "body": str}, whole)
    text_of(data)
    files = state.files(pull, review.commit_id)
    file = next((file for file in files if file.path == data["path"]), None)
    if file is None:
        return "Path could not be resolved"
    problem = _place(file, data)
    if problem:
        return problem
    return Comment(
        state.new_id(),
        pull.number,
        review.author,
        data["body"],
        data["path"],
        data.get("side") or "RIGHT",
        data["line"],
        data.get("start_line"),
        review.commit_id,
        review.id,
        state.clock(),
    )


def _place(file: FileDiff, data: Json) -> str:
    """Why GitHub does not find the lines of a comment in the diff; "" if it does."""
    line, start = data.get("line"), data.get("start_line")
    side, start_side = data.get("side") or "RIGHT", data.get("start_side") or data.get("side") or "RIGHT"
    if {side, start_side} - {"LEFT", "RIGHT"}:
        return f"Variable $side of type DiffSide was provided invalid value {side}"
    if line is None:
        return "Line could not be resolved"
    hunk = file.hunk(side, line)
    if hunk is None:
        # docs: pulls/comments, line: "The line of the blob in the pull request diff".
        return "Pull request review thread line must be part of the diff"
    if start is None:
        return ""
    if start_side == side and start >= line:
        # seen: also where both are the same line.
        return "Pull request review thread start line must precede the end line."
    if not hunk.shows(start_side, start):
        # seen: and for a line of another hunk.
        return "Pull request review thread start line must be part of the same hunk as the line."
    return ""


@route("PUT", "/pulls/{n}/reviews/{n}", "pull_requests:write")
def edit(state: State, call: Call, number: str, id: str) -> tuple[int, Any]:
    review = _own(state, call, number, id)
    review.body = text_of(fields(call.data, {"body": str}, {}))
    return 200, state.show_review(review)


@route("DELETE", "/pulls/{n}/reviews/{n}", "pull_requests:write")
def delete(state: State, call: Call, number: str, id: str) -> tuple[int, Any]:
    review = _own(state, call, number, id)
    if review.state != "PENDING":
        # docs: reviews: "Submitted reviews cannot be deleted."
        raise unprocessable("Can not delete a non-pending pull request review")
    del state.reviews[review.id]
    state.comments = {key: one for key, one in state.comments.items() if one.review_id != review.id}
    return 200, state.show_review(review)


@route("PUT", "/pulls/{n}/reviews/{n}/dismissals", "pull_requests:write")
def dismiss(state: State, call: Call, number: str, id: str) -> tuple[int, Any]:
    review = find(state.reviews, id)
    fields(call.data, {"message": str}, {})
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        # seen: comments have nothing to take back.
        raise unprocessable("Can not dismiss a commented pull request review")
    review.state = "DISMISSED"
    return 200, state.show_review(review)


def _own(state: State, call: Call, number: str, id: str) -> Review:
    review = find(state.reviews, id)
    if review.number != int(number):
        raise Problem(404, "Not Found")
    authored(call, review.author)
    return review
