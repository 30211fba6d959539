"""A delivery of GitHub's: whether it is one, what it tells, and whether anything is wanted.

The signature is checked on the bytes as they came, before anything of them is read. It covers the body and
nothing else, so headers decide nothing but how the body is read. Strict models reject a third of real
payloads: nothing is required of one beyond what is used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qs

from review_bot.github.chat_commands import parse
from review_bot.github.event import NoTarget, is_repository, read_event
from review_bot.server.settings import matches

#: The events that can ask for something. An App that listens to more is answered, and nothing is kept.
LISTENED = ("pull_request", "issue_comment", "check_run", "check_suite")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,59}")
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")

#: Larger numbers fit into no column; GitHub gives none.
_LARGEST = 2**63 - 1


#: Why a delivery asks for nothing that says that its pull request was closed: what is known of that is old
#: some day.
CLOSED = "the pull request was closed"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows. Several secrets: while one replaces the other, both are good."""

    secrets: tuple[bytes, ...]
    repositories: tuple[str, ...]
    max_bytes: int = 26_000_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that is kept. `ignored`: it wants nothing, and `why` says so without a full stop."""

    id: str
    event: str
    repository: str
    number: int
    installation: int  #: 0 where it does not say
    wish: Mapping[
        str, Any
    ]  #: `Target.to_json()` and the `digest` of the body, by which repetitions are known
    state: Literal["new", "ignored"] = "new"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery of which nothing is kept, since no event of its kind asks for anything."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No delivery, or not one for us. `why` has nothing in it of what was sent."""

    status: Literal[400, 401, 403, 413]
    why: str


def verified(secrets: Sequence[bytes], body: bytes, signature: str) -> bool:
    """Whether the signature is of this body, under one of the secrets; takes as long if it is not."""
    match = _SIGNATURE.fullmatch(signature)
    given = bytes.fromhex(match[1]) if match else b""
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(hmac.digest(secret, body, "sha256"), given)
    return good


def refused_unread(headers: Mapping[str, str], rules: Rules) -> Refused | None:
    """What is wrong already by the headers (their names in lower case), before the body is read."""
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        return Refused(400, "the length of the body is no number")
    if len(length) > 18 or int(length) > rules.max_bytes:
        return too_large(rules)
    if "x-hub-signature-256" not in headers:
        return Refused(401, "the delivery is not signed (X-Hub-Signature-256)")
    if not _EVENT.fullmatch(headers.get("x-github-event", "")):
        return Refused(400, "the delivery does not say which event it is of (X-GitHub-Event)")
    if not _ID.fullmatch(headers.get("x-github-delivery", "")):
        return Refused(400, "the delivery has no usable id (X-GitHub-Delivery)")
    return None


def too_large(rules: Rules) -> Refused:
    """The answer to a body above the limit."""
    return Refused(413, f"the delivery is larger than {rules.max_bytes} bytes")


def read_delivery(headers: Mapping[str, str], body: bytes, rules: Rules) -> Delivery | Ignored | Refused:
    """What was delivered; never fails, whatever it is."""
    if refused := refused_unread(headers, rules):
        return refused
    if len(body) > rules.max_bytes:
        return too_large(rules)
    if not verified(rules.secrets, body, headers["x-hub-signature-256"]):
        return Refused(401, "the signature of the delivery is not of our secret")
    event = headers["x-github-event"]
    if event == "ping":
        return Ignored("GitHub asks whether somebody is there")
    if event not in LISTENED:
        return Ignored(f"the event {event} asks for nothing")
    payload = _payload(headers, body)
    if payload is None:
        return Refused(400, "the body is no JSON object in UTF-8")
    return _told(headers["x-github-delivery"], event, payload, hashlib.sha256(body).hexdigest(), rules)


def _told(
    id: str, event: str, payload: Mapping[str, Any], digest: str, rules: Rules
) -> Delivery | Ignored | Refused:
    repository = _of(payload, "repository", "full_name")
    if not isinstance(repository, str) or not is_repository(repository):
        return Ignored("the event is of no repository")
    if not matches(repository, rules.repositories):
        return Refused(403, "the repository is not among those of this server")
    installation = _number(_of(payload, "installation", "id"))
    target = read_event(repository, event, payload)
    if event == "pull_request" and payload.get("action") == "closed":
        number = _number(_of(payload, "pull_request", "number"))
        return Delivery(id, event, repository, number, installation, {"digest": digest}, "ignored", CLOSED)
    if isinstance(target, NoTarget):
        return Delivery(id, event, repository, 0, installation, {"digest": digest}, "ignored", target.why)
    if target.said:
        why = "" if parse(target.said.body) else "the comment is no command"
    else:
        why = "" if target.head else "the event does not say which commit it is about"
    target = replace(target, repository_id=_number(_of(payload, "repository", "id")))
    wish = {"digest": digest} if why else _sound(target.to_json() | {"digest": digest})
    state: Literal["new", "ignored"] = "ignored" if why else "new"
    return Delivery(id, event, repository, target.number, installation, wish, state, why)


def _payload(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
    """The body's object: JSON, or the form in which GitHub sends it to hooks that are set up so."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode()
        if kind == "application/x-www-form-urlencoded":
            text = parse_qs(text, max_num_fields=5, errors="strict").get("payload", [""])[0]
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _of(payload: Mapping[str, Any], table: str, key: str) -> object:
    inner = payload.get(table)
    return inner.get(key) if isinstance(inner, dict) else None


def _number(given: object) -> int:
    return given if type(given) is int and 0 < given <= _LARGEST else 0


def _sound(value: Any) -> Any:
    """Texts that every database takes: PostgreSQL's cannot have NUL, and none has half a character."""
    match value:
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode()
        case dict():
            return {key: _sound(inner) for key, inner in value.items()}
    return value
