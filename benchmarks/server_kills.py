"""Kill the whole server at every point of a job, on SQLite or PostgreSQL, and start it again.

    python -m benchmarks.server_kills [--database sqlite|postgres] [--only TEXT] [--jobs N]

A first run without a kill shows what happens during a job: requests to GitHub and to models, commits to the
server's database and to the queue's, the answer to the delivery. Then the server is killed by SIGKILL at each
of these points, in a world of its own: once with all its processes, as when a machine stops, and once more
without those of its jobs, where these could go on posting. After a restart there has to be one review and one
summary, and no answer that was kept may be paid for again. The exit code is 1 if anything is otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.review_bot.server.conftest import postgres as postgres_fixture
from tests.review_bot.server.killing import Killed, Point, a_world, killed_at, points_of, sqlite_in


@contextmanager
def databases(kind: str) -> Iterator[Callable[[Path], str]]:
    """What makes a new database for a world in a folder."""
    if kind == "sqlite":
        yield sqlite_in
        return
    running = postgres_fixture.__wrapped__()  # type: ignore[attr-defined]
    new = next(running)
    try:
        yield lambda _: new()
    finally:
        next(running, None)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--only", default="", metavar="TEXT", help="only points with this in their name")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="worlds at a time")
    args = parser.parse_args()
    outcomes: Counter[str] = Counter()
    start = time.monotonic()
    with databases(args.database) as database:

        def one(point: Point | None) -> Killed:
            with a_world(database) as world:
                return killed_at(world, point)

        whole = one(None)
        if whole.why:
            print(f"without a kill: {whole.why}")
            return 1
        points = [point for point in points_of(whole.order) if args.only in str(point)]
        with ThreadPoolExecutor(args.jobs) as pool:
            for killed in pool.map(one, points):
                outcome = killed.why or ("good" if killed.reached else "not reached")
                outcomes[outcome if outcome in ("good", "not reached") else "WRONG"] += 1
                print(f"{args.database:8}  {killed.point}: {outcome}", flush=True)
    names = len({point.what for point in points})
    print(
        f"{args.database}: killed at {len(points) - outcomes['not reached']} points ({names} names): "
        f"{outcomes['good']} good, {outcomes['WRONG']} wrong, {outcomes['not reached']} not reached; "
        f"{time.monotonic() - start:.0f} s"
    )
    return 1 if outcomes["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
