"""The memory of the server's process under rounds of load: `python -m benchmarks.server memory`."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks import server as load
from review_bot.server.database import Database, deliveries, jobs
from tests.review_bot.server.postgresql import postgresql

#: Seconds after a round in which what was in use is given back.
PAUSE = 5

#: Growth of a round, in MB, that is none: the noise of an allocator.
LEVEL = 1.0


def memory(kind: str, rate: int, seconds: int, rounds: int) -> dict[str, Any]:
    """The same load several times, with the server at rest in between; its memory then and at most."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moa-memory-")))
        hub = stack.enter_context(load.github(folder, 1))
        url = f"sqlite:///{folder}/server.sqlite"
        if kind == "postgresql":
            url = stack.enter_context(postgresql())()
        server = stack.enter_context(load.serving(folder, "server", url, hub.environ))
        database = Database.open(url)
        stack.callback(database.close)
        server.look()
        curve = [{"round": 0, "at rest": server.memory_mb[-1]}]
        for number in range(1, rounds + 1):
            plan = {
                "ports": [server.port], "secret": load.SECRET, "repository": "ada/shop", "installation": 1,
                "pulls": load.PULLS, "rate": rate, "seconds": seconds, "seed": number,
            }  # fmt: skip
            at = len(server.memory_mb)
            answers = load.delivered(plan, hub, [server], 1)
            worked = load.wait_for_the_end(database, [server])
            time.sleep(PAUSE)
            server.look()
            curve.append(
                {
                    "round": number,
                    "at rest": server.memory_mb[-1],
                    "most": max(server.memory_mb[at:]),
                    "deliveries": len(answers),
                    "accepted": sum(status == 202 for _, _, status, _, _ in answers),
                    "worked on the rest for s": worked,
                }
            )
        with database.reading() as connection:
            rows = {
                table.name: connection.scalar(select(func.count()).select_from(table))
                for table in (deliveries, jobs)
            }
        rest = [point["at rest"] for point in curve]
        growth = [round(later - before, 1) for before, later in itertools.pairwise(rest)]
        return {
            "what": f"{rounds} rounds of {rate} deliveries a second for {seconds} s",
            "database": kind,
            "memory in MB": curve,
            "growth by round": growth,
            "rows": rows,
            "level": statistics.mean(growth[-2:]) <= LEVEL,
        }
