"""The child: one job in a process that is gone afterwards."""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from pytest_moa.warm import wire

#: Characters of a traceback that are kept: its end says what happened.
LONGEST_ERROR = 8000


def run(function: Callable[[Any, Any], Any], state: Any, args: Any, results: int) -> NoReturn:
    """Run the job, send what it gives, and end this process without any of its exit handlers."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        try:
            value = function(state, args)
            if inspect.isgenerator(value):
                wire.send(results, wire.YIELDS)
                for one in value:
                    wire.send(results, wire.VALUE, json.dumps(one).encode())
                last = (wire.RETURNED, b"")
            else:
                last = (wire.RETURNED, json.dumps(value).encode())
        except BaseException as error:  # a job's SystemExit ends the job, and nothing else
            last = (wire.RAISED, json.dumps(_told(error)).encode())
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        wire.send(results, *last)
    finally:
        os._exit(1)  # after the last frame nobody looks at it


def _told(error: BaseException) -> dict[str, str]:
    """How the job failed: a status, and words."""
    if isinstance(error, SystemExit):
        return {"status": "exited", "error": f"SystemExit: {error.code!r}"[:LONGEST_ERROR]}
    status = "out_of_memory" if isinstance(error, MemoryError) else "raised"
    text = "".join(traceback.format_exception(error)).strip()
    return {"status": status, "error": text[-LONGEST_ERROR:]}
