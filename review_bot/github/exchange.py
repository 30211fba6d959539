"""One exchange with GitHub's API: what is sent again, what is waited for, and what stays unclear.

PyGithub sends, with all of its own retries off: they send a review again that may have landed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import count
from ssl import SSLCertVerificationError
from typing import Any

from github import Auth, Github
from github.Requester import Requester
from requests import RequestException
from requests.exceptions import ConnectTimeout
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProxyError, SSLError

from review_bot.github.client import Connection, GithubError, LimitReached, Refused, Unclear, Unreachable

#: How often at most is asked for what GitHub cannot answer for now.
_ATTEMPTS = 4
#: What GitHub asks to wait at least for a secondary limit that comes without `Retry-After`.
_SECONDARY_WAIT = 60.0
#: GitHub describes how its answers look by day; this is the day that we know.
_API_VERSION = "2022-11-28"
#: The most that GitHub gives at once.
PAGE = 100
_NEXT = re.compile(r'<([^>]+)>; *rel="next"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub sent."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The text, decoded; None if there is none.

        Raises:
            ValueError: it is something else.
        """
        return json.loads(self.text) if self.text else None


class _Current(Auth.Auth):
    """Sends the token of the moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        return self._connection.current_token()


class Exchange:
    """Requests with a token; an App itself brings another `auth`."""

    def __init__(self, connection: Connection, auth: Auth.Auth | None = None) -> None:
        self.clock_ahead = 0.0  #: how many seconds our clock was ahead of GitHub's, by the last answer
        self._patience = connection.patience
        self._connection = connection
        github = Github(
            auth=auth or _Current(connection),
            base_url=connection.api_url,
            timeout=connection.timeout,
            user_agent="pytest-moa",
            retry=None,
            per_page=PAGE,
            seconds_between_requests=None,
            seconds_between_writes=connection.between_writes or None,
            api_version=_API_VERSION,
        )
        self._requester = github.requester

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None, accept: str = "") -> Answer:
        """Read; asks again while GitHub is busy."""
        headers = {"Accept": accept} if accept else None
        return self._until_clear("GET", path, again=True, parameters=parameters, headers=headers)

    def pages(self, path: str, key: str = "", **parameters: str | int) -> Generator[Mapping[str, Any]]:
        """The elements of a list on many pages; `key` is where an answer has them, if it is no list."""
        answer = self.get(path, {**parameters, "per_page": PAGE})
        while True:
            with readable(f"GET {path}"):
                found = answer.json()
                yield from found[key] if key else found
            # Not counted: the pages of a repository with another name by now are elsewhere, and PyGithub
            # follows there without the page's number.
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return
            answer = self.get(following[1])

    def write(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Write, once."""
        return self._until_clear(verb, path, again=False, input=body)

    def ask(self, path: str, body: Mapping[str, Any]) -> Answer:
        """A POST that does no harm when it is sent again."""
        return self._until_clear("POST", path, again=True, input=body)

    def query(self, text: str, **variables: Any) -> Mapping[str, Any]:
        """Read by GraphQL."""
        return self._graphql(text, variables, again=True)

    def mutate(self, text: str, **variables: Any) -> Mapping[str, Any]:
        """Write by GraphQL, once."""
        return self._graphql(text, variables, again=False)

    def _graphql(self, text: str, variables: Mapping[str, Any], *, again: bool) -> Mapping[str, Any]:
        body = {"query": text, "variables": variables}
        answer = self._until_clear("POST", self._requester.graphql_url, again=again, input=body)
        with readable("GraphQL", written=not again):
            found = answer.json()
            errors = found.get("errors") or ()
            if not errors:
                data: Mapping[str, Any] = found["data"]
                return data
            messages = tuple(str(error.get("message")) for error in errors)
            kinds = {error.get("type") for error in errors}
        status = 403 if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"} else 404 if "NOT_FOUND" in kinds else 422
        raise Refused(status, f"GitHub refused: {messages[0]}", details=messages)

    def _until_clear(self, verb: str, path: str, *, again: bool, **what: Any) -> Answer:
        doing = f"{verb} {path}"
        for attempt in count():
            failure: GithubError
            wait = float(2**attempt)
            tries = _ATTEMPTS
            try:
                answer = self._sent(verb, path, what)
            except (RequestException, OSError, RuntimeError) as error:
                if not again and not _never_sent(error):
                    raise Unclear(f"{doing}: no answer came ({_kind(error)})") from error
                failure = Unreachable(f"{doing}: GitHub cannot be reached ({_kind(error)})")
            else:
                status = answer.status
                self.clock_ahead = self._patience.clock() - self._now(answer)
                if (asked := self._limited(answer, attempt)) is not None:
                    wait, tries = asked, 0
                    failure = LimitReached(
                        f"{doing}: GitHub's rate limit asks to wait {wait:.0f} s",
                        seconds=wait,
                        hint="Run it again later, or allow to wait longer: [tool.moa.github] patience.",
                    )
                elif status < 300:
                    return answer
                elif status < 500:
                    raise _refused(doing, answer)
                elif not again:
                    raise Unclear(f"{doing}: GitHub answered {status}")
                else:
                    failure = Unreachable(f"{doing}: GitHub answered {status}")
            if attempt + 1 == tries or not self._patience.wait(wait):
                raise failure
        raise AssertionError("count() has no end")

    def _sent(self, verb: str, path: str, what: Mapping[str, Any]) -> Answer:
        """Send a request, and once more where its token is refused and there is another one by now.

        Nothing was done with the refused one, so that writes may be sent again, too.
        """
        token = self._connection.current_token()
        answer = Answer(*self._requester.requestJson(verb, path, **what))
        tokens = self._connection.token
        if answer.status != 401 or isinstance(tokens, str) or tokens.instead_of(token) == token:
            return answer
        return Answer(*self._requester.requestJson(verb, path, **what))

    def _limited(self, answer: Answer, attempt: int) -> float | None:
        """How long GitHub wants to be left alone, if that is what it says. It then did nothing else."""
        if answer.status not in (403, 429) and not _graphql_limit(answer):
            return None
        message, after = _message(answer), answer.headers.get("retry-after")
        primary = answer.headers.get("x-ratelimit-remaining") == "0" or (
            Requester.isPrimaryRateLimitError(message)
        )
        limit = answer.status != 403 or after is not None or primary
        if not limit and not Requester.isSecondaryRateLimitError(message):
            return None  # "Resource not accessible by integration" and its like: final
        now = self._now(answer)
        if after is not None:
            wait = _seconds(after, now)
        elif primary and (reset := answer.headers.get("x-ratelimit-reset", "")).isdigit():
            wait = int(reset) - now + 1  # it is not said when in that second
        else:
            wait = _SECONDARY_WAIT * 2**attempt
        return max(wait, 1.0)

    def _now(self, answer: Answer) -> float:
        """The time on GitHub's clock; ours may go wrong."""
        date = _date(answer.headers.get("date", ""))
        return self._patience.clock() if date is None else date.timestamp()


@contextmanager
def readable(doing: str, *, written: bool = False) -> Generator[None]:
    """An answer that says it is fine and cannot be read: for a write it is not known what happened."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        kind = Unclear if written else Unreachable
        raise kind(f"{doing}: GitHub's answer cannot be read ({_kind(error)})") from error


def _never_sent(error: Exception) -> bool:
    """Whether no connection was made, so that nothing can have been changed."""
    if isinstance(error, RuntimeError):  # PyGithub's word for being redirected to another host
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, SSLError):  # a connection that breaks off later is one as well
        return bool(reason.args) and isinstance(reason.args[0], SSLCertVerificationError)
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError | ProxyError)


def _refused(doing: str, answer: Answer) -> Refused:
    details: tuple[str, ...] = ()
    with suppress(ValueError, AttributeError):
        details = tuple(map(_detail, answer.json().get("errors") or ()))
    text = "; ".join(dict.fromkeys([_message(answer), *details]))
    # GitHub says which permissions would do, such as "issues=write; pull_requests=write".
    needed = answer.headers.get("x-accepted-github-permissions", "") if answer.status in (403, 404) else ""
    return Refused(
        answer.status,
        f"{doing}: GitHub answered {answer.status}: {text}",
        details=details,
        hint=f"The token needs {needed.replace('; ', ' or ')}." if needed else "",
    )


def _detail(error: object) -> str:
    """One of the errors of a 422, which are texts or tables."""
    if isinstance(error, dict):
        return str(error.get("message") or " ".join(str(error.get(key, "")) for key in ("field", "code")))
    return str(error)


def _message(answer: Answer) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, TypeError, KeyError):
        return answer.text[:200]


def _graphql_limit(answer: Answer) -> bool:
    """GraphQL's way: 200, and the limit is an error among the answer's."""
    if answer.status != 200 or '"RATE_LIMITED"' not in answer.text:
        return False
    try:
        return any(error.get("type") == "RATE_LIMITED" for error in answer.json().get("errors") or ())
    except (ValueError, AttributeError):
        return False


def _seconds(after: str, now: float) -> float:
    """`Retry-After`: seconds or a date."""
    if after.strip().isdigit():
        return float(after)
    date = _date(after)
    return _SECONDARY_WAIT if date is None else date.timestamp() - now


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _kind(error: Exception) -> str:
    return type(error).__name__
