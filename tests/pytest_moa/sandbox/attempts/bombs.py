"""Jobs that use up what there is, will not end, speak out of turn, or leave something behind."""

# ruff: noqa: PTH102, PTH123, PTH208

from __future__ import annotations

import array
import ctypes
import mmap
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


def fork_bomb(state, a):
    while True:
        try:
            os.fork()
        except OSError:
            continue


def thread_bomb(state, a):
    started = 0
    try:
        for _ in range(5000):
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError:
        return started
    return started


def memory(state, a):
    kept = []
    while True:
        kept.append(bytearray(64 << 20))


def memory_of_many(state, a):
    """Each process stays within its limit; all of them together would not."""
    for _ in range(40):
        if os.fork() == 0:
            kept = [os.urandom(1 << 20) * 40]
            time.sleep(60)
            os._exit(len(kept))
    time.sleep(60)


def shared_memory(state, a):
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 256 << 20))
        kept[-1][:: mmap.PAGESIZE] = b"x" * ((256 << 20) // mmap.PAGESIZE)


def big_file(state, a):
    with open(Path(os.environ["TMPDIR"], "big"), "wb") as opened:
        while True:
            opened.write(bytes(1 << 20))


def many_files(state, a):
    written = 0
    try:
        for n in range(2000):
            Path(os.environ["TMPDIR"], str(n)).write_bytes(bytes(1 << 20))
            written += 1
    except OSError:
        pass
    return written


def endless_output(state, a):
    while True:
        os.write(1, b"x" * 65536)


def endless_values(state, a):
    while True:
        yield "x" * (8 << 20)


def endless_loop(state, a):
    while True:
        pass


def sleeps(state, a):
    time.sleep(600)


def ignores_signals(state, a):
    for one in range(1, 32):
        try:
            signal.signal(one, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    while True:
        pass


def stops_itself(state, a):
    os.kill(os.getpid(), signal.SIGSTOP)


def exits(state, a):
    sys.exit(0)


def exits_hard(state, a):
    os._exit(0)


def segfaults(state, a):
    ctypes.string_at(0)


def aborts(state, a):
    os.abort()


def leaves_daemon(state, a):
    """A process that has left its session, group and parent, and would go on."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            for descriptor in range(64):
                try:
                    os.close(descriptor)
                except OSError:
                    continue
            time.sleep(600)
        os._exit(0)
    time.sleep(0.05)


def leaves_daemon_with_pipes(state, a):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)


def others_running(state, a):
    """Processes besides the server and this one."""
    return [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]


def forks_forever(state, a):
    """A chain of processes, each of which lives just long enough to make the next one."""
    if os.fork() == 0:
        while True:
            if os.fork() > 0:
                os._exit(0)
    return "left"


def garbage_everywhere(state, a):
    for descriptor in range(1, 64):
        try:
            os.write(descriptor, os.urandom(4096))
        except OSError:
            continue


def closes_everything(state, a):
    os.closerange(0, 256)


def announces_too_much(state, a):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, array.array("B", [255] * 64).tobytes())
        except OSError:
            continue


def ends_for_another_job(state, a):
    """A frame that only the server sends."""
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\0\0\0\x02e{}")
        except OSError:
            continue
    time.sleep(60)


def deep_value(state, a):
    payload = b"[" * 100_000
    frame = len(payload).to_bytes(4, "big") + b"r" + payload
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, frame[:60000])
            os.write(descriptor, frame[60000:])
        except OSError:
            continue
    time.sleep(60)


def error_of_endless_length(state, a):
    raise ValueError("x" * (50 << 20))


def hostile_error(state, a):
    class Hostile(BaseException):
        def __str__(self):
            raise KeyboardInterrupt

        __repr__ = __str__

    raise Hostile


def litters(state, a):
    """Everything that might be there for the next job."""
    scratch = Path(os.environ["TMPDIR"])
    (scratch / "left").write_text("x")
    Path(os.environ["HOME"], "left").write_text("x")
    with suppress(PermissionError):  # where it is everybody's
        Path("/dev/shm/left").write_text("x")
    os.chdir(scratch)
    for _ in range(40):  # deeper than any path can say
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    locked = scratch / "locked"
    (locked / "in").mkdir(parents=True)
    locked.chmod(0)
    os.mkdir(scratch / "unlisted", 0o300)
    (scratch / "unlisted" / "in").mkdir()
    os.environ["LEFT"] = "x"
    state["left"] = "x"


def found_litter(state, a):
    found = ["variable"] if "LEFT" in os.environ else []
    found += [key for key in state if key == "left"]
    for place in (os.environ["TMPDIR"], os.environ["HOME"], "/dev/shm"):
        try:
            found += os.listdir(place)
        except PermissionError:
            continue
    return found
