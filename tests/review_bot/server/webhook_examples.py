"""What GitHub delivers, as others collected it, and a great many ways in which it may come broken.

The payloads are those of npm @octokit/webhooks-examples (MIT; see webhooks/LICENSE). All of it is the same
in every run.
"""

from __future__ import annotations

import copy
import json
import lzma
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("webhooks") / "examples.json.xz"

#: What is read of payloads: mutations are likelier to hit here.
_READ = (
    "action", "changes", "installation", "installation.id", "repository", "repository.full_name",
    "pull_request", "pull_request.number", "pull_request.head", "pull_request.head.sha", "issue",
    "issue.number", "issue.pull_request", "comment", "comment.id", "comment.body", "comment.user",
    "comment.user.login", "check_run", "check_run.head_sha", "check_run.pull_requests", "check_suite",
    "check_suite.head_sha", "check_suite.pull_requests",
)  # fmt: skip

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, 10**18, 10**400, 1.5, 1e308, float("inf"),
    float("nan"), "", "0", "7", "\0", "a\0b", "\ud800", "\udfff\ud800", "\ufeff/review", "/review",
    "/review full\0", "..", "o/..", "Codertocat/Hello-World\n", "../../etc/passwd", "x" * 70_000,
    "'; DROP TABLE deliveries; --", "%s%n{0}$1", "\u202e\u2066/review", "\U0001d52c/\U0001d52f", "a" * 40,
    "A" * 40, "opened", "rerequested", "created", [], {}, [[]], [None], [{}], {"": None}, {"number": 7},
    {"id": {}}, [{"number": "7"}], [{"number": 7}] * 1000,
)  # fmt: skip


@cache
def examples() -> list[tuple[str, dict[str, Any]]]:
    """All of them: the event, and its payload. Not to be changed."""
    return [(event, payload) for event, payload in json.loads(lzma.decompress(_FILE.read_bytes()))]


def mutations(each: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """So many broken ones of each example: an event, and a body."""
    chance = random.Random(seed)
    names = sorted({event for event, _ in examples()})
    for event, payload in examples():
        for _ in range(each):
            other = chance.random()
            if other < 0.15:
                event = chance.choice(names)
            elif other < 0.3:
                event = chance.choice(("pull_request", "issue_comment", "check_run", "check_suite"))
            broken = copy.deepcopy(payload)
            for _ in range(chance.choice((1, 1, 2, 5))):
                _mutate(broken, chance)
            body = json.dumps(broken, ensure_ascii=chance.random() < 0.9).encode("utf-8", "surrogatepass")
            yield event, _bytes(body, chance) if chance.random() < 0.25 else body


def _mutate(payload: dict[str, Any], chance: random.Random) -> None:
    """Put something odd somewhere, or take something away."""
    if chance.random() < 0.6:
        *tables, key = chance.choice(_READ).split(".")
        inner: Any = payload
        for table in tables:
            inner = inner.setdefault(table, {}) if isinstance(inner, dict) else None
    else:
        inner, key = payload, chance.choice([*payload] or ["x"])
        while isinstance(inner.get(key), dict) and inner[key] and chance.random() < 0.7:
            inner, key = inner[key], chance.choice([*inner[key]])
    if not isinstance(inner, dict):
        return
    if chance.random() < 0.2:
        inner.pop(key, None)
    else:
        inner[key] = copy.deepcopy(chance.choice(_ODD))


def _bytes(body: bytes, chance: random.Random) -> bytes:
    """The body with its bytes broken."""
    at = chance.randrange(len(body))
    match chance.randrange(8):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        case 2:
            return body[:at] + b"\xff\xfe\x00" + body[at:]
        case 3:
            return body.decode("utf-8", "replace").encode("utf-16")
        case 4:
            return b"\xef\xbb\xbf" + body
        case 5:
            return b'{"pull_request":' * 50_000
        case 6:
            return b"[" * 100_000 + b"]" * 100_000
        case _:
            return b'{"repository":{"full_name":"o/r"},"pull_request":{"number":' + b"9" * 9000 + b"}}"
