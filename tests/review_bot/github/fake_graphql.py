"""What of GitHub's GraphQL is used: who one is, the threads of a pull request, resolving, folding away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.review_bot.github.fake_model import Comment, Json, Note, Review
from tests.review_bot.github.fake_rules import Call
from tests.review_bot.github.fake_state import State

_CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")


class GraphqlProblem(Exception):
    """GraphQL answers 200 with errors."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


def answer(state: State, call: Call) -> Json:
    """The answer to a query or mutation."""
    query, variables = call.data["query"], call.data.get("variables") or {}
    for field, resolve in _FIELDS.items():
        if re.search(rf"\b{field}\b", query):
            try:
                return {"data": resolve(state, call, variables)}
            except GraphqlProblem as problem:
                error = {"type": problem.type, "path": [field], "message": str(problem)}
                return {"data": {field: None}, "errors": [error]}
    return {"errors": [{"type": "undefinedField", "message": "Field does not exist on this type"}]}


def _viewer(state: State, call: Call, variables: Mapping[str, Any]) -> Json:
    # seen: also for the tokens of jobs and installations, with "[bot]", unlike the authors of comments.
    return {"viewer": {"login": call.token.login}}


def _threads(state: State, call: Call, variables: Mapping[str, Any]) -> Json:
    pull = state.pulls.get(variables["number"])
    if f"{variables['owner']}/{variables['name']}" != state.repository or pull is None:
        raise GraphqlProblem("NOT_FOUND", "Could not resolve to a PullRequest")
    size, after = variables["size"], variables.get("after")
    if not 1 <= size <= 100:
        # docs: graphql, node limit: "Values of first and last must be within 1-100."
        raise GraphqlProblem("EXCESSIVE_PAGINATION", "`first` must be within 1-100")
    firsts = [one for one in state.comments.values() if one.number == pull.number and not one.in_reply_to]
    visible = [one for one in firsts if state.reviews[one.review_id].state != "PENDING"]
    start = int(after) if after else 0
    page = visible[start : start + size]
    more = start + size < len(visible)
    threads = {
        "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if page else None},
        "nodes": [_thread(state, first) for first in page],
    }
    return {"repository": {"pullRequest": {"reviewThreads": threads}}}


def _thread(state: State, first: Comment) -> Json:
    answers = [one.id for one in state.comments.values() if one.in_reply_to == first.id]
    now = state.line_now(first, state.pulls[first.number], first.line)
    # seen: GraphQL's logins of bots have no "[bot]".
    by = first.resolved_by.removesuffix("[bot]")
    return {
        "id": f"PRRT_{first.id}",
        "isResolved": bool(by),
        "isOutdated": first.line is not None and now is None,
        "resolvedBy": {"login": by} if by else None,
        "comments": {"nodes": [{"databaseId": id} for id in (first.id, *answers)]},
    }


def _resolve(state: State, call: Call, variables: Mapping[str, Any]) -> Json:
    first = state.comments.get(_number(variables["id"], "PRRT_"))
    if first is None or first.in_reply_to:
        raise _unknown(variables["id"])
    # seen: pull_requests:write is not enough (github/gh-aw#35726 and others).
    if not (call.token.may("contents", "write") and call.token.may("pull_requests", "write")):
        raise GraphqlProblem("FORBIDDEN", "Resource not accessible by integration")
    first.resolved_by = call.token.login
    return {"resolveReviewThread": {"thread": {"isResolved": True}}}


def _minimise(state: State, call: Call, variables: Mapping[str, Any]) -> Json:
    if variables["reason"] not in _CLASSIFIERS:
        # docs: graphql, ReportedContentClassifiers.
        raise GraphqlProblem("INVALID", "invalid value for ReportedContentClassifiers")
    found: Comment | Note | Review | None = None
    # docs: graphql, Minimizable: issue comments, review comments and reviews are among it.
    for prefix, table in (("PRRC_", state.comments), ("IC_", state.notes), ("PRR_", state.reviews)):
        if variables["id"].startswith(prefix):
            found = table.get(_number(variables["id"], prefix))
    if found is None:
        raise _unknown(variables["id"])
    if not (call.token.may("pull_requests", "write") or call.token.may("issues", "write")):
        raise GraphqlProblem("FORBIDDEN", "Resource not accessible by integration")
    found.minimised = variables["reason"]
    return {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}


def _number(node_id: str, prefix: str) -> int:
    rest = node_id.removeprefix(prefix)
    return int(rest) if node_id.startswith(prefix) and rest.isdigit() else 0


def _unknown(node_id: str) -> GraphqlProblem:
    return GraphqlProblem("NOT_FOUND", f"Could not resolve to a node with the global id of '{node_id}'")


_FIELDS = {
    "viewer": _viewer,
    "resolveReviewThread": _resolve,
    "minimizeComment": _minimise,
    "reviewThreads": _threads,
}
