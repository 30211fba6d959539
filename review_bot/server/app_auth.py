"""As a GitHub App: its own name, its installations, and tokens for one repository that may little.

PyGithub signs and sends. Its own way to a token cannot restrict it to a repository, and asks for no
permissions at all where none are named, so the request itself is ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from github import Auth

from moa_engine.errors import ConfigError
from review_bot.github.client import Connection, GithubError, Patience, Refused
from review_bot.github.exchange import Exchange, readable
from review_bot.github.settings import GithubSettings
from review_bot.github.tokens import Token

#: What a review needs: the code, the pull request and what is said below it.
_ALWAYS = {"metadata": "read", "contents": "read", "pull_requests": "write"}
#: A token that is given out is good for at least so many seconds: longer than any request with it may take.
_MARGIN = 300.0
#: How long may be waited for GitHub, in all, for one answer.
_PATIENCE = 60.0


def permissions(settings: GithubSettings) -> dict[str, str]:
    """The least that reviews need with these settings."""
    needed = dict(_ALWAYS)
    if settings.check_run:
        needed["checks"] = "write"
    if settings.code_scanning:
        needed["security_events"] = "write"
    return needed


class AppAuth:
    """An App. Several threads may use it.

    Every method raises `Refused` where asking again is useless until somebody does what the hint says, and
    `Unreachable` (`LimitReached`) where GitHub cannot answer for now.
    """

    def __init__(
        self,
        app_id: str,
        private_key: str,
        api_url: str = "https://api.github.com",
        *,
        permissions: Mapping[str, str] = _ALWAYS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Raises:
            ConfigError: the key is none, or not of the kind that Apps have.
        """
        _check(private_key)
        self._auth = Auth.AppAuth(app_id, private_key)
        self._id = app_id
        self._api_url = api_url
        self._permissions = dict(permissions)
        self._clock = clock
        self._sleep = sleep
        self._tokens: dict[tuple[int, str], Token] = {}
        self._locks: dict[tuple[int, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def viewer(self) -> str:
        """The login that the App writes under: `name[bot]`."""
        return f"{self._read('/app')['slug']}[bot]"

    def installation_of(self, repository: str) -> int:
        """The installation that has a repository."""
        try:
            return int(self._read(f"/repos/{quote(repository)}/installation")["id"])
        except Refused as refused:
            if refused.status != 404:  # that of an App that is not there is 401
                raise
            raise Refused(
                404,
                f"the GitHub App is not installed on {repository}",
                hint="Somebody who administers it installs it: on the App's page, Install.",
            ) from refused

    def installation_token(
        self, installation: int, repository: str, *, repository_id: int = 0, refused: str = ""
    ) -> Token:
        """A token for one repository. The same one as long as it is good for five more minutes.

        With `repository_id` it is for that one, whatever its name is by now. `refused` is the SHA-256, in
        hex, of a token that GitHub did not accept: another one is got.
        """
        key = (installation, repository)
        with self._lock:
            if key not in self._locks:
                self._forget_expired()
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            known = self._tokens.get(key)
            late = known is None or known.expires - _MARGIN <= self._clock()
            if known is None or late or sha256(known.text.encode()).hexdigest() == refused:
                known = self._new_token(installation, repository, repository_id)
                with self._lock:
                    self._tokens[key] = known
            return known

    def _forget_expired(self) -> None:
        now = self._clock()
        self._tokens = {key: token for key, token in self._tokens.items() if token.expires > now}
        self._locks = {key: lock for key, lock in self._locks.items() if key in self._tokens or lock.locked()}

    def _new_token(self, installation: int, repository: str, repository_id: int) -> Token:
        exchange = self._exchange()
        path = f"/app/installations/{installation}/access_tokens"
        names = {"repositories": [repository.partition("/")[2]]}
        which = {"repository_ids": [repository_id]} if repository_id else names
        body = {**which, "permissions": self._permissions}
        try:
            answer = exchange.ask(path, body)
        except Refused as refused:
            raise self._token_refused(refused, exchange, installation, repository) from refused
        with readable(f"POST {path}"):
            data = answer.json()
            expires = datetime.fromisoformat(data["expires_at"]).timestamp()
            return Token(str(data["token"]), expires + exchange.clock_ahead)

    def _token_refused(
        self, refused: Refused, exchange: Exchange, installation: int, repository: str
    ) -> GithubError:
        of = f"installation {installation} of the GitHub App"
        if refused.status == 403 and "suspended" in refused.message:
            return Refused(403, f"{of} is suspended", hint="Its owner resumes it in the account's settings.")
        if refused.status == 404 and "Integration" not in refused.message:
            hint = "It was uninstalled, or it is another App's: install it again."
            return Refused(404, f"there is no {of}", hint=hint)
        if refused.status == 422 and "permissions" in refused.message:
            wanted = ", ".join(f"{name}: {level}" for name, level in self._permissions.items())
            return Refused(
                422,
                f"{of} may not do all that reviews need ({wanted})",
                hint="Give the App these permissions in its settings; then the account's owner accepts them.",
            )
        if refused.status == 422:
            hint = "Its owner adds the repository in the account's settings, under Installed GitHub Apps."
            return Refused(422, f"{of} does not have {repository}", hint=hint)
        return self._explained(refused, exchange)

    def hook_deliveries(self) -> Iterator[Mapping[str, Any]]:
        """What GitHub delivered to the App, or tried to, the newest first."""
        exchange = self._exchange()
        try:
            yield from exchange.pages("/app/hook/deliveries")
        except Refused as refused:
            raise self._explained(refused, exchange) from refused

    def redeliver(self, id: int) -> None:
        """Have a delivery sent again; it comes under the id that it had."""
        self._exchange().write("POST", f"/app/hook/deliveries/{id}/attempts")

    def _read(self, path: str) -> Any:
        exchange = self._exchange()
        try:
            answer = exchange.get(path)
        except Refused as refused:
            raise self._explained(refused, exchange) from refused
        with readable(f"GET {path}"):
            return answer.json()

    def _explained(self, refused: Refused, exchange: Exchange) -> Refused:
        """Why GitHub does not take us for the App."""
        if refused.status == 404 and "Integration" in refused.message:
            hint = "GITHUB_APP_ID is on the App's settings page; GITHUB_API_URL is where the App is."
            # Not 404, which is GitHub's status for this: nobody shall take it for a missing installation.
            return Refused(401, f"there is no GitHub App {self._id} at {self._api_url}", hint=hint)
        if refused.status != 401:
            return refused
        if "claim" in refused.message:
            ahead = exchange.clock_ahead
            off = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} GitHub's"
            hint = "Set the clock of this machine, such as by NTP."
            return Refused(
                401, f"this machine's clock is {off}: GitHub refuses what the App signs", hint=hint
            )
        return Refused(
            401,
            f"GitHub does not accept the private key of the GitHub App {self._id}",
            hint="It is of another App, or was deleted: make one on the App's settings page, Private keys.",
        )

    def _exchange(self) -> Exchange:
        # A new one each time: patience is used up, and threads cannot share a connection.
        patience = Patience(_PATIENCE, self._clock, self._sleep)
        connection = Connection("", "", self._api_url, timeout=15, between_writes=0.0, patience=patience)
        return Exchange(connection, self._auth)


def _check(private_key: str) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError) as error:  # TypeError: it has a passphrase
        raise ConfigError(
            "the private key of the GitHub App cannot be read",
            hint="It is the whole .pem file from the App's settings page, from -----BEGIN to END-----.",
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("the private key of a GitHub App is an RSA key; this one is not")
