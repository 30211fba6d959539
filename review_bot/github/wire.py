"""The client: each method of the interface as GitHub's request for it."""

from __future__ import annotations

import base64
import gzip
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from review_bot.github import decoding
from review_bot.github.client import Connection, Refused
from review_bot.github.exchange import PAGE, Exchange, readable
from review_bot.github.model import (
    ChangedFile,
    CheckRun,
    Comparison,
    Event,
    InlineComment,
    IssueComment,
    Permission,
    PostedComment,
    PostedReview,
    PullRequest,
    Reaction,
    Reason,
    Thread,
    Thumb,
    TooLarge,
)

_VIEWER = "query { viewer { login } }"
_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $size: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: $size, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id isResolved isOutdated resolvedBy { login }
        comments(first: $size) { nodes { fullDatabaseId } }
      }
    }
  } }
}
"""
_MINIMISE = """
mutation($id: ID!, $reason: ReportedContentClassifiers!) {
  minimizeComment(input: {subjectId: $id, classifier: $reason}) { minimizedComment { isMinimized } }
}
"""
_RESOLVE = """
mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }
"""

_DIFF = "application/vnd.github.diff"
_PERMISSIONS: Mapping[str, Permission] = {"admin": "admin", "write": "write", "read": "read"}


class Wire:
    """A repository on GitHub, over HTTP. What the methods do: see `Client`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._exchange = Exchange(connection)
        self._name = connection.repository

    def viewer(self) -> str:
        return self._viewer

    @cached_property
    def _viewer(self) -> str:
        # `GET /user` refuses the tokens of jobs and of apps' installations; GraphQL answers all.
        with readable("viewer"):
            return str(self._exchange.query(_VIEWER)["viewer"]["login"])

    def permission_of(self, user: str) -> Permission:
        try:
            data = self._read(f"{self._repo}/collaborators/{quote(user, safe='')}/permission")
        except Refused as refused:
            if refused.status == 404:
                return "none"
            raise
        # GitHub itself says "write" for the role "maintain", and "read" for "triage".
        return _PERMISSIONS.get(data.get("permission", ""), "none")

    def pull(self, number: int) -> PullRequest:
        with readable("pull request"):
            pull = decoding.pull_request(self._read(self._pull(number)))
        # It may have another name by now. Reading leads there, while writing is refused.
        self._name = pull.base_repo
        return pull

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        with readable("files"):
            found = self._exchange.pages(f"{self._pull(number)}/files")
            return tuple(decoding.changed_file(file) for file in found)

    def diff_text(self, number: int) -> str | TooLarge:
        try:
            return self._exchange.get(self._pull(number), accept=_DIFF).text
        except Refused as refused:
            if refused.status == 406:
                return TooLarge(refused.message)
            raise

    def compare(self, base: str, head: str) -> Comparison:
        with readable("comparison"):
            range = f"{quote(base, safe='')}...{quote(head, safe='')}"
            return decoding.comparison(self._read(f"{self._repo}/compare/{range}"))

    def contents(self, path: str, ref: str) -> bytes | None:
        try:
            data = self._read(f"{self._repo}/contents/{quote(path)}", ref=ref)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        if not isinstance(data, dict) or data.get("encoding") != "base64":
            return None  # a folder, a link elsewhere, or more than 1 MB
        with readable("contents"):
            return base64.b64decode(data["content"])

    def reviews(self, number: int) -> tuple[PostedReview, ...]:
        with readable("reviews"):
            found = self._exchange.pages(f"{self._pull(number)}/reviews")
            return tuple(map(decoding.posted_review, found))

    def review_comments(self, number: int) -> tuple[PostedComment, ...]:
        with readable("review comments"):
            found = self._exchange.pages(f"{self._pull(number)}/comments")
            return tuple(map(decoding.posted_comment, found))

    def issue_comments(self, number: int) -> tuple[IssueComment, ...]:
        with readable("comments"):
            found = self._exchange.pages(f"{self._issue(number)}/comments")
            return tuple(map(decoding.issue_comment, found))

    def threads(self, number: int) -> tuple[Thread, ...]:
        owner, name = self._name.split("/")
        threads: list[Thread] = []
        after: str | None = None
        with readable("review threads"):
            while True:
                data = self._exchange.query(
                    _THREADS, owner=owner, name=name, number=number, size=PAGE, after=after
                )
                found = data["repository"]["pullRequest"]["reviewThreads"]
                threads += map(decoding.thread, found["nodes"])
                if not found["pageInfo"]["hasNextPage"]:
                    return tuple(threads)
                after = found["pageInfo"]["endCursor"]

    def comment_reactions(self, comment_id: int) -> tuple[Reaction, ...]:
        with readable("reactions"):
            found = self._exchange.pages(f"{self._repo}/pulls/comments/{comment_id}/reactions")
            return tuple(map(decoding.reaction, found))

    def create_review(
        self, number: int, head_sha: str, body: str, event: Event, comments: Sequence[InlineComment]
    ) -> PostedReview:
        found = self._write(
            "POST",
            f"{self._pull(number)}/reviews",
            {"commit_id": head_sha, "body": body, "event": event, "comments": [*map(_inline, comments)]},
        )
        with readable("review", written=True):
            return decoding.posted_review(found)

    def edit_review_body(self, number: int, review_id: int, body: str) -> None:
        self._write("PUT", f"{self._pull(number)}/reviews/{review_id}", {"body": body})

    def dismiss_review(self, number: int, review_id: int, message: str) -> None:
        self._write("PUT", f"{self._pull(number)}/reviews/{review_id}/dismissals", {"message": message})

    def delete_pending_review(self, number: int, review_id: int) -> None:
        self._write("DELETE", f"{self._pull(number)}/reviews/{review_id}")

    def edit_review_comment(self, comment_id: int, body: str) -> None:
        self._write("PATCH", f"{self._repo}/pulls/comments/{comment_id}", {"body": body})

    def create_issue_comment(self, number: int, body: str) -> IssueComment:
        found = self._write("POST", f"{self._issue(number)}/comments", {"body": body})
        with readable("comment", written=True):
            return decoding.issue_comment(found)

    def edit_issue_comment(self, comment_id: int, body: str) -> None:
        self._write("PATCH", f"{self._repo}/issues/comments/{comment_id}", {"body": body})

    def react(self, issue_comment_id: int, content: Thumb) -> None:
        path = f"{self._repo}/issues/comments/{issue_comment_id}/reactions"
        self._write("POST", path, {"content": content})

    def minimise(self, node_id: str, reason: Reason) -> None:
        self._exchange.mutate(_MINIMISE, id=node_id, reason=reason)

    def resolve_thread(self, thread_node_id: str) -> None:
        self._exchange.mutate(_RESOLVE, id=thread_node_id)

    def create_check_run(self, name: str, head_sha: str, external_id: str, run: CheckRun) -> int:
        body = {"name": name, "head_sha": head_sha, "external_id": external_id, **_check(run)}
        found = self._write("POST", f"{self._repo}/check-runs", body)
        with readable("check run", written=True):
            return int(found["id"])

    def update_check_run(self, check_run_id: int, run: CheckRun) -> None:
        self._write("PATCH", f"{self._repo}/check-runs/{check_run_id}", _check(run))

    def check_runs(self, head_sha: str, name: str) -> Mapping[str, int]:
        path = f"{self._repo}/commits/{head_sha}/check-runs"
        with readable("check runs"):
            # By default only the newest of each name is listed.
            found = self._exchange.pages(path, "check_runs", check_name=name, filter="all")
            return {run.get("external_id") or "": run["id"] for run in found}

    def upload_sarif(self, commit_sha: str, ref: str, sarif: str) -> str:
        packed = base64.b64encode(gzip.compress(sarif.encode(), mtime=0)).decode()
        body = {"commit_sha": commit_sha, "ref": ref, "sarif": packed}
        found = self._write("POST", f"{self._repo}/code-scanning/sarifs", body)
        with readable("SARIF", written=True):
            return str(found["id"])

    def clone_url(self) -> str:
        return self._clone_url

    @cached_property
    def _clone_url(self) -> str:
        with readable("repository"):
            return str(self._read(self._repo)["clone_url"])

    def git_environment(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """See `Client`. Settings that `environ` brings by its own `GIT_CONFIG_COUNT` stay."""
        url = self._connection.server_url.rstrip("/") + "/"
        secret = base64.b64encode(f"x-access-token:{self._connection.current_token()}".encode()).decode()
        settings = (
            # actions/checkout leaves a header of its own in .git/config, and GitHub refuses two: the
            # empty value forgets those before it.
            (f"http.{url}.extraHeader", ""),
            (f"http.{url}.extraHeader", f"Authorization: Basic {secret}"),
            ("credential.helper", ""),  # nobody's helper is asked, and none is told
        )
        count = environ.get("GIT_CONFIG_COUNT", "")
        first = int(count) if count.isdigit() else 0
        variables = {"GIT_CONFIG_COUNT": str(first + len(settings)), "GIT_TERMINAL_PROMPT": "0"}
        for place, (key, value) in enumerate(settings, first):
            variables |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
        return variables

    @property
    def _repo(self) -> str:
        return f"/repos/{self._name}"

    def _pull(self, number: int) -> str:
        return f"{self._repo}/pulls/{number}"

    def _issue(self, number: int) -> str:
        return f"{self._repo}/issues/{number}"

    def _read(self, path: str, **parameters: str | int) -> Any:
        answer = self._exchange.get(path, parameters)
        with readable(f"GET {path}"):
            return answer.json()

    def _write(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._exchange.write(verb, path, body)
        with readable(f"{verb} {path}", written=True):
            return answer.json()


def _inline(comment: InlineComment) -> dict[str, Any]:
    data: dict[str, Any] = {
        "path": comment.path,
        "body": comment.body,
        "side": comment.side,
        "line": comment.line,
    }
    if comment.start_line is not None:
        data |= {"start_line": comment.start_line, "start_side": comment.side}
    return data


def _check(run: CheckRun) -> dict[str, Any]:
    output: dict[str, Any] = {"title": run.title, "summary": run.summary}
    if run.text:
        output["text"] = run.text
    if run.annotations:
        output["annotations"] = [
            {
                "path": note.path,
                "start_line": note.start_line,
                "end_line": note.end_line,
                "annotation_level": note.level,
                "title": note.title,
                "message": note.message,
            }
            for note in run.annotations
        ]
    if run.conclusion is None:
        return {"status": "in_progress", "output": output}
    return {"status": "completed", "conclusion": run.conclusion, "output": output}
