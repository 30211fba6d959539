"""`review-bot github`: from what started a CI job to the review of one pull request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError
from moa_engine.options import flags
from review_bot.command import REVIEWED, say
from review_bot.github.client import Connection
from review_bot.github.event import NoTarget, read_target
from review_bot.github.job import Options
from review_bot.github.reviewing import review_pull
from review_bot.outputs import paired

if TYPE_CHECKING:
    from moa_engine.session import Session
    from review_bot.github.reading import Commits


def run(args: argparse.Namespace) -> int:
    """Run the command; for the exit code see its help.

    Raises:
        MoaError: there is no review, or it could not be posted.
    """
    from moa_engine.session import open_session
    from moa_engine.terminal import progress

    environ = dict(os.environ)
    target = read_target(args.pr, args.repo_name, environ)
    if isinstance(target, NoTarget):
        return _nothing_wanted(target.why)
    connection = Connection(
        target.repository,
        _token(environ),
        environ.get("GITHUB_API_URL") or "https://api.github.com",
        environ.get("GITHUB_SERVER_URL") or "https://github.com",
    )
    options = Options(
        environ=environ,
        full=args.full,
        suggestions=args.suggestions,
        outputs=paired(args.outputs) if args.outputs else (),
        colour=not args.no_color,
        plan=args.plan,
        strict=args.strict,
        quiet=args.quiet,
        watching=partial(progress, quiet=args.quiet, colour=False if args.no_color else None),
    )
    own = {name: getattr(args, name) for name in ("fail_on", "prove", "prove_seconds")}
    given = flags(args) | {f"review.{name}": value for name, value in own.items() if value is not None}

    def opened(commits: Commits) -> AbstractContextManager[Session]:
        return open_session(start=commits.settings(), config=args.config, flags=given)

    done = review_pull(connection, target, options, opened, checkout=args.repo)
    if done.why:
        return _nothing_wanted(done.why, done.code)
    return done.code


def _token(environ: Mapping[str, str]) -> str:
    token = (environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise ConfigError(
            "there is no token for GitHub",
            hint="put one into GITHUB_TOKEN; in a workflow: env: GITHUB_TOKEN: ${{ github.token }}",
        )
    return token


def _nothing_wanted(why: str, code: int = REVIEWED) -> int:
    say(f"nothing to review: {why}")
    return code
