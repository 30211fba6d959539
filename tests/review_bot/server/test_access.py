from pathlib import Path

import pytest

from tests.review_bot.server.page_server import OWN, PASSWORD, authorization, page

PAGES = ["/", "/runs", "/members", "/runs/x", "/runs/x/record.json", "/static/page.css", "/metrics"]


def test_only_who_knows_the_password_sees_anything(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        for path in PAGES:
            for headers in (
                {},
                authorization("wrong"),
                authorization(PASSWORD + "x"),
                authorization(""),
                {"Authorization": "Bearer " + PASSWORD},
                {"Authorization": "Basic \N{LATIN SMALL LETTER E WITH ACUTE}"},
                {"Authorization": "Basic eA=="},
            ):
                answer = shown.get(path, headers)
                assert (answer.status, answer.headers["www-authenticate"][:5]) == (401, "Basic"), path
        assert shown.get("/").status == 200
        assert shown.get("/", authorization(name="")).status == 200
        assert shown.post("/again", {"job": "x"}, OWN).status == 401
        assert shown.queue.again == []
        assert shown.get("/healthz", {}).status == 200


def test_without_a_password_there_is_no_page(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}", password="") as shown:
        for path in PAGES:
            assert shown.get(path, authorization("")).status == 404
        assert shown.post("/again", {"job": "x"}, OWN).status == 404
        assert shown.get("/healthz", {}).status == 200


def test_metrics_may_be_public_and_the_page_never_is(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}", public_metrics=True) as shown:
        assert shown.get("/metrics", {}).status == 200
        assert shown.get("/", {}).status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
        ({"Origin": "OWN"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://OWN.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_only_the_servers_own_page_changes_anything(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        sent = {name: value.replace("OWN", shown.url) for name, value in headers.items()}
        answer = shown.post("/again", {"job": "ada/shop#1@abc"}, {**authorization(), **sent})
        assert answer.status == status
        assert shown.queue.again == (["ada/shop#1@abc"] if status == 303 else [])


def test_what_changes_something_is_no_link(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        assert shown.get("/again?job=x").status == 405
        large = {"job": "x" * 10_000}
        assert shown.post("/again", large, {**authorization(), **OWN}).status == 413
        assert shown.queue.again == []


def test_every_answer_forbids_browsers_what_the_page_does_not_need(tmp_path: Path) -> None:
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        for path in (*PAGES, "/static/none"):
            for headers in (authorization(), {}):
                answer = shown.get(path, headers)
                policy = answer.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "script" not in policy
                assert "unsafe" not in policy
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["x-frame-options"] == "DENY"
                if "static" not in path:
                    assert answer.headers["cache-control"] == "no-store"
