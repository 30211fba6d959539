"""What a server makes of what it had accepted when it was killed by SIGKILL, and how soon.

Pull requests are opened, and each delivery is answered. One second after a model is asked for the first time
a process is killed with all that it started, and started again. Models answer after two seconds, before and
after; the calls that were cut off tell which reviews were interrupted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from benchmarks.server import SECRET
from benchmarks.side_by_side.server_systems import Serving
from review_bot.server.database import Database, jobs
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

#: Pull requests that are opened.
OPENED = 3

#: Seconds that a model takes.
LATENCY = 2.0

#: Seconds after a restart in which all has to be reviewed; a system that keeps nothing is given fewer.
LONGEST, SHORT = 60.0, 10.0

#: The operator's settings of the product: two models and a tool review, a third model aggregates.
CONFIG = """
layers = [["one", "two"]]
attempts = 1
aggregator = "three"
[review]
reviewers = ["ruff"]
[stragglers]
hedge = false
[server]
repositories = ["ada/*"]
"""

#: What pr-agent's prompt asks for.
_REVIEW = """```yaml
review:
  estimated_effort_to_review_[1-5]: 1
  score: 90
  relevant_tests: "No"
  key_issues_to_review: []
  security_concerns: "No"
```"""


def operators_settings(model: str) -> str:
    """CONFIG with its models at that endpoint."""
    members = (
        f'[members.{name}]\nmodel = "{name}"\nbase_url = "{model}"\n' for name in ("one", "two", "three")
    )
    return CONFIG + "".join(members)


def answer(request: Any) -> Scripted:
    """What every model says: nothing, in the words of who asks."""
    text = _REVIEW if request["model"] == "pr-agent" else json.dumps({"findings": [], "decisions": []})
    return Scripted(text, latency=LATENCY)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from the kill; None: it did not come to that."""

    healthy: float  #: until a process said that it is well
    continued: float | None  #: until a model was asked again
    interrupted: float | None  #: until all reviews that were interrupted are on GitHub
    all_done: float | None
    accepted: int
    reviewed: int
    doubled: int


def recovery(serving: Serving, models: ScriptedEndpoint) -> Recovery:
    """Kill it at its work, and see."""
    accepted = sum(_opened(serving, number) for number in range(1, OPENED + 1))
    _until(lambda: bool(models.requests), LONGEST)
    time.sleep(LATENCY / 2)
    nth = _at_work(serving, _number(models.requests[0].body))
    asked = len(models.requests)
    killed = time.monotonic()
    serving.kill(nth)
    serving.start_again(nth)
    serving.wait_until_well(all_of_them=False)
    healthy = time.monotonic() - killed
    done: dict[int, float] = {}

    def all_done() -> bool:
        for number in _reviews(serving):
            done.setdefault(number, time.monotonic() - killed)
        return len(done) == accepted

    _until(all_done, LONGEST if serving.system.ours else SHORT)
    interrupted = {_number(one.body) for one in models.requests[:asked] if one.gone}
    again = [one.at - killed for one in models.requests[asked:] if one.at > killed]
    return Recovery(
        healthy=healthy,
        continued=min(again, default=None),
        interrupted=max((done[number] for number in interrupted), default=None)
        if interrupted <= done.keys()
        else None,
        all_done=max(done.values()) if len(done) == accepted else None,
        accepted=accepted,
        reviewed=len(done),
        doubled=sum(count > 1 for count in _reviews(serving).values()),
    )


def _opened(serving: Serving, number: int) -> bool:
    """Deliver that a pull request was opened; whether it was accepted."""
    state = serving.place.hub.fake.state
    pull = state.show_pull(state.pulls[number])
    pull |= {"url": f"https://api.github.com/repos/ada/shop/pulls/{number}"}
    payload = {
        "action": "opened",
        "number": number,
        "pull_request": pull,
        "repository": {"full_name": "ada/shop", "name": "shop", "owner": {"login": "ada"}},
        "sender": {"login": "bob", "type": "User", "id": 5},
        "installation": {"id": 1},
    }
    body = json.dumps(payload).encode()
    port = serving.ports[number % len(serving.ports)]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{serving.system.webhook}",
        body,
        {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answered:
        return bool(answered.status in (200, 202))


def _at_work(serving: Serving, number: int) -> int:
    """Which process reviews that pull request."""
    if serving.system.processes == 1:
        return 0
    database = Database.open(serving.place.database)
    with database.reading() as connection:
        executors = connection.scalars(select(jobs.c.executor).where(jobs.c.number == number)).all()
    database.close()
    pids = {int(name.rsplit("-", 2)[1]) for name in executors}
    return next(nth for nth, process in enumerate(serving.processes) if process.pid in pids)


def _number(body: Any) -> int:
    """The pull request that a model is asked about."""
    found = re.search(r"part_(\d+)\.py", json.dumps(body["messages"]))
    assert found
    return int(found[1])


def _reviews(serving: Serving) -> Counter[int]:
    """How many reviews each pull request has. pr-agent writes its review as a comment."""
    state = serving.place.hub.fake.state
    if serving.system.ours:
        return Counter(one.number for one in list(state.reviews.values()))
    return Counter(one.number for one in list(state.notes.values()))


def _until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
