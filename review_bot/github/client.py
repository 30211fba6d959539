"""What of GitHub is used: the interface, its errors, and how to get one. The requests are in `wire.py`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moa_engine.errors import ConfigError, MoaError
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
from review_bot.github.tokens import Tokens, check_token


class GithubError(MoaError):
    """A request to GitHub has no result."""


class Refused(GithubError):
    """GitHub answered 4xx: nothing was changed. `details` are the single errors of a 422."""

    def __init__(self, status: int, message: str, *, details: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.details = details


class Unclear(GithubError):
    """A write whose answer does not say whether it landed: 5xx, reset, time-out. Look before acting again."""


class Unreachable(GithubError):
    """Nothing could be read or sent: nothing was changed."""


class LimitReached(Unreachable):
    """GitHub's rate limits ask for a longer wait than is allowed: nothing was changed."""

    def __init__(self, message: str, *, seconds: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds  #: that GitHub asks to wait


@dataclass(slots=True)
class Patience:
    """How long may be waited in all, for limits and for GitHub to come back; it is used up."""

    seconds: float = 300.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def wait(self, seconds: float) -> bool:
        """Wait, or say at once that it would be too long."""
        if seconds > self.seconds:
            return False
        self.seconds -= seconds
        self.sleep(seconds)
        return True


@dataclass(frozen=True, slots=True)
class Connection:
    """How GitHub is reached. `token` may be of any kind: of a job, an app's installation, or personal."""

    repository: str  #: owner/name
    token: str | Tokens = field(repr=False)
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    timeout: int = 30
    between_writes: float = 1.0  #: seconds, as GitHub asks for
    patience: Patience = field(default_factory=Patience)

    def current_token(self) -> str:
        """The token to send now."""
        return self.token if isinstance(self.token, str) else self.token.current()

    def tell_tokens(self, listener: Callable[[str], None]) -> None:
        """Tell of every token that is sent, now and later."""
        if isinstance(self.token, str):
            listener(self.token)
        else:
            self.token.tell(listener)


class Client(Protocol):
    """A repository on GitHub.

    Every method raises `Refused`, `LimitReached` or `Unreachable`; those that write also `Unclear`, and
    those are sent once: only what surely was not taken (a limit, no connection) is sent again.
    """

    def viewer(self) -> str:
        """The login that writes are shown under (`name[bot]` for apps and jobs)."""
        ...

    def permission_of(self, user: str) -> Permission:
        """What a user may do in the repository; "none" for who does not exist."""
        ...

    # Reading a pull request

    def pull(self, number: int) -> PullRequest:
        """The pull request as it is now."""
        ...

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        """Its files, at most 3,000."""
        ...

    def diff_text(self, number: int) -> str | TooLarge:
        """Its diff."""
        ...

    def compare(self, base: str, head: str) -> Comparison:
        """What changed between two commits' merge base and the second; commits nobody refers to too."""
        ...

    def contents(self, path: str, ref: str) -> bytes | None:
        """A file at a commit, None where there is none."""
        ...

    def reviews(self, number: int) -> tuple[PostedReview, ...]:
        """All reviews, the oldest first."""
        ...

    def review_comments(self, number: int) -> tuple[PostedComment, ...]:
        """All comments on lines and files, the oldest first."""
        ...

    def issue_comments(self, number: int) -> tuple[IssueComment, ...]:
        """All comments below the pull request, the oldest first."""
        ...

    def threads(self, number: int) -> tuple[Thread, ...]:
        """The conversations on lines."""
        ...

    def comment_reactions(self, comment_id: int) -> tuple[Reaction, ...]:
        """Who reacted to a comment on a line, with what."""
        ...

    # Writing

    def create_review(
        self, number: int, head_sha: str, body: str, event: Event, comments: Sequence[InlineComment]
    ) -> PostedReview:
        """Post a review with its comments: all of it or, on `Refused` with 422, nothing."""
        ...

    def edit_review_body(self, number: int, review_id: int, body: str) -> None:
        """Write another body under a review."""
        ...

    def dismiss_review(self, number: int, review_id: int, message: str) -> None:
        """Take back a review that requested changes or approved."""
        ...

    def delete_pending_review(self, number: int, review_id: int) -> None:
        """Delete a review that was never submitted. There can be one per user, and it blocks others."""
        ...

    def edit_review_comment(self, comment_id: int, body: str) -> None:
        """Write another text in a comment on a line."""
        ...

    def create_issue_comment(self, number: int, body: str) -> IssueComment:
        """Comment below the pull request."""
        ...

    def edit_issue_comment(self, comment_id: int, body: str) -> None:
        """Write another text in a comment below the pull request."""
        ...

    def react(self, issue_comment_id: int, content: Thumb) -> None:
        """React to a comment below the pull request; twice is once."""
        ...

    def minimise(self, node_id: str, reason: Reason) -> None:
        """Fold a comment or review away."""
        ...

    def resolve_thread(self, thread_node_id: str) -> None:
        """Resolve a thread of `threads`. Needs `contents: write`, else `Refused` with 403."""
        ...

    def create_check_run(self, name: str, head_sha: str, external_id: str, run: CheckRun) -> int:
        """Start (or conclude at once) a check run; gives its id. `Refused` with 403 for personal tokens."""
        ...

    def update_check_run(self, check_run_id: int, run: CheckRun) -> None:
        """Show something else; annotations are added to those that are there."""
        ...

    def check_runs(self, head_sha: str, name: str) -> Mapping[str, int]:
        """The ids of this name's check runs on a commit, by external id."""
        ...

    def upload_sarif(self, commit_sha: str, ref: str, sarif: str) -> str:
        """Bring results to code scanning; gives the id of the upload."""
        ...

    # For git

    def clone_url(self) -> str:
        """The URL to fetch from, without credentials in it."""
        ...

    def git_environment(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Variables that let git read `clone_url`: the token is in no argument and no file."""
        ...


def connect(connection: Connection) -> Client:
    """A client. The library behind it is imported here, not before.

    Raises:
        ConfigError: something of the connection cannot be what it should be.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", connection.repository, re.ASCII):
        raise ConfigError(f"{connection.repository!r} is no repository on GitHub", hint="It is owner/name.")
    if isinstance(connection.token, str):
        check_token(connection.token)
    for url in (connection.api_url, connection.server_url):
        if not re.match(r"https?://[^/]", url):
            raise ConfigError(f"{url!r} is no URL of GitHub")
    from review_bot.github.wire import Wire

    return Wire(connection)
