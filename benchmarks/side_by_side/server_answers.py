"""How fast deliveries are answered at rising rates, each system in turn, and what became of them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from benchmarks.engine import percentiles
from benchmarks.server import SECRET
from benchmarks.side_by_side.server_systems import Serving
from review_bot.server.database import Database, deliveries, jobs

#: Deliveries a second, and seconds of each step.
RATES = (10, 50, 100, 200, 400)
SECONDS = 5

#: The rate that the goal is about: it is delivered twice.
ASKED = 200

#: Seconds that 99 of 100 answers may take.
GOAL = 0.25

#: Pull requests that are pushed to. Fewer than GitHub would have: what is left to review after a step is
#: waited for.
PULLS = 4

#: Seconds after a step in which its reviews may be made, and in which all must be in the end.
REST, LONGEST_REST = 20.0, 40.0

#: In these a delivery ends; "failed" is none of them.
FINAL = ("done", "superseded", "ignored")

Answer = tuple[str, str, int, str, float]


@dataclass(slots=True)
class Answers:
    """What one system answered. A rate is missed when the 99th percentile is, or an answer is an error."""

    serving: Serving
    steps: dict[int, list[dict[str, float]]] = field(default_factory=dict)
    unanswered: dict[int, int] = field(default_factory=dict)
    all: list[Answer] = field(default_factory=list)
    rest: float = 0.0
    left_out: list[int] = field(default_factory=list)  #: rates for which there was no time
    lost: int | None = None  #: accepted deliveries that are in no final state in the end
    doubled: int | None = None  #: commits with more than one review

    def missed(self, rate: int) -> bool:
        return any(step["p99"] >= GOAL for step in self.steps[rate]) or bool(self.unanswered[rate])

    @property
    def greatest(self) -> int:
        """The greatest rate before the first that was missed; 0 if none."""
        held = itertools.takewhile(lambda rate: not self.missed(rate), sorted(self.steps))
        return max(held, default=0)

    def step(self, rate: int, seed: int) -> None:
        """Deliver for some seconds, then wait until all that it led to is done."""
        plan = {
            "ports": self.serving.ports, "secret": SECRET, "repository": "ada/shop", "installation": 1,
            "pulls": PULLS, "rate": rate, "seconds": SECONDS, "seed": seed,
            "path": self.serving.system.webhook, "out": ["command"],
        }  # fmt: skip
        answers = _delivered(plan)
        self.steps.setdefault(rate, []).append(percentiles([seconds for *_, seconds in answers]))
        bad = sum(status == 0 or status >= 500 for _, _, status, _, _ in answers)
        self.unanswered[rate] = self.unanswered.get(rate, 0) + bad
        self.all += answers
        self.work_on_the_rest(REST)

    def work_on_the_rest(self, seconds: float) -> None:
        """Wait until nothing is to be done any more, or so long."""
        if not self.serving.system.ours:
            return
        database, start = Database.open(self.serving.place.database), time.monotonic()
        while _left(database) and time.monotonic() < start + seconds:
            time.sleep(0.2)
        database.close()
        self.rest += time.monotonic() - start

    def settle(self) -> None:
        """See what became of all that was accepted, when it had its time."""
        if not self.serving.system.ours:
            return
        self.work_on_the_rest(LONGEST_REST)
        accepted = {id for _, id, status, _, _ in self.all if status == 202}
        database = Database.open(self.serving.place.database)
        with database.reading() as connection:
            rows = connection.execute(select(deliveries.c.id, deliveries.c.state, deliveries.c.job)).all()
            ended = {row.id: row.state for row in connection.execute(select(jobs.c.id, jobs.c.state))}
        database.close()
        finals = {row.id: ended[row.job] if row.state == "queued" else row.state for row in rows}
        self.lost = sum(finals.get(id) not in FINAL for id in accepted)
        reviews = self.serving.place.hub.fake.state.reviews.values()
        counts = Counter((one.number, one.commit_id) for one in reviews)
        self.doubled = sum(count > 1 for count in counts.values())


def climb(servings: Sequence[Serving], until: float) -> list[Answers]:
    """All of them at each rate in turn, until each missed one; ours at the goal's rate in any case, twice.

    What would begin after `until` (of `time.monotonic`) is left out.
    """
    found = [Answers(serving) for serving in servings]
    out: set[int] = set()
    for seed, rate in enumerate(sorted((*RATES, ASKED))):
        for at, answers in enumerate(found):
            ended = at in out and not (rate == ASKED and answers.serving.system.ours)
            if ended:
                continue
            if time.monotonic() > until:
                answers.left_out.append(rate)
                continue
            answers.step(rate, seed)
            if answers.missed(rate):
                out.add(at)
    for answers in found:
        answers.settle()
    return found


def _delivered(plan: dict[str, Any]) -> list[Answer]:
    """The answers to what is delivered by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.deliverer"],
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[Answer] = json.loads(done.stdout.splitlines()[-1])["answers"]
    return found


def _left(database: Database) -> bool:
    """Whether a delivery or a job is not dealt with."""
    with database.reading() as connection:
        return bool(
            connection.scalar(select(func.count()).where(deliveries.c.state.in_(("new", "waiting"))))
            or connection.scalar(select(func.count()).where(jobs.c.state.in_(("queued", "running"))))
        )
