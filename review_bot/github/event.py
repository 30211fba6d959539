"""Which pull request a review is wanted of: by options, or by the event that GitHub tells a job or a server.

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

#: The owner may have an underscore: accounts that a company manages end with one and its short name.
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_REF = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
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
    action: str = ""
    head: str = ""  #: the commit that the event is about; "" where it does not say
    again: bool = False  #: somebody pressed "re-run" at a check: also a head that was reviewed
    repository_id: int = 0  #: its number stays when its name changes; 0 where it is not known

    def to_json(self) -> dict[str, Any]:
        """All but which pull request it is, as JSON for `from_json`."""
        said = {"id": self.said.id, "author": self.said.author, "body": self.said.body} if self.said else None
        return {
            "event": self.event,
            "action": self.action,
            "head": self.head,
            "again": self.again,
            "said": said,
            "repository_id": self.repository_id,
        }

    @classmethod
    def from_json(cls, repository: str, number: int, data: Mapping[str, Any]) -> Target:
        """What `to_json` wrote."""
        said = Said(**data["said"]) if data["said"] else None
        id = data.get("repository_id", 0)  # what was queued by older versions has none
        return cls(repository, number, data["event"], said, data["action"], data["head"], data["again"], id)


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
    if not is_repository(name):
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
        return read_event(name, event, _payload(Path(path)))
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


def is_repository(name: str) -> bool:
    """Whether this can be the name of a repository on GitHub: owner/name."""
    return _REPOSITORY.fullmatch(name) is not None


def read_event(repository: str, event: str, payload: Mapping[str, Any]) -> Target | NoTarget:
    """The pull request of this repository that an event gives a reason to look at.

    Raises:
        ConfigError: the event is of a workflow that was started by hand, without a number.
    """
    action = payload.get("action")
    if event in ("check_run", "check_suite"):
        return _check(repository, event, payload)
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
    pull = _table(payload, "pull_request")
    if number := _number(pull.get("number")):
        if isinstance(action, str) and action not in _REASONS:
            return NoTarget(f"a pull request that was {_words(action)} is not reviewed again")
        if (
            action == "edited"
            and isinstance(payload.get("changes"), dict)
            and "base" not in payload["changes"]
        ):
            return NoTarget("of the pull request only the title or the text was edited")
        head = _sha(_table(pull, "head").get("sha"))
        action = action if isinstance(action, str) else ""
        return Target(repository, number, event or "pull_request", action=action, head=head)
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
    if not _LOGIN.fullmatch(author):
        return NoTarget("the comment's author has no name that GitHub gives")
    return Target(repository, number, "issue_comment", Said(id, author, body), "created")


def _check(repository: str, event: str, payload: Mapping[str, Any]) -> Target | NoTarget:
    if payload.get("action") != "rerequested":
        return NoTarget("of a check only its re-run is a reason for a review")
    check = _table(payload, event)
    pulls = check.get("pull_requests")
    pull = pulls[0] if isinstance(pulls, list) and pulls else {}  # GitHub names none of a fork
    number = _number(pull.get("number")) if isinstance(pull, dict) else 0
    if not number:
        return NoTarget("the check is on no pull request that the event names")
    return Target(
        repository, number, event, action="rerequested", head=_sha(check.get("head_sha")), again=True
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _sha(value: object) -> str:
    """A commit's full name; "" for everything else."""
    return value if isinstance(value, str) and _SHA.fullmatch(value) else ""


def _words(action: str) -> str:
    """An action for people; what is none of GitHub's is not repeated."""
    return action.replace("_", " ") if re.fullmatch(r"[a-z_]{1,40}", action) else "changed somehow"


def _number(value: object) -> int:
    """A positive number, also as text; 0 for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    text = str(value) if isinstance(value, int) else value.strip()
    return int(text) if _NUMBER.fullmatch(text) else 0
