"""GitHub's GraphQL, executed by graphql-core over the part of GitHub's own schema that is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync

from tests.review_bot.github.fake_model import Comment, Json, Note, Review, Token
from tests.review_bot.github.fake_rules import Call
from tests.review_bot.github.fake_state import State

_SCHEMA = build_schema(Path(__file__).with_name("github.graphql").read_text("utf-8"))


class _Problem(Exception):
    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


def answer(state: State, call: Call) -> Json:
    """The answer to a query or mutation: 200, also with errors, each of which has a type."""
    done = graphql_sync(
        _SCHEMA, call.data["query"], _Root(state, call.token), variable_values=call.data.get("variables")
    )
    found: Json = {} if done.data is None else {"data": done.data}
    return {**found, "errors": [_error(error) for error in done.errors]} if done.errors else found


def _error(error: GraphQLError) -> Json:
    cause = error.original_error
    assert cause is None or isinstance(cause, _Problem | GraphQLError), cause
    kind = {"type": cause.type} if isinstance(cause, _Problem) else {}
    return {**kind, "path": error.path, "message": error.message}


class _Root:
    """What fields of `Query` and `Mutation` are."""

    def __init__(self, state: State, token: Token) -> None:
        self._state = state
        self._token = token

    def viewer(self, _: Any) -> Json:
        # seen: also for the tokens of jobs and installations, with "[bot]", unlike the authors of comments.
        return {"login": self._token.login}

    def repository(self, _: Any, owner: str, name: str, **__: Any) -> Json:
        state = self._state
        if f"{owner}/{name}" not in {state.repository, *state.former_names}:
            raise _Problem("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return {"pullRequest": self._pull}

    def _pull(self, _: Any, number: int) -> Json:
        if number not in self._state.pulls:
            raise _Problem("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        reviews = self._state.reviews
        firsts = [
            one for one in self._state.comments.values() if one.number == number and not one.in_reply_to
        ]
        visible = [one for one in firsts if reviews[one.review_id].state != "PENDING"]

        def threads(_: Any, first: int = 0, after: str | None = None) -> Json:
            return _page([self._thread(one) for one in visible], first, after)

        return {"reviewThreads": threads}

    def _thread(self, first: Comment) -> Json:
        state = self._state
        answers = [one.id for one in state.comments.values() if one.in_reply_to == first.id]
        now = state.line_now(first, state.pulls[first.number], first.line)
        # seen: GraphQL's logins of bots have no "[bot]".
        by = first.resolved_by.removesuffix("[bot]")
        # An id fits in `databaseId` only below 2**31; a BigInt is shown as a text.
        comments = [{"databaseId": id, "fullDatabaseId": str(id)} for id in (first.id, *answers)]
        return {
            "id": f"PRRT_{first.id}",
            "isResolved": bool(by),
            "isOutdated": first.line is not None and now is None,
            "resolvedBy": {"login": by} if by else None,
            "comments": lambda _, first=0, after=None: _page(comments, first, after),
        }

    def resolveReviewThread(self, _: Any, input: Json) -> Json:  # noqa: N802
        first = self._state.comments.get(_number(input["threadId"], "PRRT_"))
        if first is None or first.in_reply_to:
            raise _unknown(input["threadId"])
        # seen: pull_requests:write is not enough (github/gh-aw#35726 and others).
        if not (self._token.may("contents", "write") and self._token.may("pull_requests", "write")):
            raise _Problem("FORBIDDEN", "Resource not accessible by integration")
        first.resolved_by = self._token.login
        return {"thread": self._thread(first)}

    def minimizeComment(self, _: Any, input: Json) -> Json:  # noqa: N802
        found: tuple[str, Comment | Note | Review | None] = ("", None)
        id, state = input["subjectId"], self._state
        if id.startswith("PRRC_"):
            found = ("PullRequestReviewComment", state.comments.get(_number(id, "PRRC_")))
        elif id.startswith("PRR_"):
            found = ("PullRequestReview", state.reviews.get(_number(id, "PRR_")))
        elif id.startswith("IC_"):
            found = ("IssueComment", state.notes.get(_number(id, "IC_")))
        kind, subject = found
        if subject is None:
            raise _unknown(id)
        if not (self._token.may("pull_requests", "write") or self._token.may("issues", "write")):
            raise _Problem("FORBIDDEN", "Resource not accessible by integration")
        subject.minimised = input["classifier"]
        return {"minimizedComment": {"__typename": kind, "isMinimized": True}}


def _page(rows: list[Json], first: int, after: str | None) -> Json:
    if not 1 <= first <= 100:
        # docs: graphql, node limit: first or last is needed, "within 1-100".
        raise _Problem("EXCESSIVE_PAGINATION", "`first` must be within 1-100")
    start = int(after) if after else 0
    end = start + first
    return {
        "nodes": rows[start:end],
        "pageInfo": {"hasNextPage": end < len(rows), "endCursor": str(end) if rows else None},
        "totalCount": len(rows),
    }


def _number(node_id: str, prefix: str) -> int:
    rest = node_id.removeprefix(prefix)
    return int(rest) if rest.isdigit() else 0


def _unknown(node_id: str) -> _Problem:
    return _Problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{node_id}'.")
