"""The web side over a real socket: what it answers, and that nothing makes it fail."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from review_bot.server import app, inbox
from tests.review_bot.server.serving import RULES, Serving, headers_of, serving
from tests.review_bot.server.test_deliveries import HEAD, commented, pushed

PUSH = json.dumps(pushed()).encode()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/server.sqlite"


@pytest.fixture
def server(url: str) -> Iterator[Serving]:
    with serving(url) as server:
        yield server


def raw(server: Serving, *pieces: bytes, end: bool = True) -> bytes:
    """Send bytes as they are, and read until there is an answer or the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if end:
            with suppress(OSError):  # the server has refused it, and closed, by then
                connection.shutdown(socket.SHUT_WR)
        answer = b""
        while b"}" not in answer and (more := connection.recv(65536)):
            answer += more
        return answer


def head_of(headers: dict[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /webhook HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def test_a_delivery_is_kept_when_it_is_answered(server: Serving) -> None:
    answer = server.deliver("pull_request", pushed(), "delivery-1")
    assert (answer.status, answer.data) == (202, {"state": "new"})
    (row,) = server.rows()
    assert (row.id, row.repository, row.number, row.wish["head"]) == ("delivery-1", "ada/shop", 7, HEAD)
    again = server.deliver("pull_request", pushed(), "delivery-1")
    assert (again.status, again.data["state"]) == (200, "seen")
    assert len(server.rows()) == 1


def test_who_is_ignored_or_refused_is_told_why(server: Serving) -> None:
    said = server.deliver("issue_comment", commented("Thanks!"))
    assert (said.status, said.data) == (202, {"state": "ignored", "why": "the comment is no command"})
    ping = server.deliver("ping", {"zen": "Keep it logically awesome.", "hook_id": 1})
    assert (ping.status, ping.data["state"]) == (200, "ignored")
    refused = server.send(PUSH, headers_of("pull_request", PUSH, secret=b"other"))
    assert (refused.status, refused.data["state"]) == (401, "refused")
    assert "signature" in refused.data["why"]


@pytest.mark.parametrize(
    ("missing", "status"),
    [("X-GitHub-Delivery", 400), ("X-GitHub-Event", 400), ("X-Hub-Signature-256", 401), ("User-Agent", 202)],
)
def test_headers_that_are_missing(server: Serving, missing: str, status: int) -> None:
    headers = headers_of("pull_request", PUSH)
    del headers[missing]
    assert server.send(PUSH, headers).status == status


def test_a_body_may_come_in_chunks(server: Serving) -> None:
    pieces = [PUSH[at : at + 7] for at in range(0, len(PUSH), 7)]
    assert server.send(iter(pieces), headers_of("pull_request", PUSH)).status == 202


def test_no_more_is_read_than_is_allowed(url: str) -> None:
    largest = json.dumps(pushed(padding="x" * 3000)).encode()
    with serving(url, replace(RULES, max_bytes=len(largest))) as server:
        assert server.send(largest, headers_of("pull_request", largest)).status == 202
        # Refused by its length, of which nothing was sent
        head = head_of({**headers_of("push", b""), "Content-Length": str(len(largest) + 1)})
        assert b" 413 " in raw(server, head, end=False)
        # and, where it does not say how long it is, as soon as it is too long: the end never comes.
        chunked = head_of({**headers_of("push", b""), "Transfer-Encoding": "chunked"})
        assert b" 413 " in raw(server, chunked, b"fff\r\n" + b"x" * 4095 + b"\r\n", end=False)
        assert server.deliver("pull_request", pushed()).status == 202


def test_many_bodies_at_a_time_are_limited_together(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_HELD", 1)
    with serving(url, replace(RULES, max_bytes=1000)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(head_of({**headers_of("push", b""), "Content-Length": "1000"}) + b"x" * 900)
            _until(lambda: server.deliver("pull_request", pushed()).status == 429)
        _until(lambda: server.deliver("pull_request", pushed()).status == 202)


def test_a_body_that_does_not_come_is_not_waited_for(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_BODY_SECONDS", 0.1)
    head = head_of({**headers_of("push", b""), "Content-Length": "1000"})
    assert b" 408 " in raw(server, head, b"x", end=False)
    assert raw(server, head, b"x") == b""  # the other side is gone
    assert server.deliver("pull_request", pushed()).status == 202


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\xff\x00\n\n",
        b"POST /webhook HTTP/1.1\r\n\r\n",
        b"POST /webhook HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"X-Hub-Signature-256: sha256=x\r\nX-GitHub-Event: push\r\n"
        b"X-GitHub-Delivery: delivery-1\r\n\r\nzz\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: \xff\xfe\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\n" + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /%ff%00?%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_is_no_delivery_at_all_is_refused(server: Serving, sent: bytes) -> None:
    try:
        answer = raw(server, sent)
    except ConnectionError:  # closed while more came
        answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    assert server.deliver("pull_request", pushed()).status == 202


def test_a_large_delivery_holds_up_nobody(server: Serving) -> None:
    large = json.dumps(pushed(padding=["x"] * 150_000)).encode()
    statuses: list[int] = []

    def send() -> None:
        statuses.append(server.send(large, headers_of("pull_request", large)).status)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert server.deliver("pull_request", pushed()).status == 202
    for thread in threads:
        thread.join()
    assert statuses == [202, 202, 202]


def test_github_is_told_to_come_again_while_the_database_is_away(
    server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_RETRIED", 0.0)
    with server.database.writing() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO elsewhere"))
    answer = server.deliver("pull_request", pushed(), "delivery-1")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    with server.database.writing() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO deliveries"))
    assert server.deliver("pull_request", pushed(), "delivery-1").status == 202


def test_health_is_that_of_the_database_and_of_who_works(url: str, tmp_path: Path) -> None:
    alive = [True]
    with serving(url, alive=lambda: alive[0]) as server:
        well = server.send(b"", {}, method="GET", path="/healthz")
        assert (well.status, well.data) == (200, {"state": "well"})
        alive[0] = False
        assert server.send(b"", {}, method="GET", path="/healthz").status == 503


def test_health_is_bad_without_a_database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_HEALTH_HOLDS", 0.0)
    with serving(url) as server:
        assert server.send(b"", {}, method="GET", path="/healthz").status == 200
        server.database.engine.dispose()
        (tmp_path / "server.sqlite").unlink()
        (tmp_path / "server.sqlite").mkdir()
        assert server.send(b"", {}, method="GET", path="/healthz").status == 503


def test_what_is_on_its_way_is_kept_when_the_server_stops(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(url) as server:
        statuses: list[int] = []
        with server.database.writing():  # so that they wait for the disk
            threads = [
                threading.Thread(
                    target=lambda: statuses.append(server.deliver("pull_request", pushed()).status)
                )
                for _ in range(5)
            ]
            for thread in threads:
                thread.start()
            _until(lambda: server.waiting() == 5)
            stopping = threading.Thread(target=server.stop)
            stopping.start()
        for thread in [*threads, stopping]:
            thread.join()
        assert statuses == [202] * 5
        assert len(server.rows()) == 5


def _until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)
