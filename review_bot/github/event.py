"""Which pull request a CI job is about: from options, or from the event that GitHub started the job with.

An event is written by whoever opened the pull request: only numbers and texts are taken out of it, and
whatever decides something is asked of GitHub again. Strict models reject real payloads, so nothing is
required of one beyond what is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa_engine.errors import ConfigError

#: GitHub cuts payloads off at 25 MB.
_LARGEST = 26_000_000

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_REF = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")

#: What of a pull request's events is a reason to review it; `closed` or `assigned` is none.
_REASONS = ("opened", "reopened", "synchronize", "ready_for_review", "labeled", "unlabeled", "edited")


@dataclass(frozen=True, slots=True)
class Said:
    """A comment that started the job. Its author's rights are not known from the event."""

    id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request, and what called for its review. `event` is "" when options name it."""

    repository: str  #: owner/name
    number: int
    event: str = ""
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class NoTarget:
    """The event is no reason to review anything; `why` is a sentence without its full stop."""

    why: str


def read_target(number: int | None, repository: str | None, environ: Mapping[str, str]) -> Target | NoTarget:
    """The pull request that the options or else the job's event name.

    Raises:
        ConfigError: there is neither, or they cannot be read.
    """
    name = repository or environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no repository on GitHub" if name else "which repository on GitHub is not known",
            hint="name it: --repo-name owner/name (in GitHub's jobs: GITHUB_REPOSITORY)",
        )
    if number is not None:
        if number < 1:
            raise ConfigError(f"--pr {number} is no number of a pull request")
        return Target(name, number)
    event = environ.get("GITHUB_EVENT_NAME", "")
    path = environ.get("GITHUB_EVENT_PATH", "")
    if path:
        return _from_event(name, event, _payload(Path(path)))
    if found := _REF.fullmatch(environ.get("GITHUB_REF", "")):
        return Target(name, int(found[1]), event)
    raise ConfigError(
        "which pull request to review is not known",
        hint="name it: --pr N (in GitHub's jobs: GITHUB_EVENT_PATH)",
    )


def _payload(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(f"the event {path} is larger than any of GitHub's")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the event {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the event {path} is no JSON") from error
    return data if isinstance(data, dict) else {}


def _from_event(repository: str, event: str, payload: Mapping[str, Any]) -> Target | NoTarget:
    action = payload.get("action")
    if event == "issue_comment" or (not event and "comment" in payload and "issue" in payload):
        return _comment(repository, payload)
    if event == "workflow_dispatch" or (not event and "inputs" in payload):
        inputs = _table(payload, "inputs")
        found = next((inputs[key] for key in ("pr", "pull_request", "number") if inputs.get(key)), None)
        if not (number := _number(found)):
            raise ConfigError(
                "the workflow was started without the number of a pull request",
                hint="give its workflow_dispatch an input `pr`",
            )
        return Target(repository, number, "workflow_dispatch")
    if number := _number(_table(payload, "pull_request").get("number")):
        if isinstance(action, str) and action not in _REASONS:
            return NoTarget(f"a pull request that was {action.replace('_', ' ')} is not reviewed again")
        return Target(repository, number, event or "pull_request")
    return NoTarget(f"the event {event or 'of this job'} is about no pull request")


def _comment(repository: str, payload: Mapping[str, Any]) -> Target | NoTarget:
    issue, comment = _table(payload, "issue"), _table(payload, "comment")
    number, id = _number(issue.get("number")), _number(comment.get("id"))
    author, body = _table(comment, "user").get("login"), comment.get("body")
    if not number or not id or not isinstance(issue.get("pull_request"), dict):
        return NoTarget("the comment is on no pull request")
    if payload.get("action") != "created":
        return NoTarget("only a new comment can ask for something")
    if not isinstance(author, str) or not isinstance(body, str):
        return NoTarget("the comment has no author or no text")
    return Target(repository, number, "issue_comment", Said(id, author, body))


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _number(value: object) -> int:
    """A positive number, also as text; 0 for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    text = str(value) if isinstance(value, int) else value.strip()
    return int(text) if _NUMBER.fullmatch(text) else 0
