"""Tokens for the processes of jobs, from the App."""

from __future__ import annotations

import threading

from review_bot.github.tokens import Token
from review_bot.server.app_auth import AppAuth


class InstallationTokens:
    """An App's tokens, also for deliveries that do not say which installation they are of."""

    def __init__(self, app: AppAuth) -> None:
        self._app = app
        self._found: dict[str, int] = {}
        self._lock = threading.Lock()

    def installation_token(self, installation: int, repository: str, refused: str = "") -> Token:
        """A token; another one than that whose SHA-256 is `refused`.

        Raises:
            GithubError: there is none.
        """
        known = installation or self._installation_of(repository)
        return self._app.installation_token(known, repository, refused=refused)

    def _installation_of(self, repository: str) -> int:
        with self._lock:
            if repository not in self._found:
                self._found[repository] = self._app.installation_of(repository)
            return self._found[repository]
