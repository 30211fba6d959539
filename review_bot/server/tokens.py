"""Tokens for the processes of jobs, from the App."""

from __future__ import annotations

import threading

from review_bot.github.client import Refused
from review_bot.github.tokens import Token
from review_bot.server.app_auth import AppAuth
from review_bot.server.child import Work

#: Installations that were looked up and are remembered.
_MANY = 1000

#: What GitHub says of an installation that is another one by now, since the App was installed anew, or of a
#: repository that moved to an account with another one.
_STALE = (401, 403, 404, 422)


class InstallationTokens:
    """An App's tokens, whatever number its installation had when the job was queued."""

    def __init__(self, app: AppAuth) -> None:
        self._app = app
        self._found: dict[str, int] = {}
        self._lock = threading.Lock()

    def token_for(self, job: Work, refused: str) -> Token:
        """A token for the job's repository; another one than that whose SHA-256 is `refused`.

        Raises:
            GithubError: there is none.
        """
        known = job.installation or self._remembered(job.repository)
        try:
            return self._token(known, job, refused)
        except Refused as error:
            if error.status not in _STALE:
                raise
            newest = self._looked_up(job.repository)
            if newest == known:
                raise
        return self._token(newest, job, refused)

    def _token(self, installation: int, job: Work, refused: str) -> Token:
        return self._app.installation_token(
            installation, job.repository, repository_id=job.repository_id, refused=refused
        )

    def _remembered(self, repository: str) -> int:
        """The installation where the delivery did not say it."""
        with self._lock:
            known = self._found.get(repository)
        return known or self._looked_up(repository)

    def _looked_up(self, repository: str) -> int:
        newest = self._app.installation_of(repository)
        with self._lock:
            if len(self._found) >= _MANY:
                self._found.clear()
            self._found[repository] = newest
        return newest
