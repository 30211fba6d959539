"""`review-bot github`: from what started a CI job to the review of one pull request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from moa_engine.errors import ConfigError
from moa_engine.options import flags
from review_bot.command import REVIEWED, say
from review_bot.github.chat_commands import ReviewAgain
from review_bot.github.client import Client, Connection, Patience, connect
from review_bot.github.event import NoTarget, Target, read_target
from review_bot.github.job import Job
from review_bot.github.reading import commits_of
from review_bot.github.wishes import answer, wish_of

if TYPE_CHECKING:
    from review_bot.github.model import PullRequest
    from review_bot.github.settings import GithubSettings
    from review_bot.github.wishes import Wish


def run(args: argparse.Namespace) -> int:
    """Run the command; for the exit code see its help.

    Raises:
        MoaError: there is no review, or it could not be posted.
    """
    from moa_engine.session import open_session

    environ = dict(os.environ)
    target = read_target(args.pr, args.repo_name, environ)
    if isinstance(target, NoTarget):
        return _nothing_wanted(target.why)
    patience = Patience()
    client = _connected(target, environ, patience)
    wish = wish_of(client, target)
    if isinstance(wish, NoTarget):
        return _nothing_wanted(wish.why)
    pull = client.pull(target.number)
    own = {name: getattr(args, name) for name in ("fail_on", "prove", "prove_seconds")}
    given = flags(args) | {f"review.{name}": value for name, value in own.items() if value is not None}
    with (
        commits_of(client, pull, args.repo) as commits,
        open_session(start=commits.settings(), config=args.config, flags=given) as session,
    ):
        session.redactor.learn(_token(environ))
        settings = cast("GithubSettings", session.sections["github"])
        patience.seconds = settings.patience
        if wish is not None and not isinstance(wish.command, ReviewAgain):
            answer(client, pull, wish, session)
            return REVIEWED
        if why := _why_not(pull, target, wish, settings):
            return _nothing_wanted(why)
        again = wish.command if wish is not None and isinstance(wish.command, ReviewAgain) else None
        full = args.full or (again is not None and again.full)
        job = Job(args, client, pull, commits, session, environ, full=full, again=again is not None or full)
        return job.run()


def _connected(target: Target, environ: Mapping[str, str], patience: Patience) -> Client:
    connection = Connection(
        target.repository,
        _token(environ),
        environ.get("GITHUB_API_URL") or "https://api.github.com",
        environ.get("GITHUB_SERVER_URL") or "https://github.com",
        patience=patience,
    )
    try:
        return connect(connection)
    except ImportError as error:
        raise ConfigError(
            f"what talks to GitHub is not installed ({error.name})", hint='pip install "pytest-moa[github]"'
        ) from error


def _token(environ: Mapping[str, str]) -> str:
    token = (environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise ConfigError(
            "there is no token for GitHub",
            hint="put one into GITHUB_TOKEN; in a workflow: env: GITHUB_TOKEN: ${{ github.token }}",
        )
    return token


def _why_not(pull: PullRequest, target: Target, wish: Wish | None, settings: GithubSettings) -> str:
    """Why the pull request is not reviewed; who asks for it gets a draft reviewed, too."""
    if pull.state != "open":
        return "the pull request is closed"
    if wish is not None or target.event in ("", "workflow_dispatch"):
        return ""
    if pull.draft and not settings.drafts:
        return "the pull request is a draft"
    found = sorted({*pull.labels} & {*settings.skip_labels})
    return f"the pull request has the label {found[0]}" if found else ""


def _nothing_wanted(why: str) -> int:
    say(f"nothing to review: {why}")
    return REVIEWED
