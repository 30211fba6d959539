"""The user's side of a warm process."""

from __future__ import annotations

import json
import os
import select
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Self

from moa_engine.errors import MoaError
from pytest_moa.sandbox import Limits, Mechanism, probe
from pytest_moa.sandbox.mechanism import NONE
from pytest_moa.warm import wire
from pytest_moa.warm.ended import Ended

#: Variables of the user's that a warm process sees: where programs and modules are, language and time.
KEPT = frozenset(
    {"PATH", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"}
    | {"LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "PYTHONUTF8"}
)

#: Numeric libraries start threads when they are imported, which a fork does not survive.
SINGLE_THREADED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)

#: Seconds that a preload may take.
PRELOAD_SECONDS = 120.0

#: Seconds after a job's wall limit by which the warm process must have answered.
GRACE = 30.0

#: Characters at the end of what a failed preload printed.
TAIL = 4000


class WarmFailed(MoaError):
    """A warm process could not be started, or has gone. `output` is the end of what it printed."""

    def __init__(self, message: str, output: str = "", *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.output = output


class WarmProcess:
    """A process that imports once and then runs every job in a fork of its own; a context manager.

    `preload` names a function as "module:function". It is called once as `preload(args, serve)`, imports
    what is needed, and calls `serve(state, report)`, which does not return. Jobs are functions
    `job(state, args)`, see `call`. Both must be importable where the process runs: with `python_path` in
    front, in the folder `root`, which may be read, but not its credentials; `readable` names more that
    may be read. `environ` is added to the few variables of the user's that are kept.

    May be used from any thread; calls wait for one another.
    """

    def __init__(
        self,
        *,
        root: Path,
        preload: str,
        preload_args: Any = None,
        python_path: Sequence[str] = (),
        readable: Sequence[Path] = (),
        limits: Limits | None = None,
        confined: bool = True,
        environ: Mapping[str, str] | None = None,
        hash_seed: int = 0,
    ) -> None:
        self.root = root.resolve()
        self.preload = preload
        self.preload_args = preload_args
        self.python_path = [str(path) for path in python_path]
        self.readable = list(readable)
        self.limits = limits or Limits()
        self.mechanism: Mechanism = probe() if confined else NONE
        self.environ = dict(environ or {})
        self.hash_seed = hash_seed
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._frames = wire.Frames()
        self._waiting: list[tuple[int, bytes]] = []
        self._printed: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Any:
        """Start the process and run the preload; gives the report that it handed to `serve`.

        May be called again when the process has been closed, by `close` or by an error.

        Raises:
            WarmFailed: the preload raised, ended or took too long.
        """
        if not hasattr(os, "fork"):
            raise WarmFailed("tests cannot be executed here: this system has no fork")
        with self._lock:
            setup = {
                "preload": self.preload,
                "args": self.preload_args,
                "root": str(self.root),
                "python_path": self.python_path,
                "readable": [str(path) for path in self.readable],
                "limits": asdict(self.limits),
                "layers": list(self.mechanism.layers),
                "home": os.path.expanduser("~"),  # noqa: PTH111 - a Path could not say that there is none
            }
            self._frames, self._waiting = wire.Frames(), []
            with _Broken(self):
                self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
                self._process = subprocess.Popen(  # noqa: S603 - our own script
                    [
                        sys.executable,
                        "-P",
                        str(Path(__file__).with_name("boot.py")),
                        "pytest_moa.warm.server",
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._printed,
                    cwd=self.root,
                    env=self._environment(),
                    start_new_session=True,  # Ctrl-C is for the user's session; what it means is up to that
                )
                self._send(wire.SETUP, setup)
                kind, payload = self._receive(
                    time.monotonic() + PRELOAD_SECONDS, f"the preload took more than {PRELOAD_SECONDS:g} s"
                )
                if kind != wire.WARM:
                    raise self._failed(str(json.loads(payload)))
                return json.loads(payload)

    def call(
        self,
        job: str,
        args: Any = None,
        *,
        limits: Limits | None = None,
        each: Callable[[Any], None] | None = None,
    ) -> Ended:
        """Run a job, "module:function", as `function(state, args)` in a fork; wait for its end.

        What it returns must be JSON data. If it is a generator, `each` gets every value as it comes, and
        the list of all is the result's value, also when the job is ended early.

        Raises:
            WarmFailed: the warm process itself is gone. Nothing that a job does should bring that about.
        """
        limits = limits or self.limits
        with self._lock, _Broken(self):
            self._send(wire.CALL, {"job": job, "args": args, "limits": asdict(limits)})
            values: list[Any] | None = None
            returned: Any = None
            broken = ""
            while True:
                kind, payload = self._receive(
                    time.monotonic() + limits.wall + GRACE, f"no answer {GRACE:g} s after the limit of {job}"
                )
                if kind == wire.ENDED:
                    break
                if kind == wire.YIELDS:
                    values = []
                    continue
                try:
                    value = json.loads(payload) if payload else None
                except (ValueError, RecursionError) as error:  # the job has written there itself
                    broken = f"sent no JSON: {error}"
                    continue
                if kind == wire.RETURNED:
                    returned = value
                    continue
                values = values if values is not None else []
                values.append(value)
                if each is not None:
                    each(value)
            ended = json.loads(payload)
            if broken:
                ended.update(status="crashed", error=broken)
            return Ended(**{"value": returned if values is None else values, **ended})

    def close(self) -> None:
        """End the process with all that it has started. Without effect when that is done already."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._printed is not None:
            self._printed.close()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}
        if site.ENABLE_USER_SITE:  # the home is another one, but what is installed there stays
            kept["PYTHONUSERBASE"] = site.getuserbase()
        own = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": str(self.hash_seed)}
        return {**kept, **SINGLE_THREADED, **own, **self.environ}

    def _send(self, kind: int, message: Any) -> None:
        if self._process is None:
            raise WarmFailed("the warm process is not running")
        assert self._process.stdin is not None
        try:
            wire.send(self._process.stdin.fileno(), kind, json.dumps(message).encode())
        except BrokenPipeError:
            raise self._failed("the warm process has ended") from None
        except wire.Malformed as error:
            raise self._failed(f"nothing was asked: {error}") from None

    def _receive(self, deadline: float, late: str) -> tuple[int, bytes]:
        """The next frame."""
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while not self._waiting:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise self._failed(late)
            data = os.read(descriptor, 1 << 16)
            if not data:
                raise self._failed(f"the warm process has ended ({self._process.wait()})")
            try:
                self._waiting.extend(self._frames.feed(data))
            except wire.Malformed as error:
                raise self._failed(f"the warm process spoke out of turn: {error}") from None
        return self._waiting.pop(0)

    def _failed(self, message: str) -> WarmFailed:
        assert self._printed is not None
        self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, self._printed.tell() - TAIL))
        return WarmFailed(message, self._printed.read().decode(errors="replace"))


class _Broken:
    """Closes a warm process when anything is raised: nobody knows then what it will send next."""

    def __init__(self, warm: WarmProcess) -> None:
        self._warm = warm

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._warm.close()
