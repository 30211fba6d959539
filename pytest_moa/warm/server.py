"""The warm process: a watcher that ends everything when the client is gone, and the process that serves.

`python warm/boot.py` runs `main`. The first frame on its standard input says what to do; standard output
takes frames only, standard error whatever the preload prints.
"""

from __future__ import annotations

import gc
import io
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from pytest_moa.sandbox.confine import Confinement, Plan
from pytest_moa.sandbox.limits import Limits
from pytest_moa.warm import wire
from pytest_moa.warm.jobs import Jobs, resolve

#: This package: modules of it can be imported late, wherever it lies.
PACKAGE = Path(__file__).parents[1]

#: Seconds in which the server ends by itself when the client has gone.
FAREWELL = 0.5


def main() -> NoReturn:
    """Read what to do, and do it in a process of its own."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    frame = wire.read_frame(requests)
    if frame is None or frame[0] != wire.SETUP:
        sys.exit("the first frame has to be the setup")
    box = Path(tempfile.mkdtemp(prefix="moa-"))
    setup = json.loads(frame[1])
    plan = Plan(
        layers=frozenset(setup["layers"]),
        root=Path(setup["root"]),
        readable=[Path(path) for path in (PACKAGE, *setup["readable"], *setup["python_path"])],
        limits=Limits(**setup["limits"]),
        home=Path(setup["home"]) if setup["home"] else None,
    )
    confinement = Confinement(plan, box)
    confinement.prepare()
    server = os.fork()
    if server == 0:
        _warm(confinement, setup, requests, replies)
    os.close(replies)
    _watch(server, requests, box)


def _watch(server: int, requests: int, box: Path) -> NoReturn:
    """Wait until the server ends, or end it when the client has gone; leave nothing behind."""
    poll = select.poll()
    poll.register(requests, 0)  # only the hang-up: what is sent is for the server
    patience = 200  # ms
    if hasattr(os, "pidfd_open"):
        poll.register(os.pidfd_open(server), select.POLLIN)
        patience = -1
    status, last = None, None
    while status is None:
        gone = any(descriptor == requests for descriptor, _ in poll.poll(patience))
        if gone:  # which the server sees, too, and ends its job, unless it hangs in the preload
            poll.unregister(requests)
            patience, last = 50, time.monotonic() + FAREWELL
        if last is not None and time.monotonic() > last:
            os.kill(server, signal.SIGKILL)
        ended, waited = os.waitpid(server, os.WNOHANG)
        status = waited if ended else None
    shutil.rmtree(box, ignore_errors=True)
    os._exit(min(abs(os.waitstatus_to_exitcode(status)), 255))


def _warm(confinement: Confinement, setup: dict[str, Any], requests: int, replies: int) -> NoReturn:
    """Confine this process, run the preload, serve."""

    def serve(state: Any, report: Any = None) -> NoReturn:
        """Hand the report to the client and run its jobs until it closes; does not return."""
        payload = json.dumps(report).encode()
        _flush()  # else every child would print it again
        gc.collect()
        gc.freeze()
        wire.send(replies, wire.WARM, payload)
        Jobs(confinement, state, requests, replies).run()

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in order with what other processes print
    try:
        confinement.enter()
        sys.path[:0] = setup["python_path"]
        resolve(setup["preload"])(setup["args"], serve)
        failure = f"{setup['preload']} returned without serving"
    except BaseException as error:  # whatever the user's modules raise when they are imported
        traceback.print_exc()
        failure = "".join(traceback.format_exception_only(error)).strip()
    _flush()
    wire.send(replies, wire.FAILED, json.dumps(failure).encode())
    os._exit(1)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
