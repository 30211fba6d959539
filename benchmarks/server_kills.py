"""Kill the whole server at every point of a job, on SQLite or PostgreSQL, and start it again.

    python -m benchmarks.server_kills [--database sqlite|postgres] [--only TEXT] [--jobs N]

A first run without a kill shows what happens during a job: requests to GitHub and to models, commits to the
server's database and to the queue's, the answer to the delivery. Then the server is killed by SIGKILL at each
of these points, in a world of its own: once with all its processes, as when a machine stops, and once more
without those of its jobs, where these could go on posting. A second push is treated in the same way, for what
is written to GitHub because of it. After a restart there has to be one review and one
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

from tests.review_bot.server.kill_points import Point, points_of
from tests.review_bot.server.killing import Killed, a_world, killed_at, sqlite_in
from tests.review_bot.server.postgresql import postgresql


@contextmanager
def databases(kind: str) -> Iterator[Callable[[Path], str]]:
    """What makes a new database for a world in a folder."""
    if kind == "sqlite":
        yield sqlite_in
        return
    with postgresql("fsync=off") as new:  # a killed process loses nothing that was written
        yield lambda _: new()


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

        def one(point: Point | None, *, later: bool = False) -> Killed:
            with a_world(database) as world:
                return killed_at(world, point, later=later if point is None else point.later)

        whole = one(None), one(None, later=True)
        if why := " and ".join(filter(None, (killed.why for killed in whole))):
            print(f"without a kill: {why}")
            return 1
        known = points_of(whole[0].order) + points_of(whole[1].order, later=True)
        points = [point for point in known if args.only in str(point)]
        with ThreadPoolExecutor(args.jobs) as pool:
            for killed in pool.map(one, points):
                outcome = killed.why or ("good" if killed.reached else "not reached")
                outcomes[outcome if outcome in ("good", "not reached") else "WRONG"] += 1
                print(f"{args.database:8}  {killed.point}: {outcome}", flush=True)
                if killed.why:
                    print(killed.log[-4000:], file=sys.stderr, flush=True)
    names = len({point.what for point in points})
    print(
        f"{args.database}: killed at {len(points) - outcomes['not reached']} points ({names} names): "
        f"{outcomes['good']} good, {outcomes['WRONG']} wrong, {outcomes['not reached']} not reached; "
        f"{time.monotonic() - start:.0f} s"
    )
    return 1 if outcomes["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
