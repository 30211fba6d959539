"""A GitHub on loopback that remembers, and refuses what GitHub refuses.

    with FakeGithub(bare, "ada/shop") as fake:
        pull = fake.state.open_pull("feature")
        client = connect(fake.connection())

Behind it is a real bare repository: lines, hunks, renames and merge bases are git's. What it enforces: see
`fake_rules.py`, `fake_reviews.py`, `fake_checks.py`, `fake_graphql.py`, `fake_limits.py` and `fake_apps.py`.
What goes wrong on the way is asked for with `break_next`, and `watchers` are told of each request before it
is done and after, so that a test can kill whoever sent it right there.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from review_bot.github.client import Connection, Patience
from tests.review_bot.github import fake_checks, fake_graphql, fake_reviews
from tests.review_bot.github.fake_apps import Apps
from tests.review_bot.github.fake_git import git_over_http
from tests.review_bot.github.fake_limits import Limits
from tests.review_bot.github.fake_manifest import Manifests
from tests.review_bot.github.fake_model import Token, job_token
from tests.review_bot.github.fake_rules import ROUTES, Call, Problem, Text
from tests.review_bot.github.fake_state import State

#: The endpoints that are not in `fake_rules`: to import them is to have them.
ENDPOINTS = (fake_checks, fake_reviews)

#: What a request meets: an answer's status, a torn connection, no answer at all, or an answer cut short.
Trouble = int | Literal["reset", "hang", "cut"]


@dataclass(slots=True)
class Broken:
    """What is to go wrong. `landed`: the request was done before."""

    method: str
    path: str
    trouble: Trouble
    landed: bool
    times: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that came. `status` is 0 as long as it has no answer."""

    method: str
    path: str
    data: Any
    status: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


Watcher = Callable[[Literal["before", "after"], Sent], None]


@dataclass(slots=True)
class Clock:
    """A clock that only goes on when somebody sleeps, or a test says so."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class FakeGithub:
    """The server. `state` is what it knows, `sent` what it was asked."""

    def __init__(
        self, bare: Path, repository: str = "ada/shop", clock: Callable[[], float] = time.time
    ) -> None:
        self.clock = clock
        self.state = State(bare, repository, clock)
        self.apps = Apps(self.state, clock)
        self.manifests = Manifests(self.apps)
        self.limits = Limits(clock)
        self.sent: list[Sent] = []
        self.watchers: list[Watcher] = []
        self.hangs_up = False  #: closes connections after each answer without saying so, as when idle
        self.hung_up = threading.Event()
        self._broken: list[Broken] = []
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server = _Server(self)
        self.state.tokens["job-token"] = job_token()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeGithub:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def connection(self, token: Token | None = None, **more: Any) -> Connection:
        """How a client of ours gets here, without delays; with the token of a job if with no other."""
        name = "job-token"
        if token is not None:
            name = f"token-{len(self.state.tokens)}"
            self.state.tokens[name] = token
        facts = {"timeout": 5, "between_writes": 0.0, "patience": Patience(seconds=10.0), **more}
        return Connection(self.state.repository, name, api_url=self.url, server_url=self.url, **facts)

    def break_next(
        self,
        request: str,
        trouble: Trouble,
        *,
        landed: bool = False,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        """The next requests like `"POST /reviews$"` (a method and a pattern of the path) meet trouble."""
        method, _, path = request.partition(" ")
        self._broken.append(Broken(method, path, trouble, landed, times, headers or {}, body))

    def count(self, request: str) -> int:
        """How many requests came like `"POST /reviews$"`."""
        method, _, path = request.partition(" ")
        return sum(one.method == method and bool(re.search(path, one.path)) for one in self.sent)

    def answer(self, request: _Request) -> None:
        """Do what a request asks for, unless it meets trouble."""
        with self._lock, self.state.one_moment():
            sent = Sent(request.command, urlsplit(request.path).path, request.data())
            place = len(self.sent)
            self.sent.append(sent)
            broken = self._trouble(sent)
            self._tell("before", sent)
            status, headers, body = 0, dict[str, str](), b""
            if broken is None or broken.landed:
                status, headers, body = self._done(request, sent)
            self.sent[place] = sent = Sent(sent.method, sent.path, sent.data, status)
            self._tell("after", sent)
        if broken:
            self._fail(request, broken, body)
        else:
            request.reply(status, headers, body)

    def _trouble(self, sent: Sent) -> Broken | None:
        for broken in self._broken:
            if broken.times and broken.method == sent.method and re.search(broken.path, sent.path):
                broken.times -= 1
                return broken
        return None

    def _tell(self, phase: Literal["before", "after"], sent: Sent) -> None:
        for watcher in self.watchers:
            watcher(phase, sent)

    def _fail(self, request: _Request, broken: Broken, body: bytes) -> None:
        if broken.trouble == "hang":
            self._stopped.wait(30)
        elif broken.trouble == "cut":
            request.reply(200, {"content-length": str(len(body) + 10)}, body[: len(body) // 2])
        elif isinstance(broken.trouble, int):
            said = {"message": "Server Error"} if broken.body is None else broken.body
            text = said if isinstance(said, str) else json.dumps(said)
            request.reply(broken.trouble, dict(broken.headers), text.encode())
            return
        request.tear()

    def _done(self, request: _Request, sent: Sent) -> tuple[int, dict[str, str], bytes]:
        # A client checks that what it is answered names the host that it called.
        self.state.base_url = f"http://{request.headers.get('Host', '')}"
        headers = {
            "date": formatdate(self.clock(), usegmt=True),
            "content-type": "application/json; charset=utf-8",
        }
        try:
            if ".git/" in sent.path:
                self._token(request)
                return git_over_http(request, self.state.bare)
            if page := self.manifests.page(sent.method, request.path, request.body):
                return page[0], {"content-type": "text/html", **page[1]}, page[2].encode()
            status, found = self._dispatch(request, sent, headers)
        except Problem as problem:
            return problem.status, {**headers, **problem.headers}, json.dumps(problem.body).encode()
        if isinstance(found, Text):
            return status, {**headers, "content-type": found.type}, found.text.encode()
        return status, headers, json.dumps(found).encode()

    def _dispatch(self, request: _Request, sent: Sent, headers: dict[str, str]) -> tuple[int, Any]:
        if not request.headers.get("User-Agent"):
            # docs: getting started: all requests must have one.
            raise Problem(
                403, "Request forbidden by administrative rules. Missing or invalid User Agent string"
            )
        if request.headers.get("X-GitHub-Api-Version", "2022-11-28") not in ("2022-11-28", "2026-03-10"):
            # docs: API versions: 400 for one that is not supported.
            raise Problem(400, "The version of the API is not supported")
        if sent.data is _NOT_JSON:
            raise Problem(400, "Problems parsing JSON")
        if found := re.fullmatch(r"/app-manifests/([^/]+)/conversions", sent.path):
            return 201, self.manifests.convert(found[1])
        said = request.headers.get("Authorization", "")
        if answer := self.apps.answer(sent.method, sent.path, said, sent.data):
            return answer
        token = self._token(request)
        query = dict(parse_qsl(urlsplit(request.path).query))
        call = Call(sent.method, sent.path, query, request.headers.get("Accept", ""), sent.data, token)
        headers |= self.limits.headers()
        self.limits.spend(call)
        headers |= self.limits.headers()
        if sent.path == "/graphql":
            return 200, fake_graphql.answer(self.state, call)
        path = self._by_name(request, sent)
        for method, pattern, needs, handle in ROUTES:
            found = pattern.fullmatch(path)
            if found and method == sent.method:
                # docs: the header says which permissions an endpoint accepts.
                accepted = "; ".join("=".join(need) for need in needs)
                headers["x-accepted-github-permissions"] = accepted
                if not any(token.may(*need) for need in needs):
                    # docs: permissions of GITHUB_TOKEN; of a fork's pull_request it only reads.
                    of = "personal access token" if token.kind == "personal" else "integration"
                    raise Problem(403, f"Resource not accessible by {of}", headers=headers)
                status, answer = handle(self.state, call, *found.groups())
                return status, _page(answer, query, f"{self.state.base_url}{sent.path}", headers)
        raise Problem(404, "Not Found")

    def _by_name(self, request: _Request, sent: Sent) -> str:
        """The path under the repository's name."""
        home = f"/repos/{self.state.repository}"
        if sent.path.startswith("/repositories/1"):
            return home + sent.path.removeprefix("/repositories/1")
        name = "/".join(sent.path.split("/")[2:4])
        if name in self.state.former_names:
            # docs: "Following redirects"; seen: 301 to the repository's number for reading, 307 else.
            rest = request.path.removeprefix(f"/repos/{name}")
            where = {"location": f"{self.state.base_url}/repositories/1{rest}"}
            raise Problem(301 if sent.method == "GET" else 307, "Moved Permanently", headers=where)
        if name != self.state.repository:
            raise Problem(404, "Not Found")
        return sent.path

    def _token(self, request: _Request) -> Token:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                secret = ""
        if len(request.headers.get_all("Authorization", [])) > 1:
            # seen: when git sends the header of actions/checkout and another one.
            raise Problem(400, "Duplicate header: Authorization")
        token = self.state.tokens.get(secret)
        if token is None or token.expires <= self.clock():
            raise Problem(401, "Bad credentials")
        if token.repositories is not None and self.state.repository not in token.repositories:
            raise Problem(404, "Not Found")
        return token


def _page(found: Any, query: Mapping[str, str], url: str, headers: dict[str, str]) -> Any:
    """One page of a list. docs: "Using pagination": 30 by default, at most 100, the rest by `Link`."""
    rows = found.get("check_runs") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        return found
    size, page = min(int(query.get("per_page", 30)), 100), max(int(query.get("page", 1)), 1)
    shown = rows[(page - 1) * size : page * size]
    if page * size < len(rows):
        last = -(-len(rows) // size)
        links = (("next", page + 1), ("last", last))
        headers["link"] = ", ".join(f'<{url}?page={n}&per_page={size}>; rel="{rel}"' for rel, n in links)
    return {**found, "check_runs": shown} if isinstance(found, dict) else shown


_NOT_JSON = object()


class _Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeGithub

    def data(self) -> Any:
        """The body, decoded."""
        if not self.body or ".git/" in self.path:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return _NOT_JSON

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fake.answer(self)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one  # noqa: N815

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection |= self.fake.hangs_up

    def tear(self) -> None:
        """End the connection by a reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):  # the client is gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: FakeGithub) -> None:
        self._fake = fake
        super().__init__(("127.0.0.1", 0), type("Request", (_Request,), {"fake": fake}))

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._fake.hung_up.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # the client is gone
            super().handle_error(request, client_address)
