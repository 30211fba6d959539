"""Try the layers here: `python warm/boot.py pytest_moa.sandbox.trial` prints a line of JSON for each choice.

It runs in a process of its own, because a process that has been confined stays so.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pytest_moa.sandbox import kernel, landlock, privileges
from pytest_moa.sandbox.confine import Confinement, Plan
from pytest_moa.sandbox.limits import Limits

#: From the strongest to the weakest.
CHOICES = (("landlock", "namespaces", "seccomp"), ("landlock", "seccomp"), ("namespaces", "seccomp"))


def main() -> None:
    """Try the choices until one holds in every way."""
    for layers in CHOICES if kernel.SUPPORTED else ():
        still_open = tried(layers)
        if still_open is not None:
            print(json.dumps({"layers": layers, "open": still_open}), flush=True)
        if still_open == []:
            return


def tried(layers: tuple[str, ...]) -> list[str] | None:
    """What these layers leave open; None if they do not work here."""
    folder = Path(tempfile.mkdtemp(prefix="moa-trial-"))
    for name in ("root", "box"):
        (folder / name).mkdir()
    secret = folder / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    reader, writer = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = os.fork()
        if child == 0:
            _confined(layers, folder, secret, server.getsockname()[1], writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            answer = told.read()
        os.waitpid(child, 0)
    shutil.rmtree(folder)
    return json.loads(answer) if answer else None


def _confined(layers: tuple[str, ...], folder: Path, secret: Path, port: int, writer: int) -> NoReturn:
    """Confine a process as a job is, and write what it can still do; nothing if that fails."""
    outside = os.getpid()
    try:
        plan = Plan(frozenset(layers), folder / "root", (), Limits(), None)
        confinement = Confinement(plan, folder / "box")
        confinement.prepare()
        inner = os.fork()
        if inner:
            os.waitpid(inner, 0)
            os._exit(0)
        confinement.enter()
        confinement.enter_job(Limits())
        still_open = [name for name, attempt in _attempts(secret, port, outside) if _succeeds(attempt)]
        if not _limited(layers):
            still_open.append("processes")
        os.write(writer, json.dumps(still_open).encode())
    except BaseException:  # whatever it is, these layers do not work here
        traceback.print_exc()
    finally:
        os._exit(0)


def _attempts(secret: Path, port: int, outside: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """One attempt at each of the promises; it counts as a success when it raises nothing."""
    yield "write", lambda: secret.with_name("written").write_text("x")
    yield "read", secret.read_text
    yield "metadata", lambda: _changed_mode(secret)
    yield "network", lambda: socket.create_connection(("127.0.0.1", port), timeout=1)
    yield "unix sockets", lambda: socket.socket(socket.AF_UNIX)
    yield "signals", lambda: os.kill(outside, 0)


def _succeeds(attempt: Callable[[], object]) -> bool:
    with suppress(OSError):
        attempt()
        return True
    return False


def _changed_mode(path: Path) -> None:
    path.chmod(0o600)
    if stat.S_IMODE(path.stat().st_mode) != 0o600:
        raise PermissionError("nothing was changed")


def _limited(layers: tuple[str, ...]) -> bool:
    """Whether a job's processes can be counted, and ended for certain."""
    counted = privileges.user_and_group()[0] != 0 or os.geteuid() != 0
    return counted and ("namespaces" in layers or landlock.version() >= landlock.SCOPES)
