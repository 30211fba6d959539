"""GitHub Apps of the fake: the app itself, its installations and their tokens, and how one is created.

app = fake.apps.create()                     # its key is real, and so are the signatures
installation = fake.apps.install(app)
AppAuth(app.id, app.private_key, fake.url).installation_token(installation.id, "ada/shop")
app.deliver(url, "pull_request", payload)    # a webhook, signed
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import string
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.review_bot.github.fake_model import Json, Token
from tests.review_bot.github.fake_rules import Problem, fields, invalid

if TYPE_CHECKING:
    from tests.review_bot.github.fake_state import State

#: What the manifest of the bot asks for.
PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "security_events": "write",
}
_LETTERS = string.ascii_letters + string.digits
LEVELS = {"read": 1, "write": 2, "admin": 3}


@cache
def new_key(number: int = 0) -> str:
    """A private key as GitHub gives it: PKCS #1 in PEM. Another number is another key."""
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


@dataclass
class App:
    """An app, and what only its owner knows of it."""

    id: int
    slug: str
    name: str
    owner: str
    permissions: dict[str, str]
    events: list[str]
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    hook_url: str = ""
    hook_log: list[Json] = field(default_factory=list)  #: what was delivered, the newest first
    asked_again: list[int] = field(default_factory=list)  #: which of it was asked for again

    def deliver(
        self, url: str, event: str, payload: Json, *, installation: int = 1, id: str = ""
    ) -> tuple[int, str]:
        """Send a webhook as GitHub does: once, signed, whatever comes of it. Gives status and body."""
        body = json.dumps({**payload, "installation": {"id": installation}}).encode()
        signature = hmac.new(self.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": id or str(uuid.uuid4()),
            "X-GitHub-Hook-ID": "1",
            "X-GitHub-Hook-Installation-Target-ID": str(self.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        try:
            # docs: webhooks: an answer has to come within 10 seconds.
            with urlopen(Request(url, body, headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()


@dataclass
class Installation:
    """An app on an account."""

    id: int
    app: App
    account: str
    repositories: tuple[str, ...]
    permissions: dict[str, str]
    suspended: bool = False


class Apps:
    """All apps, and what they ask of GitHub."""

    token_seconds = 3600  #: docs: "Installation tokens expire one hour from the time you create them."
    #: What signatures are held against: what is signed has the real time in it, whatever a test's clock says.
    signing_clock: Callable[[], float] = staticmethod(time.time)
    stateless = False  #: tokens are `ghs_APPID_JWT`, as since 2026, instead of `ghs_` and 36 letters

    def __init__(self, state: State, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        self.all: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}

    def create(self, slug: str = "moa-review", owner: str = "ada", **more: Any) -> App:
        """An app, with the permissions that the bot asks for."""
        id = 1_234_567 + len(self.all)
        app = App(
            id=id,
            slug=slug,
            owner=owner,
            **{
                "private_key": new_key(),
                "name": slug,
                "permissions": dict(PERMISSIONS),
                "events": ["pull_request", "issue_comment"],
                "webhook_secret": "a webhook's secret",
                **more,
            },
        )
        self.all[id] = app
        return app

    def install(self, app: App, **more: Any) -> Installation:
        """Install it on the repository's owner, for that repository."""
        id = 1 + len(self.installations)
        name = self._state.repository
        facts = {"account": name.split("/")[0], "repositories": (name,), "permissions": app.permissions}
        self.installations[id] = Installation(id, app, **{**facts, **more})
        return self.installations[id]

    def answer(self, method: str, path: str, authorization: str, data: Any) -> tuple[int, Any] | None:
        """The answer to what apps ask; None for what is asked by others."""
        if (method, path) == ("GET", "/app"):
            return 200, self.show(self._app(authorization))
        if (method, path) == ("GET", "/repositories/1/installation"):
            path = f"/repos/{self._state.repository}/installation"
        if method == "GET" and (found := re.fullmatch(r"/repos/([^/]+/[^/]+)/installation", path)):
            if found[1] in self._state.former_names:
                # docs: "Following redirects", as for all that is of a repository.
                where = {"location": f"{self._state.base_url}/repositories/1/installation"}
                raise Problem(301, "Moved Permanently", headers=where)
            return 200, self._installation_of(self._app(authorization), found[1])
        if (method, path) == ("GET", "/app/hook/deliveries"):
            return 200, self._app(authorization).hook_log
        if method == "POST" and (found := re.fullmatch(r"/app/hook/deliveries/(\d+)/attempts", path)):
            # docs: "Redeliver a delivery for an app webhook": 202, without a body to speak of.
            app = self._app(authorization)
            if int(found[1]) not in [one["id"] for one in app.hook_log]:
                raise Problem(404, "Not Found")
            app.asked_again.append(int(found[1]))
            return 202, {}
        if method == "POST" and (found := re.fullmatch(r"/app/installations/(\d+)/access_tokens", path)):
            return 201, self._access_token(self._app(authorization), int(found[1]), data or {})
        return None

    def _app(self, authorization: str) -> App:
        """The app that signed the JSON web token. docs: "Generating a JSON Web Token (JWT)"."""
        kind, _, text = authorization.partition(" ")
        try:
            claims = jwt.decode(text, options={"verify_signature": False})
            app = self.all.get(int(claims.get("iss", 0)))
            if app is None or kind.lower() != "bearer":
                # seen: when the id is of no app.
                raise Problem(404, "Integration not found")
            key = _public(app.private_key)
            jwt.decode(text, key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
        except (jwt.PyJWTError, ValueError) as error:
            # seen: for a wrong key, and for what is no JSON web token.
            raise Problem(401, "A JSON web token could not be decoded") from error
        now, issued, expires = self.signing_clock(), claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or issued > now:
            must = "must be an Integer representing the time that the assertion was issued"
            raise Problem(401, f"'Issued at' claim ('iat') {must}")
        if not isinstance(expires, int) or expires <= now:
            must = "must be a numeric value representing the future time at which the assertion expires"
            raise Problem(401, f"'Expiration time' claim ('exp') {must}")
        if expires > now + 600:
            # docs: exp: "no more than 10 minutes into the future".
            raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def _installation_of(self, app: App, repository: str) -> Json:
        for one in self.installations.values():
            if one.app is app and repository in one.repositories:
                return self._show_installation(one)
        raise Problem(404, "Not Found")

    def _access_token(self, app: App, id: int, data: Any) -> Json:
        """docs: apps, "Create an installation access token for an app"."""
        found = self.installations.get(id)
        if found is None or found.app is not app:
            raise Problem(404, "Not Found")
        if found.suspended:
            # seen: while the owner of the account has suspended the app.
            raise Problem(403, "This installation has been suspended")
        asked = fields(data, {}, {"repositories": list, "repository_ids": list, "permissions": dict})
        known = {name.split("/")[1]: name for name in found.repositories}
        ids = {1: self._state.repository.split("/")[1]} if self._state.repository in known.values() else {}
        numbers = asked.get("repository_ids", [])
        names = [*asked.get("repositories", []), *map(ids.get, numbers)] or [*known]
        if not set(names) <= known.keys():
            raise invalid(
                message="There is at least one repository that does not exist or is not accessible to the "
                "parent installation."
            )
        permissions = asked.get("permissions", found.permissions)
        for name, level in permissions.items():
            if LEVELS.get(level, 9) > LEVELS.get(found.permissions.get(name, ""), 0):
                raise invalid(message="The permissions requested are not granted to this installation.")
        expires = self._clock() + self.token_seconds
        text = "ghs_" + "".join(secrets.choice(_LETTERS) for _ in range(36))
        if self.stateless:
            claims = {"iss": "github.com", "exp": int(expires), "jti": secrets.token_hex(8)}
            text = f"ghs_{app.id}_{jwt.encode(claims, new_key(1), algorithm='RS256')}"
        permissions = {"metadata": "read", **permissions}
        repositories = frozenset(known[name] for name in names)
        self._state.tokens[text] = Token(f"{app.slug}[bot]", "app", permissions, expires, repositories)
        return {
            "token": text,
            "expires_at": datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "permissions": permissions,
            "repository_selection": "selected",
            "repositories": [self._state.show_repo(known[name]) for name in names],
        }

    def show(self, app: App) -> Json:
        return {
            "id": app.id,
            "slug": app.slug,
            "name": app.name,
            "client_id": f"Iv23{app.id}",
            "owner": self._state.show_user(app.owner),
            "html_url": f"{self._state.base_url}/apps/{app.slug}",
            "external_url": "https://example.org",
            "permissions": app.permissions,
            "events": app.events,
        }

    def _show_installation(self, found: Installation) -> Json:
        return {
            "id": found.id,
            "app_id": found.app.id,
            "app_slug": found.app.slug,
            "account": self._state.show_user(found.account),
            "repository_selection": "selected",
            "permissions": found.permissions,
            "events": found.app.events,
            "suspended_at": "2026-01-01T00:00:00Z" if found.suspended else None,
        }


@cache
def _public(private_key: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()
