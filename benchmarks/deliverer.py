"""Somebody who delivers like GitHub, in a process of its own: for benchmarks of the server.

    python -m benchmarks.deliverer < plan.json

The plan names the servers' ports, the secret, the repository, the pull requests and how much is delivered;
it may name another `path` than ours, and kinds that are left `out`. Deliveries are due at fixed times,
whatever became of those before, over a connection each; what is measured is the time from when one was due
until all of its answer is there, and like GitHub nobody waits longer than 10 s. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import json
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from tests.review_bot.server.webhook_examples import examples

#: What is delivered, of a hundred: most of what an App hears asks for nothing.
MIX = {
    "push": 40,  # a new commit of one of the pull requests
    "other action": 8,  # a label, a reopened or a closed one
    "comment": 15,  # people talk
    "command": 1,  # `/explain`
    "replay": 10,  # of what was delivered before
    "other event": 22,  # the runs of other checks, pushes to branches, stars
    "not ours": 2,  # a repository that is not on the list
    "forged": 2,  # signed with another secret
}

#: Seconds after which GitHub does not wait for an answer any more.
PATIENCE = 10.0


@dataclass(frozen=True)
class Request:
    kind: str
    id: str
    raw: bytes


@dataclass(frozen=True)
class Answer:
    kind: str
    id: str
    status: int  # 0: none
    state: str
    seconds: float


def requests_of(plan: dict[str, Any]) -> list[Request]:
    """All that will be delivered, made before so that making it costs nothing then."""
    chance = random.Random(plan["seed"])
    found: list[Request] = []
    samples: dict[tuple[str, str], dict[str, Any]] = {}
    for event, payload in examples():
        samples[event, payload.get("action", "")] = payload
    others = [
        (event, payload) for event, payload in examples() if event in ("push", "star", "status", "check_run")
    ]
    again: list[Request] = []
    path = plan.get("path", "/webhook")
    mix = {kind: share for kind, share in MIX.items() if kind not in plan.get("out", ())}
    for number in range(plan["rate"] * plan["seconds"]):
        kind = chance.choices([*mix], [*mix.values()])[0]
        if kind == "replay":
            if again:
                first = chance.choice(again[-500:])
                found.append(Request(kind, first.id, first.raw))
            continue
        event, payload = _payload(kind, chance, samples, others, plan)
        id = f"{chance.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
        secret = "another" if kind == "forged" else plan["secret"]
        request = Request(kind, id, _raw(path, event, id, json.dumps(payload).encode(), secret))
        found.append(request)
        if kind not in ("forged", "not ours", "other event"):
            again.append(request)
    return found


def _payload(
    kind: str,
    chance: random.Random,
    samples: dict[tuple[str, str], dict[str, Any]],
    others: list[tuple[str, dict[str, Any]]],
    plan: dict[str, Any],
) -> tuple[str, dict[str, Any]]:
    number = chance.randint(1, plan["pulls"])
    if kind == "other event":
        event, payload = chance.choice(others)
    elif kind in ("comment", "command"):
        event, payload = "issue_comment", samples["issue_comment", "created"]
        said = "/explain 0123abcd" if kind == "command" else "I would rather not do that here. " * 20
        payload = {
            **payload,
            "issue": {**payload["issue"], "number": number, "pull_request": {"url": "https://..."}},
            "comment": {**payload["comment"], "id": chance.getrandbits(40) + 1, "body": said},
        }
        payload["comment"]["user"] = {**payload["comment"]["user"], "login": "bob"}
    else:
        event = "pull_request"
        action = chance.choice(("labeled", "closed", "assigned")) if kind == "other action" else "synchronize"
        payload = samples[event, action]
        pull = payload["pull_request"]
        head = {**pull["head"], "sha": f"{chance.getrandbits(160):040x}"}
        url = f"https://api.github.com/repos/{plan['repository']}/pulls/{number}"
        payload = {**payload, "pull_request": {**pull, "number": number, "head": head, "url": url}}
    name = "somebody/else" if kind == "not ours" else plan["repository"]
    id = 2 if kind == "not ours" else 1  # 1 is the only one that the tests' GitHub knows
    repository = {**(payload.get("repository") or {}), "full_name": name, "id": id}
    return event, {**payload, "repository": repository, "installation": {"id": plan["installation"]}}


def _raw(path: str, event: str, id: str, body: bytes, secret: str) -> bytes:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    lines = (
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: GitHub-Hookshot/044aadd", "Accept: */*",
        "Connection: close", "Content-Type: application/json", f"Content-Length: {len(body)}",
        f"X-GitHub-Event: {event}", f"X-GitHub-Delivery: {id}", f"X-Hub-Signature-256: sha256={signature}",
        "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + body


async def deliver(requests: list[Request], ports: list[int], rate: int) -> list[Answer]:
    """Deliver all of them, each when it is due."""
    start = time.perf_counter() + 0.2

    async def one(request: Request, due: float, port: int) -> Answer:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        status, state = 0, ""
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(request.raw)
                    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                finally:
                    writer.close()
            status, state = int(head.split(b" ", 2)[1]), json.loads(body).get("state", "")
        except (OSError, ValueError, IndexError) as error:  # TimeoutError is an OSError
            state = repr(error)
        return Answer(request.kind, request.id, status, state, time.perf_counter() - due)

    return await asyncio.gather(
        *(one(request, start + at / rate, ports[at % len(ports)]) for at, request in enumerate(requests))
    )


def main() -> None:
    plan = json.load(sys.stdin)
    requests = requests_of(plan)
    gc.freeze()
    gc.disable()  # so that a pause of this process is not taken for one of the server
    print(json.dumps({"requests": len(requests)}), flush=True)
    began = time.perf_counter()
    answers = asyncio.run(deliver(requests, plan["ports"], plan["rate"]))
    took = time.perf_counter() - began
    rows = [(one.kind, one.id, one.status, one.state, round(one.seconds, 6)) for one in answers]
    print(json.dumps({"took_s": round(took, 2), "answers": rows}))


if __name__ == "__main__":
    main()
