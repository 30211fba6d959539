"""Tokens that end before the work does: another one is asked for in time, or when GitHub refuses the last."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from moa_engine.errors import ConfigError

#: Seconds before its end from which on a token is not used any more: clocks differ, and requests take time.
EARLY = 120.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an app's installation. `expires` is in seconds since 1970."""

    text: str = field(repr=False)
    expires: float


class Tokens:
    """The token of the moment, from any thread.

    Args:
        ask: gives a token; it is told which one GitHub refused, or "" where the last one only ends soon.
    """

    def __init__(self, ask: Callable[[str], Token], clock: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = Token("", 0.0)
        self._known: dict[str, None] = {}
        self._listeners: list[Callable[[str], None]] = []

    def current(self) -> str:
        """A token that is good for a while."""
        with self._lock:
            if self._token.expires - EARLY < self._clock():
                self._take("")
            return self._token.text

    def instead_of(self, refused: str) -> str:
        """Another token than the one that GitHub refused; the same where no other is given."""
        with self._lock:
            if self._token.text == refused:
                self._take(refused)
            return self._token.text

    def tell(self, listener: Callable[[str], None]) -> None:
        """Tell of every token so far, and of each new one before it is used."""
        with self._lock:
            self._listeners.append(listener)
            for text in self._known:
                listener(text)

    def _take(self, refused: str) -> None:
        token = self._ask(refused)
        check_token(token.text)
        if token.text not in self._known:
            self._known[token.text] = None
            for listener in self._listeners:
                listener(token.text)
        self._token = token


def check_token(text: str) -> None:
    """Refuse what cannot be sent in a header.

    Raises:
        ConfigError: it is empty, or no token at all.
    """
    if not re.fullmatch(r"[!-~]+", text):
        raise ConfigError("there is no token for GitHub that can be sent", hint="Set GITHUB_TOKEN.")
