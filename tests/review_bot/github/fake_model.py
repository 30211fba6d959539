"""What the fake GitHub is made of: tokens, pull requests, reviews, comments, checks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

_WRITE_ALL = dict.fromkeys(
    ("contents", "pull_requests", "issues", "checks", "security_events", "metadata"), "write"
)


@dataclass(frozen=True, slots=True)
class Token:
    """Whose a token is, of which kind, and what it may."""

    login: str
    kind: str  #: job, app or personal
    permissions: dict[str, str]
    expires: float = math.inf
    repositories: frozenset[str] | None = None  #: all, if it is for no certain ones

    def may(self, permission: str, level: str) -> bool:
        held = self.permissions.get(permission, "none")
        return held == "write" or held == level


def job_token(**permissions: str) -> Token:
    """`GITHUB_TOKEN`, with what the README's workflow asks for; `contents` only to read."""
    return Token("github-actions[bot]", "job", {**_WRITE_ALL, "contents": "read", **permissions})


def fork_token() -> Token:
    """`GITHUB_TOKEN` of a `pull_request` from a fork: it reads, whatever the workflow asks for."""
    return Token("github-actions[bot]", "job", dict.fromkeys(_WRITE_ALL, "read"))


def app_token(**permissions: str) -> Token:
    """Of the installation of an app."""
    return Token("moa-review[bot]", "app", {**_WRITE_ALL, **permissions})


def personal_token(login: str) -> Token:
    return Token(login, "personal", dict(_WRITE_ALL))


@dataclass(slots=True)
class Pull:
    number: int
    title: str
    body: str
    author: str
    base_ref: str
    head_ref: str
    head_repo: str
    draft: bool = False
    state: str = "open"
    merged: bool = False
    locked: bool = False
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Review:
    id: int
    number: int
    author: str
    body: str
    state: str
    commit_id: str
    at: float
    minimised: str = ""
    unlisted: int = 0


@dataclass(slots=True)
class Comment:
    """On a line (`line` at `commit_id`, when it was written), on a file, or in answer to one."""

    id: int
    number: int
    author: str
    body: str
    path: str
    side: str
    line: int | None
    start_line: int | None
    commit_id: str
    review_id: int
    at: float
    in_reply_to: int | None = None
    subject: str = "line"
    reactions: list[tuple[str, str]] = field(default_factory=list)
    minimised: str = ""
    resolved_by: str = ""


@dataclass(slots=True)
class Note:
    """A comment below a pull request."""

    id: int
    number: int
    author: str
    body: str
    at: float
    reactions: list[tuple[str, str]] = field(default_factory=list)
    minimised: str = ""
    unlisted: int = 0


@dataclass(slots=True)
class Check:
    id: int
    name: str
    head_sha: str
    external_id: str
    by: str
    status: str
    conclusion: str | None
    output: Json
    annotations: list[Json] = field(default_factory=list)
