"""GitHub's JSON as our types. Lenient: only what identifies a thing has to be there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from review_bot.github.model import (
    ChangedFile,
    Comparison,
    IssueComment,
    PostedComment,
    PostedReview,
    PullRequest,
    Reaction,
    Side,
    Thread,
)

Json = Mapping[str, Any]

#: Who GitHub shows for a deleted account, for which its answers have null.
GHOST = "ghost"

_NO_TIME = datetime.fromtimestamp(0, UTC)


def pull_request(data: Json) -> PullRequest:
    """A pull request, from `GET /repos/{repo}/pulls/{number}`."""
    base, head = data["base"], data["head"]
    base_repo, head_repo = base["repo"]["full_name"], (head.get("repo") or {}).get("full_name")
    return PullRequest(
        number=data["number"],
        title=data.get("title") or "",
        body=data.get("body") or "",
        author=_login(data),
        author_association=data.get("author_association") or "NONE",
        state=data.get("state") or "open",
        draft=bool(data.get("draft")),
        merged=bool(data.get("merged")),
        labels=tuple(label["name"] for label in data.get("labels") or ()),
        base_ref=base["ref"],
        base_sha=base["sha"],
        head_ref=head["ref"],
        head_sha=head["sha"],
        head_repo=head_repo,
        base_repo=base_repo,
        is_fork=head_repo != base_repo,
        maintainer_can_modify=bool(data.get("maintainer_can_modify")),
    )


def changed_file(data: Json) -> ChangedFile:
    """A file of a pull request or comparison."""
    return ChangedFile(
        path=data["filename"],
        status=data.get("status") or "modified",
        previous_path=data.get("previous_filename"),
        additions=data.get("additions") or 0,
        deletions=data.get("deletions") or 0,
        patch=data.get("patch"),
    )


def comparison(data: Json) -> Comparison:
    """From `GET /repos/{repo}/compare/{base}...{head}`."""
    files = tuple(changed_file(file) for file in data.get("files") or ())
    return Comparison(data["merge_base_commit"]["sha"], data.get("status") or "", files)


def posted_review(data: Json) -> PostedReview:
    """A review."""
    return PostedReview(
        id=data["id"],
        node_id=data.get("node_id") or "",
        body=data.get("body") or "",
        author=_login(data),
        state=data.get("state") or "",
        commit_id=data.get("commit_id") or "",
        submitted_at=_time(data.get("submitted_at")),
    )


def posted_comment(data: Json) -> PostedComment:
    """A comment on a line or file. An outdated one has lost its line."""
    line, whole_file = data.get("line"), data.get("subject_type") == "file"
    side: Side = "LEFT" if data.get("side") == "LEFT" else "RIGHT"
    return PostedComment(
        id=data["id"],
        node_id=data.get("node_id") or "",
        path=data.get("path") or "",
        line=line,
        side=side,
        body=data.get("body") or "",
        author=_login(data),
        in_reply_to=data.get("in_reply_to_id"),
        outdated=line is None and not whole_file,
        reactions=_reactions(data),
        created_at=_time(data.get("created_at")) or _NO_TIME,
        review_id=data.get("pull_request_review_id"),
        commit_id=data.get("commit_id") or "",
    )


def issue_comment(data: Json) -> IssueComment:
    """A comment below a pull request."""
    return IssueComment(
        id=data["id"],
        node_id=data.get("node_id") or "",
        body=data.get("body") or "",
        author=_login(data),
        association=data.get("author_association") or "NONE",
        reactions=_reactions(data),
        created_at=_time(data.get("created_at")) or _NO_TIME,
    )


def reaction(data: Json) -> Reaction:
    """A reaction."""
    return Reaction(_login(data), data["content"])


def thread(data: Json) -> Thread:
    """A node of GraphQL's `reviewThreads`."""
    return Thread(
        node_id=data["id"],
        resolved=bool(data.get("isResolved")),
        resolved_by=(data.get("resolvedBy") or {}).get("login") or "",
        outdated=bool(data.get("isOutdated")),
        comments=tuple(int(comment["fullDatabaseId"]) for comment in data["comments"]["nodes"]),
    )


def _login(data: Json) -> str:
    return (data.get("user") or {}).get("login") or GHOST


def _reactions(data: Json) -> Mapping[str, int]:
    counts = data.get("reactions") or {}
    return {
        name: count
        for name, count in counts.items()
        if name != "total_count" and isinstance(count, int) and count > 0
    }


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
