"""Whether a delivery is one, and what it asks for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from review_bot.github.event import Said, Target
from review_bot.server.deliveries import Delivery, Ignored, Refused, Rules, read_delivery, verified
from tests.review_bot.server.serving import RULES, SECRET, headers_of, signature

HEAD = "0123456789" * 4


def pushed(**changed: Any) -> dict[str, Any]:
    """A push to pull request 7."""
    return {
        "action": "synchronize",
        "pull_request": {"number": 7, "head": {"sha": HEAD}},
        "repository": {"full_name": "ada/shop", "id": 31},
        "installation": {"id": 99},
        **changed,
    }


def commented(body: str) -> dict[str, Any]:
    """A comment on pull request 7."""
    return pushed(
        action="created",
        issue={"number": 7, "pull_request": {}},
        comment={"id": 5, "body": body, "user": {"login": "bob"}},
    )


def read(event: str, payload: object, rules: Rules = RULES, **headers: str) -> Delivery | Ignored | Refused:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {name.lower(): value for name, value in headers_of(event, body, "delivery-1").items()}
    return read_delivery(
        given | {name.replace("_", "-"): value for name, value in headers.items()}, body, rules
    )


def test_the_signature_is_the_one_that_githubs_manual_shows() -> None:
    known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verified([b"It's a Secret to Everybody"], b"Hello, World!", known)
    assert verified([b"old", b"It's a Secret to Everybody"], b"Hello, World!", known)
    assert not verified([b"old"], b"Hello, World!", known)
    assert not verified([], b"Hello, World!", known)


@pytest.mark.parametrize(
    "given",
    [
        "", "sha256=", "sha1=" + "0" * 40, signature(b"other"), signature(b"{}", b"other"),
        signature(b"{}").upper(), signature(b"{}")[:-1], signature(b"{}") + "0", signature(b"{}")[7:],
        signature(b"{}") + "\n", "sha256=" + "é" * 64,
    ],
)  # fmt: skip
def test_nothing_else_is_a_signature(given: str) -> None:
    assert verified([SECRET], b"{}", signature(b"{}"))
    assert not verified([SECRET], b"{}", given)
    found = read("pull_request", b"{}", x_hub_signature_256=given)
    assert isinstance(found, Refused)
    assert found.status == 401


def test_a_push_is_wanted() -> None:
    body = json.dumps(pushed()).encode()
    target = Target("ada/shop", 7, "pull_request", action="synchronize", head=HEAD, repository_id=31)
    wish = target.to_json()
    digest = hashlib.sha256(body).hexdigest()
    assert read("pull_request", body) == Delivery(
        "delivery-1", "pull_request", "ada/shop", 7, 99, wish | {"digest": digest}
    )


def test_a_comment_is_wanted_where_it_is_a_command() -> None:
    found = read("issue_comment", commented("/review full"))
    assert isinstance(found, Delivery)
    assert found.state == "new"
    assert Target.from_json("ada/shop", 7, found.wish).said == Said(5, "bob", "/review full")
    found = read("issue_comment", commented("Shall we /review it?"))
    assert isinstance(found, Delivery)
    assert (found.state, found.why) == ("ignored", "the comment is no command")
    assert "said" not in found.wish  # what people write to each other is not kept


def test_what_is_kept_of_a_comment_fits_into_every_database() -> None:
    found = read("issue_comment", commented("/dismiss 0123abcd because\0 \ud800 of é"))
    assert isinstance(found, Delivery)
    assert found.wish["said"]["body"] == "/dismiss 0123abcd because ? of é"


@pytest.mark.parametrize(
    ("event", "payload", "why"),
    [
        ("pull_request", pushed(action="closed"), "was closed"),
        ("pull_request", pushed(pull_request={"number": 7}), "which commit"),
        ("pull_request", pushed(pull_request=[7]), "no pull request"),
        ("issue_comment", pushed(action="created", issue={"number": 7}), "no pull request"),
        ("check_run", pushed(action="completed"), "re-run"),
    ],
)
def test_what_wants_nothing_is_kept_with_the_reason(event: str, payload: object, why: str) -> None:
    found = read(event, payload)
    assert isinstance(found, Delivery)
    assert found.state == "ignored"
    assert why in found.why


@pytest.mark.parametrize("event", ["ping", "push", "installation", "pull_request_review", "projects_v2_item"])
def test_other_events_are_not_even_read(event: str) -> None:
    assert isinstance(read(event, b"no JSON"), Ignored)


def test_only_repositories_on_the_list_are_served() -> None:
    rules = replace(RULES, repositories=("Ada/*", "grace/one"))
    assert isinstance(read("pull_request", pushed(), rules), Delivery)
    for name in ("grace/two", "adam/shop", "x/ada"):
        found = read("pull_request", pushed(repository={"full_name": name}), rules)
        assert isinstance(found, Refused)
        assert found.status == 403
    for nameless in ({}, None, {"full_name": "../.."}, {"full_name": ["ada/shop"]}):
        assert isinstance(read("pull_request", pushed(repository=nameless), rules), Ignored)


@pytest.mark.parametrize(
    "given", [None, {}, {"id": "99"}, {"id": True}, {"id": -1}, {"id": 2**63}, {"id": 1.5}, []]
)
def test_an_installation_is_a_number(given: object) -> None:
    found = read("pull_request", pushed(installation=given))
    assert isinstance(found, Delivery)
    assert found.installation == 0


def test_a_hook_may_send_a_form() -> None:
    body = urlencode({"payload": json.dumps(pushed())}).encode()
    found = read("pull_request", body, content_type="application/x-www-form-urlencoded")
    assert isinstance(found, Delivery)
    assert found.number == 7
    for broken in (b"payload=%ff", b"payload", b"", b"a=1&" * 100_000):
        refused = read("pull_request", broken, content_type="application/x-www-form-urlencoded")
        assert isinstance(refused, Refused)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 9000 + b"}"]
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    found = read("pull_request", body)
    assert isinstance(found, Refused)
    assert found.status == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x_github_delivery", ""),
        ("x_github_delivery", "short"),
        ("x_github_delivery", "a" * 65),
        ("x_github_delivery", "../../../etc"),
        ("x_github_event", ""),
        ("x_github_event", "Pull Request"),
        ("x_github_event", "a" * 61),
        ("content_length", "-1"),
        ("content_length", "²"),
        ("content_length", "1_0"),
    ],
)
def test_odd_headers_are_refused(name: str, value: str) -> None:
    found = read("pull_request", pushed(), **{name: value})
    assert isinstance(found, Refused)
    assert found.status == 400


def test_what_is_too_large_is_refused_before_it_is_looked_at() -> None:
    rules = replace(RULES, max_bytes=100)
    for found in (
        read("pull_request", b"x" * 101, rules, x_hub_signature_256="wrong"),
        read("pull_request", b"{}", rules, content_length="101"),
        read("pull_request", b"{}", rules, content_length="9" * 5000),
    ):
        assert isinstance(found, Refused)
        assert found.status == 413
