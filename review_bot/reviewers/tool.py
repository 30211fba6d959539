"""Running a reviewer's tool: a process of its own that inherits no secret and that is really killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moa_engine.errors import BrokenAnswer, TimedOut

#: All that a tool sees of our environment. It has no home, so that nobody's own settings apply.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT")
_NO_HOME = "/nonexistent"

_STDERR_SHOWN = 600  #: characters


class ToolFailed(BrokenAnswer):
    """A tool crashed or answered with something unreadable. It would do so again."""

    retryable = False


class ToolTimedOut(TimedOut):
    """A tool took too long. It would do so again."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished process."""

    code: int
    stdout: bytes
    stderr: str  #: its end, at most 600 characters


async def run_tool(
    command: Sequence[str], *, folder: Path, expected: Sequence[int] = (0,), stdin: bytes | None = None
) -> Ran:
    """Run a command in a folder until it ends; cancelling kills it with all its children.

    Raises:
        ToolFailed: it could not be started, or its exit code is not one of `expected`.
    """
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {"HOME": _NO_HOME, "NO_COLOR": "1"}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(f"{command[0]} cannot be started: {error.strerror or error}") from error
    try:
        stdout, stderr = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            await _kill(process)
    complaint = stderr.decode(errors="replace").strip()[-_STDERR_SHOWN:]
    code = process.returncode if process.returncode is not None else -1
    if code not in expected:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise ToolFailed(f"{Path(command[0]).name} {how}", hint=complaint, raw=complaint)
    return Ran(code, stdout, complaint)


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.communicate()  # reads to the end, so that no pipe stays open
