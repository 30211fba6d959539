"""One pull request from what called for its review to what came of it: of the command, and of the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from moa_engine.errors import ConfigError
from review_bot.command import REVIEWED
from review_bot.github.chat_commands import ReviewAgain
from review_bot.github.client import Client, Connection, connect
from review_bot.github.event import NoTarget, Target
from review_bot.github.job import Job, Options, Reviewed
from review_bot.github.reading import Commits, commits_of
from review_bot.github.wishes import Recorded, answer, wish_of

if TYPE_CHECKING:
    from moa_engine.session import Session
    from review_bot.github.model import PullRequest
    from review_bot.github.settings import GithubSettings
    from review_bot.github.wishes import Wish


def review_pull(
    connection: Connection,
    target: Target,
    options: Options,
    opened: Callable[[Commits], AbstractContextManager[Session]],
    *,
    checkout: Path | None = None,
    recorded: Recorded | None = None,
) -> Reviewed:
    """Do what the target asks for: review its pull request, or answer its comment.

    Args:
        connection: how GitHub is reached; how long to wait there is taken from the settings.
        target: which pull request, and what called for its review.
        options: how it is reviewed, and where the review is shown besides.
        opened: opens a session with the settings for these commits.
        checkout: a clone whose commits need not be fetched.
        recorded: finds a run; else it is looked for in the session's record alone.

    Raises:
        MoaError: there is no review, or it could not be posted.
    """
    client = _connected(connection)
    wish = wish_of(client, target)
    if isinstance(wish, NoTarget):
        return Reviewed(REVIEWED, why=wish.why)
    pull = client.pull(target.number)
    with commits_of(client, pull, checkout) as commits, opened(commits) as session:
        connection.tell_tokens(session.redactor.learn)
        settings = cast("GithubSettings", session.sections["github"])
        connection.patience.seconds = settings.patience
        if wish is not None and not isinstance(wish.command, ReviewAgain):
            answer(client, pull, wish, session, recorded or session.record.run)
            return Reviewed(REVIEWED, pull=pull)
        if why := _why_not(pull, target, wish, settings):
            return Reviewed(REVIEWED, why=why, pull=pull)
        command = wish.command if wish is not None else None
        full = options.full or (isinstance(command, ReviewAgain) and command.full)
        again = full or target.again or command is not None
        return Job(options, client, pull, commits, session, full=full, again=again).run()


def _connected(connection: Connection) -> Client:
    try:
        return connect(connection)
    except ImportError as error:
        raise ConfigError(
            f"what talks to GitHub is not installed ({error.name})", hint='pip install "pytest-moa[github]"'
        ) from error


def _why_not(pull: PullRequest, target: Target, wish: Wish | None, settings: GithubSettings) -> str:
    """Why the pull request is not reviewed; who asks for it gets a draft reviewed, too."""
    if pull.state != "open":
        return "the pull request is closed"
    if wish is not None or target.again or target.event in ("", "workflow_dispatch"):
        return ""
    if pull.draft and not settings.drafts:
        return "the pull request is a draft"
    found = sorted({*pull.labels} & {*settings.skip_labels})
    return f"the pull request has the label {found[0]}" if found else ""
