"""Who may see the server's page: whoever knows the password, from no site but its own.

Headers forbid browsers everything that the page does not need, so that text which got past the
escaping could still run nothing, load nothing and be sent nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The variable that holds the page's password.
PASSWORD = "MOA_PAGE_PASSWORD"  # noqa: S105 - the name of it

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it, browsers send forms without the origin that is checked here.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Access:
    """The rule. `digest` is the password's; None without one: then nothing is served."""

    digest: bytes | None = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Access:
        """The rule with the password of `MOA_PAGE_PASSWORD`."""
        password = environ.get(PASSWORD, "")
        return cls(_digest(password.encode()) if password else None)

    @property
    def on(self) -> bool:
        """Whether there is a page."""
        return self.digest is not None

    def allows(self, authorization: str) -> bool:
        """Whether an Authorization header has the password; the name in front of it does not matter."""
        scheme, _, given = authorization.partition(" ")
        if self.digest is None or scheme.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(_digest(password), self.digest)

    def guard(self, *, public: bool = False) -> Middleware:
        """What stands in front of a route. `public` asks for no password."""
        return Middleware(_Guard, access=self, public=public)


def _digest(password: bytes) -> bytes:
    return hashlib.sha256(password).digest()


def same_origin(headers: Headers) -> bool:
    """Whether a request comes from this site's own page, as its browser says.

    Browsers name the site's relation on connections that they trust (HTTPS, loopback), the origin always.
    """
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin, host = headers.get("origin", ""), headers.get("host", "")
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()


class _Guard:
    def __init__(self, app: ASGIApp, access: Access, public: bool) -> None:
        self._app, self._access, self._public = app, access, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._refusal(scope["method"], Headers(scope=scope)) or self._app
        await answer(scope, receive, safely)

    def _refusal(self, method: str, headers: Headers) -> ASGIApp | None:
        if not self._public and not self._access.allows(headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="review-bot", charset="UTF-8"'}
            return PlainTextResponse("the page's password, please\n", 401, challenge)
        if method not in ("GET", "HEAD") and not same_origin(headers):
            return PlainTextResponse("this may only be asked for on the server's own page\n", 403)
        return None
