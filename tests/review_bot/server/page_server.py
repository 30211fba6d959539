"""The page of a filled server on a real socket, and who asks for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from moa_engine.errors import MoaError
from review_bot.server import metrics, pages
from review_bot.server.access import Access
from review_bot.server.database import Database
from tests.review_bot.server.serving import Answer, Serving, serving

PASSWORD = "pässword: with a colon"
GITHUB = "https://github.example"

#: What a browser on the page sends with its forms.
OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Queue:
    """Notes what is to be run again; refuses what it does not know."""

    again: list[str] = field(default_factory=list)
    known: Callable[[str], bool] = lambda _: True

    def run_again(self, job_id: str) -> str:
        if not self.known(job_id):
            raise MoaError(f"there is no job {job_id!r}")
        self.again.append(job_id)
        return job_id


def authorization(password: str = PASSWORD, name: str = "anybody") -> dict[str, str]:
    given = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {given}"}


@dataclass
class Page:
    """A server with its page."""

    server: Serving
    queue: Queue

    @property
    def database(self) -> Database:
        return self.server.database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        sent = authorization() if headers is None else headers
        return self.server.send(b"", sent, method="GET", path=path)

    def html(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return bytes(answer.data).decode()

    def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.server.send(urlencode(form).encode(), {**kind, **headers}, path=path)


@contextmanager
def page(url: str, *, password: str = PASSWORD, public_metrics: bool = False) -> Iterator[Page]:
    """Serve a database with its page, until the end of the block."""
    queue = Queue()
    access = Access.from_environ({"MOA_PAGE_PASSWORD": password})

    def routes(database: Database) -> list[object]:
        return [
            *pages.routes(database, queue, access, server_url=GITHUB),
            *metrics.routes(database, access, public=public_metrics),
        ]

    with serving(url, routes=routes) as server:  # type: ignore[arg-type]
        yield Page(server, queue)
