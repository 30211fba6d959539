"""What the operator configured, checked before anything is started: settings, members, secrets, databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import make_url

from moa_engine.committee import Committee
from moa_engine.errors import ConfigError
from moa_engine.session import open_session
from review_bot.github.client import Refused, Unreachable
from review_bot.github.settings import GithubSettings
from review_bot.preparing import committee_of
from review_bot.server.access import PASSWORD, Access
from review_bot.server.app_auth import AppAuth, permissions
from review_bot.server.credentials import AppCredentials, read_credentials
from review_bot.server.deliveries import Rules
from review_bot.server.jobs import Job
from review_bot.server.settings import ServerSettings, matches
from review_bot.settings import ReviewSettings


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line and the environment say."""

    data: Path
    config: Path | None
    flags: Mapping[str, Any]
    database: str  #: its URL; "" for SQLite in `data`
    environ: Mapping[str, str] = field(repr=False)

    @property
    def database_url(self) -> str:
        """Of the server's tables."""
        return self.database or f"sqlite:///{self.data / 'server.sqlite'}"

    @property
    def queue_url(self) -> str:
        """Of the queue: a file of its own beside SQLite's, which has one writer at a time."""
        if not self.database_url.startswith("sqlite"):
            return self.database_url
        path = Path(make_url(self.database_url).database or "")
        return f"sqlite:///{path.with_name(f'{path.stem}-queue{path.suffix}')}"

    @property
    def api_url(self) -> str:
        """Of GitHub's API."""
        return self.environ.get("GITHUB_API_URL") or "https://api.github.com"

    @property
    def server_url(self) -> str:
        """Of GitHub's pages."""
        return self.environ.get("GITHUB_SERVER_URL") or "https://github.com"


@dataclass(frozen=True, slots=True)
class Configured:
    """All of it, found good."""

    given: Given
    settings: ServerSettings
    github: GithubSettings
    committee: Committee
    record: Path
    credentials: AppCredentials
    access: Access

    @property
    def rules(self) -> Rules:
        """Which deliveries are taken."""
        secrets = tuple(secret.encode() for secret in self.credentials.webhook_secrets)
        return Rules(secrets, tuple(self.settings.repositories), self.settings.max_delivery_bytes)

    def app(self) -> AppAuth:
        """The App."""
        needed = permissions(self.github)
        found = self.credentials
        return AppAuth(found.app_id, found.private_key, self.given.api_url, permissions=needed)

    def told(self, job: Job) -> Mapping[str, Any]:
        """What the process of a job is told besides the job."""
        given = self.given
        return {
            "database": given.database_url,
            "record": str(self.record),
            "config": str(given.config) if given.config else None,
            "api_url": given.api_url,
            "server_url": given.server_url,
            "prove": matches(job.repository, self.settings.prove_repositories),
        }

    def told_of_bench(self, _job: object) -> Mapping[str, Any]:
        """What the process of a bench's case is told besides the job."""
        given = self.given
        return {
            "database": given.database_url,
            "record": str(self.record),
            "config": str(given.config) if given.config else None,
        }

    def lines(self) -> Iterator[str]:
        """What somebody who starts the server wants to see of it."""
        settings = self.settings
        yield f"database: {make_url(self.given.database_url).render_as_string()}"
        members = self.committee.members.values()
        for member in members:
            where = f" at {member.endpoint}" if member.endpoint else ""
            yield f"member {member.name}: {' '.join(filter(None, (member.kind, member.model)))}{where}"
        if all(member.reads == "subject" for member in members):
            yield "no model is configured: reviews are made by tools alone (moa init looks for models)"
        yield f"repositories: {', '.join(settings.repositories)}"
        yield f"reviews: {settings.jobs} at a time, {settings.reviews_per_hour} an hour for an installation"
        if settings.prove_repositories:
            yield f"proof: code of {', '.join(settings.prove_repositories)} is run in a sandbox"
        else:
            yield "proof: off, no code under review is run ([tool.moa.server] prove_repositories)"
        if not self.access.on:
            yield f"page: off ({PASSWORD} is not set)"
            if not settings.public_metrics:
                yield f"metrics: off ({PASSWORD} is not set, nor [tool.moa.server] public_metrics)"


def github_settings(given: Given) -> GithubSettings:
    """`[tool.moa.github]` of the operator.

    Raises:
        ConfigError: a setting is wrong.
    """
    with open_session(
        start=Path(), config=given.config, flags=_flags(given), environ=_environ(given)
    ) as session:
        return cast(GithubSettings, session.sections["github"])


def configured(given: Given) -> Configured:
    """Read and check everything.

    Raises:
        ConfigError: something is missing or wrong.
    """
    environ = _environ(given)
    with open_session(start=Path(), config=given.config, flags=_flags(given), environ=environ) as session:
        settings = cast(ServerSettings, session.sections["server"])
        if not settings.repositories:
            raise ConfigError(
                "whose pull requests are reviewed is not configured",
                hint='[tool.moa.server] repositories = ["owner/name", "owner/*"], or ["*"] for all that '
                "install the App",
            )
        committee = committee_of(session, cast(ReviewSettings, session.sections["review"]))
        asyncio.run(_open(committee))
        return Configured(
            given,
            settings,
            cast(GithubSettings, session.sections["github"]),
            committee,
            session.record.path.absolute(),
            read_credentials(given.environ, given.data),
            Access.from_environ(given.environ),
        )


def login_of(app: AppAuth) -> str:
    """The name under which the App writes; "" when GitHub cannot be reached now.

    Raises:
        ConfigError: GitHub does not know the App, or not its key.
    """
    try:
        return app.viewer()
    except Refused as error:
        raise ConfigError(error.message, hint=error.hint) from error
    except Unreachable:
        return ""


async def _open(committee: Committee) -> None:
    """Find out that a key is missing now, and not at the first review. Models in files are not loaded."""
    asked = [member for member in committee.members.values() if member.endpoint]
    try:
        for member in asked:
            await member.open()
    finally:
        for member in asked:
            await member.aclose()


def _flags(given: Given) -> dict[str, Any]:
    record = {} if given.environ.get("MOA_RECORD") else {"record": str(given.data / "record.sqlite")}
    return {**record, **given.flags}


def _environ(given: Given) -> dict[str, str]:
    """The environment without the page's password: it begins like a setting, and is none."""
    return {name: value for name, value in given.environ.items() if name != PASSWORD}
