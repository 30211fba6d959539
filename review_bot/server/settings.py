"""`[tool.moa.server]`: whose pull requests `review-bot serve` reviews, and how much of it at a time.

Read from the operator's configuration, never from a repository under review. Secrets are not settings:
they come from the environment or from the file that `--create-app` writes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool

from moa_engine.config import Number, Section, Whole

_PATTERN = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9-]*/(\*|[A-Za-z0-9._-]+)")


def _patterns(value: list[str]) -> list[str]:
    for pattern in value:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern!r} is none of: owner/name, owner/* and *")
    return value


Repositories = Annotated[list[str], AfterValidator(_patterns)]


class ServerSettings(Section):
    """The settings of the server."""

    repositories: Repositories = Field(default_factory=list)
    """Whose pull requests are reviewed: "owner/name", "owner/*", or "*" for all that installed the App.
    The server does not start without."""
    jobs: Whole = Field(default=2, ge=1, le=64)
    """Reviews at a time in each process. Processes that share a database go by the last one to start."""
    reviews_per_hour: Whole = Field(default=60, ge=1)
    """Reviews of one installation of the App; what comes beyond waits. Other comments do not count."""
    job_seconds: Number = Field(default=1800.0, gt=0)
    """A review that takes longer is stopped, and counts as failed."""
    attempts: Whole = Field(default=3, ge=1, le=20)
    """How often a job is tried whose process dies, before it counts as failed."""
    niceness: Whole = Field(default=10, ge=0, le=19)
    """How far reviews give way to other processes, the server's own among them."""
    grace_seconds: Number = Field(default=60.0, ge=0)
    """How long a server that is to stop waits for its reviews; the others are resumed by whoever is next."""
    silent_seconds: Number = Field(default=60.0, ge=2)
    """A process of the server that was not heard of for so long is taken for dead; others resume its jobs."""
    max_delivery_bytes: Whole = Field(default=26_000_000, ge=1)
    """Larger deliveries are refused unread. GitHub sends none above 25 MB."""
    redeliver: StrictBool = True
    """Whether GitHub is asked, at the start and hourly, to send again what it could not deliver in the last
    three days."""
    keep_days: Number = Field(default=90.0, ge=4)
    """How long deliveries, jobs, runs and models' answers are kept after their end. A pull request's last run
    stays until the pull request is closed. GitHub delivers anew for three days, so it cannot be shorter."""
    prove_repositories: Repositories = Field(default_factory=list)
    """Where code under review may be run in a sandbox to prove what it does; nowhere by default."""
    public_metrics: StrictBool = False
    """Whether /metrics is shown without the page's password."""


def matches(repository: str, patterns: Sequence[str]) -> bool:
    """Whether a repository is among these. GitHub's names differ by more than their case."""
    name = repository.casefold()
    owner = name.partition("/")[0]
    return any(pattern.casefold() in ("*", f"{owner}/*", name) for pattern in patterns)
