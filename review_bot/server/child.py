"""The process of one job: started, heard, given tokens over a socket, and stopped.

The socket is the child's life line, too: when this end is closed, by us or by our death, the child ends at
once. So no orphan goes on reviewing, or posts what another process posts as well.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from moa_engine.errors import MoaError
from moa_engine.printable import one_line
from review_bot.github.tokens import Token

#: Variables that the child must not have: it gets a token for one repository, and nothing else.
_SECRETS = (
    "GITHUB_APP_ID",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_APP_PRIVATE_KEY_FILE",
    "GITHUB_WEBHOOK_SECRET",
    "GITHUB_WEBHOOK_SECRET_PREVIOUS",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "MOA_PAGE_PASSWORD",
    "DATABASE_URL",
)

#: Lines of its standard error that are kept, and how much of each.
_LINES, _WIDTH = 8, 500

#: Seconds that a child has for ending by itself, and then for ending when it is asked to.
_BY_ITSELF, _ASKED = 5.0, 5.0


class Work(Protocol):
    """A job: what the process is given, and what tokens it may have."""

    @property
    def id(self) -> str: ...

    @property
    def installation(self) -> int: ...

    @property
    def repository(self) -> str: ...

    @property
    def repository_id(self) -> int: ...

    def to_json(self) -> Mapping[str, Any]: ...


class Tokens(Protocol):
    """Where tokens come from."""

    def token_for(self, job: Work, refused: str) -> Token:
        """A token for the job's repository; another one than that whose SHA-256 is `refused`."""


@dataclass(frozen=True, slots=True)
class Start:
    """How the process of a job is started."""

    command: Sequence[str]
    given: Callable[
        [Any], Mapping[str, Any]
    ]  #: what it reads on standard input, besides the job and its socket
    scratch: Path  #: where it may have temporary files
    niceness: int


class Child:
    """The running process. `heard` gets the objects that it writes to standard output, in order."""

    def __init__(
        self, start: Start, job: Work, tokens: Tokens, heard: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._job = job
        self._tokens = tokens
        self._heard = heard
        self._said: deque[str] = deque(maxlen=_LINES)
        self.result: Mapping[str, Any] | None = None
        start.scratch.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(dir=start.scratch))
        self._socket, theirs = socket.socketpair()
        message = {**start.given(job), "job": job.to_json(), "channel": theirs.fileno()}
        try:
            self._process = self._started(start, theirs)
        except OSError:
            self._socket.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        finally:
            theirs.close()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, start.niceness)
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self._threads = [
            threading.Thread(target=_feed, args=(stdin, json.dumps(message).encode()), daemon=True),
            threading.Thread(target=self._hear, args=(stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(stderr,), daemon=True),
            threading.Thread(target=self._serve, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _started(self, start: Start, theirs: socket.socket) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        return subprocess.Popen(  # noqa: S603 - the command is ours
            [*start.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            env=environ | {"TMPDIR": str(self._folder)},
            start_new_session=True,  # Ctrl-C in a terminal is the server's to deal with
        )

    def ended(self, seconds: float) -> int | None:
        """Its exit code, once it has ended; waits for that at most so long."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """End it: it is told so, asked to, and then made to."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self.ended(_BY_ITSELF) is None:
            self._signal(signal.SIGTERM)
            if self.ended(_ASKED) is None:
                self._signal(signal.SIGKILL)
                self._process.wait()

    def close(self) -> str:
        """Clean up after its end; the last that it said on standard error."""
        self._signal(signal.SIGKILL)  # what it started and left behind
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return "\n".join(self._said)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _hear(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                try:
                    data = json.loads(line)
                except ValueError:
                    continue
                if isinstance(data, dict) and isinstance(data.get("result"), dict):
                    self.result = data["result"]
                elif isinstance(data, dict):
                    self._heard(data)

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(64 * 1024):
                if text := one_line(line.decode("utf-8", "replace"))[:_WIDTH]:
                    self._said.append(text.removeprefix("review-bot: "))

    def _serve(self) -> None:
        """Answer what is asked on the socket, until it is closed on either side."""
        with suppress(OSError), self._socket.makefile("rwb") as channel:
            while line := channel.readline(4096):
                channel.write(json.dumps(self._answer(line)).encode() + b"\n")
                channel.flush()

    def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            token = self._tokens.token_for(self._job, json.loads(line)["token"])
        except MoaError as error:
            return {"error": error.message, "hint": error.hint}
        except (ValueError, KeyError, TypeError):
            return {"error": "the question cannot be read", "hint": ""}
        return {"token": token.text, "expires": token.expires}


def _feed(stream: IO[bytes], data: bytes) -> None:
    with suppress(BrokenPipeError), stream:  # who ends without reading says why elsewhere
        stream.write(data)
