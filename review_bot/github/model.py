"""What GitHub knows about a pull request, as this package sees it. No client library's type leaves here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Side = Literal["LEFT", "RIGHT"]
Event = Literal["COMMENT", "REQUEST_CHANGES", "APPROVE"]
Permission = Literal["admin", "write", "read", "none"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"]

#: Why a comment is folded away: GitHub's `ReportedContentClassifiers`.
Reason = Literal["OUTDATED", "RESOLVED", "DUPLICATE", "OFF_TOPIC", "SPAM", "ABUSE"]

#: What can be said with a thumb: GitHub's names of reactions.
Thumb = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]

#: The longest body of a review, a comment or an issue comment that GitHub takes, in characters.
LONGEST_BODY = 65_536
#: The longest summary and text of a check run.
LONGEST_CHECK_TEXT = 65_535
#: The most annotations that one request may bring to a check run.
MOST_ANNOTATIONS = 50


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. Title, body, names of refs and of the author are its author's words: hostile."""

    number: int
    title: str
    body: str
    author: str
    author_association: str  #: OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR, FIRST_TIME_CONTRIBUTOR, NONE ...
    state: str  #: open or closed
    draft: bool
    merged: bool
    labels: tuple[str, ...]
    base_ref: str
    base_sha: str  #: the tip of the base branch as the pull request knows it, not the merge base
    head_ref: str
    head_sha: str
    head_repo: str | None  #: owner/name, None once the fork was deleted
    base_repo: str
    is_fork: bool
    maintainer_can_modify: bool


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file of a pull request. `patch` is its hunks, None where GitHub shows none: binary or too large."""

    path: str
    status: str  #: added, removed, modified, renamed, copied, changed or unchanged
    previous_path: str | None
    additions: int
    deletions: int
    patch: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`base...head`: the files that changed since their merge base, the first 300 of them."""

    merge_base: str
    status: str  #: ahead, behind, identical or diverged (as after a rebase)
    files: tuple[ChangedFile, ...]


@dataclass(frozen=True, slots=True)
class TooLarge:
    """GitHub does not give this pull request's diff: more than 300 files or 20,000 lines."""

    message: str


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A comment on a line (or a file) of a pull request's diff, by anyone."""

    id: int
    node_id: str
    path: str
    line: int | None  #: None once it is outdated, and for a comment on a whole file
    side: Side
    body: str
    author: str
    in_reply_to: int | None
    outdated: bool
    reactions: Mapping[str, int]  #: by name, only those that somebody gave
    created_at: datetime
    review_id: int | None = None
    commit_id: str = ""


@dataclass(frozen=True, slots=True)
class PostedReview:
    """A review, by anyone."""

    id: int
    node_id: str
    body: str
    author: str
    state: str  #: COMMENTED, CHANGES_REQUESTED, APPROVED, DISMISSED or PENDING (seen by its author only)
    commit_id: str
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssueComment:
    """A comment below a pull request, on no line, by anyone."""

    id: int
    node_id: str
    body: str
    author: str
    association: str
    reactions: Mapping[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation on a line: a comment and its replies."""

    node_id: str
    resolved: bool
    resolved_by: str  #: "" if nobody did; a bot without its "[bot]"
    outdated: bool
    comments: tuple[int, ...]  #: ids, the one that started it first


@dataclass(frozen=True, slots=True)
class Reaction:
    """Who reacted with what."""

    author: str
    content: str


@dataclass(frozen=True, slots=True)
class InlineComment:
    """A comment to post. `start_line` only where it is smaller than `line`, on the same side and hunk."""

    path: str
    side: Side
    line: int
    start_line: int | None
    body: str
    finding_id: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """A line of a check run."""

    path: str
    start_line: int
    end_line: int
    level: Literal["notice", "warning", "failure"]
    title: str  #: at most 255 characters
    message: str  #: at most 64 KB


@dataclass(frozen=True, slots=True)
class CheckRun:
    """What a check run shows. With no conclusion it is in progress. `annotations`: at most 50 a request."""

    title: str
    summary: str
    text: str = ""
    conclusion: Conclusion | None = None
    annotations: tuple[Annotation, ...] = field(default=())
