"""`review-bot serve --create-app`: a GitHub App of one's own by two clicks, without copying a secret.

GitHub's way for that: a page of ours posts a manifest (what the App is called, may do and is told) to
GitHub's settings, where its owner confirms it; GitHub sends the browser back with a code; the code is
changed for the App's key and secrets, once. The page is on loopback, under a path that nobody guesses.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from github import Auth

from moa_engine.errors import ConfigError, MoaError
from review_bot.github.client import Connection, GithubError, Patience, Refused
from review_bot.github.exchange import Exchange, readable
from review_bot.github.settings import GithubSettings
from review_bot.server.app_auth import permissions
from review_bot.server.credentials import FILE, AppCredentials, already_there, write_credentials

#: Where deliveries are sent, below the server's URL.
WEBHOOK_PATH = "/webhook"
#: What GitHub tells the App. Nothing is done at others.
EVENTS = ("pull_request", "issue_comment")
_LONGEST_NAME = 34

_HEAD = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>review-bot serve --create-app</title>
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
th, td { text-align: left; padding-right: 2rem; font-weight: normal }
button { font: inherit; padding: .4rem 1rem; margin-top: 1rem }
code { overflow-wrap: anywhere }
</style>
"""


@dataclass(frozen=True, slots=True)
class NewApp:
    """An App that is to be, and where."""

    url: str  #: of the server, as GitHub reaches it
    org: str = ""  #: the organization that owns it; else whoever confirms it
    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    settings: GithubSettings = field(default_factory=GithubSettings)

    def __post_init__(self) -> None:
        found = urlsplit(self.url)
        if found.scheme not in ("http", "https") or not found.hostname or found.query or found.fragment:
            raise ConfigError(
                f"{self.url!r} is no URL that GitHub can send deliveries to",
                hint="Give the one under which it reaches this server: --url https://moa.example.org",
            )
        if self.org and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.org):
            raise ConfigError(f"{self.org!r} is no name of an organization")

    @property
    def form_url(self) -> str:
        """GitHub's page that takes the manifest."""
        owner = f"/organizations/{self.org}" if self.org else ""
        return f"{self.server_url.rstrip('/')}{owner}/settings/apps/new"

    def manifest(self, redirect_url: str) -> dict[str, Any]:
        """What GitHub is asked to make. Only its owner's repositories can have it."""
        base = self.url.rstrip("/")
        return {
            # Names are unique on all of GitHub; its owner may choose another one there.
            "name": f"moa-review-{self.org or secrets.token_hex(3)}"[:_LONGEST_NAME],
            "description": "A committee of different models reviews pull requests.",
            "url": base,
            "hook_attributes": {"url": f"{base}{WEBHOOK_PATH}", "active": True},
            "redirect_url": redirect_url,
            "public": False,
            # Without reading issues, GitHub does not tell of comments.
            "default_permissions": permissions(self.settings) | {"issues": "read"},
            "default_events": [*EVENTS],
        }


def create_app(new: NewApp, folder: Path, say: Callable[[str], None], *, port: int = 8080) -> AppCredentials:
    """Create it, with a browser's help; its secrets are in `folder` then.

    Raises:
        ConfigError: there is an App in `folder` already, or the port is taken.
    """
    if (folder / FILE).exists():
        raise already_there(folder / FILE)
    flow = _Flow(new, folder)
    try:
        server = _Server(("127.0.0.1", port), flow)
    except OSError as error:
        hint = "Give another one: --port N."
        raise ConfigError(f"port {port} cannot be listened on ({error.strerror})", hint=hint) from error
    port = server.server_address[1]
    flow.home = f"http://127.0.0.1:{port}/{secrets.token_urlsafe(16)}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        say(f"open in a browser: {flow.home}")
        say(f"(on another machine: ssh -L {port}:127.0.0.1:{port} there first; Ctrl-C gives up)")
        flow.done.wait()
    finally:
        server.shutdown()
        server.server_close()
    created = flow.created
    assert created is not None
    say(f"created {created.name}; its secrets are in {folder / FILE}, keep that file")
    say(f"1. install it on your repositories: {created.install_url}")
    say('2. allow them: [tool.moa.server] repositories = ["owner/name"]')
    say("3. start the server: review-bot serve")
    return created.credentials


@dataclass(frozen=True, slots=True)
class _Created:
    """An App that is there."""

    credentials: AppCredentials
    name: str
    install_url: str


class _Flow:
    """What browsers are shown on the way, and what becomes of the code that one brings."""

    def __init__(self, new: NewApp, folder: Path) -> None:
        self.home = ""
        self.created: _Created | None = None
        self.done = threading.Event()
        self._new = new
        self._folder = folder
        self._state = secrets.token_urlsafe(32)
        self._lock = threading.Lock()

    @property
    def policy(self) -> str:
        """What browsers let these pages do."""
        github = urlsplit(self._new.server_url)
        return (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action {github.scheme}://{github.netloc}"
        )

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return self._new.manifest(f"{self.home}/created")

    def answer(self, target: str) -> tuple[int, str]:
        """Status and page."""
        path, _, query = target.partition("?")
        home = urlsplit(self.home).path
        if path == home:
            return 200, self._start()
        if path == f"{home}/created":
            asked = parse_qs(query)
            return self._end(*(asked.get(name, [""])[0] for name in ("code", "state")))
        return 404, "<h1>Not found</h1><p>The whole address is in the terminal."

    def _start(self) -> str:
        manifest = self._manifest
        rows = "".join(
            f"<tr><th>{escape(name.replace('_', ' '))}<td>{escape(level)}"
            for name, level in manifest["default_permissions"].items()
        )
        where = f"the organization {self._new.org}" if self._new.org else "your account"
        return f"""\
<h1>A GitHub App that reviews pull requests</h1>
<p>It will belong to {escape(where)} on {escape(urlsplit(self._new.server_url).netloc)}, and hear of pull
requests at <code>{escape(manifest["hook_attributes"]["url"])}</code>. GitHub asks you to confirm it; there
you can give it another name. It may no more than this:
<table>{rows}</table>
<form method="post" action="{escape(self._new.form_url)}?state={self._state}">
<input type="hidden" name="manifest" value="{escape(json.dumps(manifest))}">
<button>Go on to GitHub</button>
</form>"""

    def _end(self, code: str, state: str) -> tuple[int, str]:
        again = f'<p><a href="{escape(self.home)}">Start again</a>'
        # Somebody else's code would make us serve their App.
        if not hmac.compare_digest(state.encode(), self._state.encode()) or not re.fullmatch(r"[\w-]+", code):
            return 403, f"<h1>This does not come from the page that was opened here</h1>{again}"
        with self._lock:  # the page may be loaded twice
            try:
                created = self.created = self.created or self._convert(code)
            except MoaError as error:
                return 502, f"<h1>No App</h1><p>{escape(str(error))}{again}"
        return (
            200,
            f"""\
<h1>{escape(created.name)} is there</h1>
<p>Its key and secrets are in <code>{escape(str(self._folder / FILE))}</code>.
<p><a href="{escape(created.install_url)}">Install it</a> on the repositories whose pull requests it
reviews. The terminal says what comes then.""",
        )

    def _convert(self, code: str) -> _Created:
        connection = Connection(
            "", "", self._new.api_url, timeout=15, between_writes=0.0, patience=Patience(30.0)
        )
        try:
            answer = Exchange(connection, _Nobody()).write("POST", f"/app-manifests/{code}/conversions")
        except Refused as refused:
            raise Refused(
                refused.status,
                f"GitHub does not know the code that it sent ({refused.message})",
                hint="Codes are good once, and for an hour.",
            ) from refused
        except GithubError as error:
            hint = "If the App is in GitHub's settings by now, delete it there."
            raise GithubError(error.message, hint=hint) from error
        with readable("app manifest", written=True):
            data = answer.json()
            credentials = AppCredentials(str(data["id"]), data["pem"], (data["webhook_secret"],))
            created = _Created(credentials, data["name"], f"{data['html_url']}/installations/new")
        write_credentials(self._folder, credentials)
        return created


class _Nobody(Auth.Auth):
    """No token: the code is what lets us in."""

    token_type = token = ""

    def authentication(self, headers: dict[str, str]) -> None:
        """Adds nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], flow: _Flow) -> None:
        self.flow = flow
        super().__init__(address, _Page)


class _Page(BaseHTTPRequestHandler):
    timeout = 10  # of connections that a browser opens and does not use
    server: _Server
    server_version = "review-bot"
    sys_version = ""

    def do_GET(self) -> None:
        flow = self.server.flow
        status, text = flow.answer(self.path)
        data = f"{_HEAD}{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", flow.policy)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)
        if flow.created is not None:
            flow.done.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: codes are in the addresses."""
