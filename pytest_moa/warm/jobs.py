"""The warm process's loop: a request, a fork, and what the child sends until it ends or is ended."""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from pytest_moa.sandbox.confine import Confinement
from pytest_moa.sandbox.limits import Limits
from pytest_moa.warm import child, wire

#: Bytes that all values of one job may have together.
MOST_RESULTS = 64 << 20

#: Seconds between two looks at what a job uses.
LOOK_EVERY = 0.1


def resolve(name: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


class Jobs:
    """Runs the client's jobs, one at a time. This process itself never runs any of their code."""

    def __init__(self, confinement: Confinement, state: Any, requests: int, replies: int) -> None:
        self.confinement = confinement
        self.state = state
        self.requests = requests
        self.replies = replies

    def run(self) -> NoReturn:
        """Serve until the client closes; ends this process."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # jobs are waited for, whatever the preload set
        while (frame := wire.read_frame(self.requests)) is not None:
            request = json.loads(frame[1])
            try:
                function = resolve(request["job"])
            except Exception:  # told to whoever asked for it
                ended = {"status": "raised", "error": traceback.format_exc()}
            else:
                ended = self._one(function, request["args"], Limits(**request["limits"]))
            wire.send(self.replies, wire.ENDED, json.dumps(ended).encode())
        os._exit(0)

    def _one(self, function: Any, args: Any, limits: Limits) -> dict[str, Any]:
        """Run one job in a fork; gives how it ended."""
        results, results_of_child = os.pipe()
        output, output_of_child = os.pipe()
        start = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of threads; the preload's are its own affair
            leader = os.fork()
        if leader == 0:
            try:
                for descriptor in (self.requests, self.replies, results, output):
                    os.close(descriptor)
                os.dup2(output_of_child, 1)
                os.dup2(output_of_child, 2)
                os.close(output_of_child)
                self.confinement.enter_job(limits)
            except BaseException:  # a job that is not confined must not run
                os._exit(125)
            child.run(function, self.state, args, results_of_child)
        os.close(results_of_child)
        os.close(output_of_child)
        job = _Job(self, results, output, leader, limits, start)
        try:
            job.follow()
        finally:
            status = self.confinement.end_job(leader)
            job.drain()
            os.close(results)
            os.close(output)
        return job.ended(status)


class _Job:
    """What is known of a job while it runs."""

    def __init__(
        self, jobs: Jobs, results: int, output: int, leader: int, limits: Limits, start: float
    ) -> None:
        self.jobs = jobs
        self.results = results
        self.descriptors = {results: self._result, output: self._output}
        self.leader = leader
        self.limits = limits
        self.start = start
        self.frames = wire.Frames()
        self.received = 0
        self.printed = bytearray()
        self.told: dict[str, Any] | None = None

    def follow(self) -> None:
        """Pass on what the job sends until it is done, dead, or has used up a limit."""
        poll = select.poll()
        for descriptor in self.descriptors:
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        poll.register(self.jobs.requests, 0)
        look = self.start + LOOK_EVERY
        while self.told is None:
            now = time.monotonic()
            left = self.start + self.limits.wall - now
            if left <= 0:
                self.told = {"status": "timed_out", "error": f"not done within {self.limits.wall:g} s"}
                return
            if now >= look:
                self._look()
                look = time.monotonic() + LOOK_EVERY
            ready = [descriptor for descriptor, _ in poll.poll(min(left, LOOK_EVERY) * 1000)]
            if self.jobs.requests in ready:
                self.jobs.confinement.end_job(self.leader)
                os._exit(0)
            for descriptor in ready:
                if not self._read(descriptor):
                    if descriptor == self.results:  # whatever happens now, nobody will hear of it
                        return
                    poll.unregister(descriptor)
            if not ready and self._dead():  # others of its processes keep the pipe open
                return

    def _dead(self) -> bool:
        """Whether the leader has ended. It can still be waited for."""
        if sys.platform != "linux":
            return False
        return os.waitid(os.P_PID, self.leader, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def drain(self) -> None:
        """Take what the job has sent and nobody has read yet. It is dead: there is an end."""
        for descriptor in self.descriptors:
            while self._read(descriptor):
                pass

    def ended(self, status: int) -> dict[str, Any]:
        """How the job ended, given its leader's wait status."""
        told = self.told or _death(status, self.limits)
        text = bytes(self.printed[: self.limits.output_bytes]).decode(errors="replace")
        return {**told, "output": text, "seconds": time.monotonic() - self.start}

    def _look(self) -> None:
        """Look at what all of the job's processes use together, which the kernel does not limit."""
        processes, memory = self.jobs.confinement.processes.used()
        if memory > self.limits.memory:
            words = f"its processes together used more than {self.limits.memory} bytes"
            self.told = {"status": "out_of_memory", "error": words}
        elif processes > self.limits.processes:
            words = f"had more than {self.limits.processes} processes"
            self.told = {"status": "crashed", "error": words}

    def _read(self, descriptor: int) -> bool:
        """Read a piece; whether there may be more."""
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return False
        if data:
            self.descriptors[descriptor](data)
        return bool(data)

    def _output(self, data: bytes) -> None:
        room = self.limits.output_bytes - len(self.printed)
        self.printed += data[:room]
        if len(data) > room and self.told is None:
            self.told = {
                "status": "too_much_output",
                "error": f"printed more than {self.limits.output_bytes} bytes",
            }

    def _result(self, data: bytes) -> None:
        if self.told is not None:  # it has ended already; nothing counts after that
            return
        self.received += len(data)
        if self.received > MOST_RESULTS:
            self.told = {"status": "too_much_output", "error": f"gave more than {MOST_RESULTS} bytes"}
            return
        try:
            for kind, payload in self.frames.feed(data):
                if kind == wire.RAISED:
                    self.told = _failure(payload)
                elif kind in (wire.VALUE, wire.YIELDS, wire.RETURNED):
                    wire.send(self.jobs.replies, kind, payload)
                    if kind == wire.RETURNED:
                        self.told = {"status": "returned"}
                else:
                    raise wire.Malformed(f"no frame of kind {kind} comes from a job")
                if self.told is not None:
                    return
        except wire.Malformed as error:
            self.told = {"status": "crashed", "error": f"spoke out of turn: {error}"}


def _failure(payload: bytes) -> dict[str, Any]:
    """What a child says of its failure, if it has the form in which ours say it."""
    try:
        told = json.loads(payload)
        status, words = told["status"], told["error"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise wire.Malformed("a failure that cannot be read") from error
    if status not in ("raised", "exited", "out_of_memory") or not isinstance(words, str):
        raise wire.Malformed("a failure of no known kind")
    return {"status": status, "error": words[-child.LONGEST_ERROR :]}


def _death(status: int, limits: Limits) -> dict[str, Any]:
    """How a job ended that did not say so itself."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return {"status": "timed_out", "error": f"used {limits.cpu:g} s of CPU"}
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return {"status": "crashed", "error": f"ended by {name}"}
    return {"status": "exited", "error": f"exit status {os.WEXITSTATUS(status)}"}
